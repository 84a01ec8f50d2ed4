import { type Static, Type } from "@sinclair/typebox";

/** What a node's life hears: it serves now, it is to stop, what it had begun is done. */
export const NodeCommand = Type.Union([
  Type.Object({ type: Type.Literal("started") }),
  Type.Object({ type: Type.Literal("stop") }),
  Type.Object({ type: Type.Literal("finished") }),
]);
export type NodeCommand = Static<typeof NodeCommand>;
