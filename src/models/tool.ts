import { type Static, Type } from "@sinclair/typebox";

/** What a generation does: from which kind of input to which kind of output. A closed set. */
export const Tool = Type.Union(
  [
    Type.Literal("text_to_image"),
    Type.Literal("image_to_image"),
    Type.Literal("text_to_video"),
    Type.Literal("image_to_video"),
  ],
  { description: "what goes in and what comes out" },
);
export type Tool = Static<typeof Tool>;

/** Every tool; where two are otherwise equal the earlier (cheaper) one comes first. */
export const TOOLS: readonly Tool[] = Tool.anyOf.map((literal) => literal.const);

/** `text_to_image` → `Text To Image`, as buttons show it. */
export const toolTitle = (tool: Tool) =>
  tool
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(" ");

/** Whether a tool works on pictures of the user. */
export const takesImages = (tool: Tool) => tool === "image_to_image" || tool === "image_to_video";
