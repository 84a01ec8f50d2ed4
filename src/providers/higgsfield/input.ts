import type { Generation } from "../../ports.ts";

/** Which field a model takes its input images in: models do not agree, and nothing may be sent that they do not know. */
type Place =
  | { one: string; last?: string }
  | { many: string }
  /** A list of `{type: "image_url", image_url}`. */
  | { wrapped: string };

const PLACES: readonly [RegExp, Place][] = [
  [/^nano-banana/, { wrapped: "input_images" }],
  [/^higgsfield-ai\/dop\//, { one: "image_url", last: "end_image_url" }],
  [/^higgsfield-ai\/soul\/(v2\/)?reference$/, { one: "image_reference_url" }],
  [/^higgsfield-ai\/popcorn\//, { many: "image_urls" }],
  [/^reve\/(fast\/)?remix$/, { many: "image_urls" }],
  [/reference-to-video$/, { many: "image_urls" }],
];

const placeOf = (model: string): Place => PLACES.find(([pattern]) => pattern.test(model))?.[1] ?? { one: "image_url" };

export const wrapImage = (url: string) => ({ type: "image_url", image_url: url });

const imagesFor = (model: string, inputs: readonly string[]): Record<string, unknown> => {
  const [first, second] = inputs;
  if (first === undefined) return {};
  const place = placeOf(model);
  if ("wrapped" in place) return { [place.wrapped]: inputs.map(wrapImage) };
  if ("many" in place) return { [place.many]: inputs };
  return { [place.one]: first, ...(place.last && second !== undefined && { [place.last]: second }) };
};

/** The parameters that say something: the provider tells an omitted field from a null one. */
export const given = (params: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined && value !== null));

/** The flat body of a submit. Fields that no parameter schema may name are ours: the prompt and the images win. */
export const inputOf = ({ model, prompt, params, inputs }: Generation): Record<string, unknown> => ({
  ...given(params),
  prompt,
  ...imagesFor(model, inputs),
});
