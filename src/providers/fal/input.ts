import type { Generation } from "../../ports.ts";

/** The models whose input images are a list. The others take one, as `image_url`. */
const LISTS = /(^fal-ai\/(nano-banana|gemini-25-flash-image|bytedance\/seedream)|\/multi$)/;

const imagesOf = (model: string, inputs: readonly string[]): Record<string, unknown> => {
  if (inputs.length === 0) return {};
  return LISTS.test(model) ? { image_urls: [...inputs] } : { image_url: inputs[0] };
};

/**
 * The body of a submit: the model's input as it is, without a wrapper. The parameters were checked against the
 * model's schema; the prompt and the images always are what was asked for. More images than a model takes stay out.
 */
export const inputOf = ({ model, prompt, params, inputs }: Generation): Record<string, unknown> => ({
  ...params,
  prompt,
  ...imagesOf(model, inputs),
});
