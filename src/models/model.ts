import { type Static, type TObject, type TSchema, Type } from "@sinclair/typebox";
import { Tool, takesImages } from "./tool.ts";

/** The services that run models, by the names of their adapters. */
export const ProviderName = Type.Union([
  Type.Literal("higgsfield"),
  Type.Literal("replicate"),
  Type.Literal("fal"),
  Type.Literal("higgsfield_v1"),
]);
export type ProviderName = Static<typeof ProviderName>;

/** `simulated` stands in for a service without credentials. */
export const Through = Type.Union([...ProviderName.anyOf, Type.Literal("simulated")]);
export type Through = Static<typeof Through>;

const perTool = <T extends TSchema>(value: T, description: string) =>
  Type.Object(
    {
      text_to_image: Type.Optional(value),
      image_to_image: Type.Optional(value),
      text_to_video: Type.Optional(value),
      image_to_video: Type.Optional(value),
    },
    { description, additionalProperties: false },
  );

const fields = {
  key: Type.String({
    description: "our stable name: metrics, options and jobs carry it",
    pattern: "^[a-z][a-z0-9_]*$",
  }),
  name: Type.String({ description: "for people" }),
  provider: ProviderName,
  path: Type.String({ description: "the provider's model id" }),
  paths: Type.Optional(perTool(Type.String(), "the provider's model id of a tool, where it is not `path`")),
  tools: Type.Array(Tool, { minItems: 1 }),
  descriptions: perTool(Type.String(), "one line for each tool, shown above its button"),
  parameters: Type.Unsafe<TObject>(
    Type.Object({}, { additionalProperties: true, description: "JSON Schema of `params`, for all tools" }),
  ),
  without: Type.Optional(
    perTool(Type.Array(Type.String()), "parameters that the path of a tool does not know: they are not sent there"),
  ),
  cost: Type.Object({
    word: Type.Union([Type.Literal("low"), Type.Literal("medium"), Type.Literal("high")]),
    text: Type.String({ description: "list price for people; not a quote" }),
  }),
  latency: Type.Object({
    word: Type.Union([Type.Literal("fast"), Type.Literal("moderate"), Type.Literal("slow")]),
    typical_s: Type.Number({ description: "seconds that one generation usually takes" }),
  }),
  timeout_ms: Type.Optional(
    Type.Integer({ description: "the model's own limit after its start, in milliseconds; else JOB_TIMEOUT_MS" }),
  ),
  accepts: Type.Object({
    images: Type.Object({ min: Type.Integer(), max: Type.Integer() }, { description: "input images over all tools" }),
    mimes: Type.Array(Type.String(), { description: "types of input images" }),
  }),
  max_prompt: Type.Integer({ description: "longest prompt in UTF-16 code units, style words included" }),
};

/** One row of the catalog. */
export const Model = Type.Object(fields, { description: "a model of the catalog" });
export type Model = Static<typeof Model>;

/** A model that can be used now, and the provider that will run it. */
export const OfferedModel = Type.Object({ ...fields, through: Through }, { description: "a model on offer" });
export type OfferedModel = Static<typeof OfferedModel>;

/** The provider's model id for this tool. */
export const pathOf = (model: Model, tool: Tool) => model.paths?.[tool] ?? model.path;

/** The parameters as this tool's path takes them: without those that it does not know. */
export const paramsFor = (model: Model, tool: Tool, params: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(params).filter(([name]) => !model.without?.[tool]?.includes(name)));

/** How many input images this tool of the model takes: none, or at least one and at most the model's limit. */
export const imagesFor = (model: Model, tool: Tool) =>
  takesImages(tool)
    ? { min: Math.max(1, model.accepts.images.min), max: model.accepts.images.max }
    : { min: 0, max: 0 };
