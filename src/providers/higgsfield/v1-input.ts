import type { Generation } from "../../ports.ts";
import { given, wrapImage } from "./input.ts";

const imagesFor = (model: string, inputs: readonly string[]): Record<string, unknown> => {
  const [first, second] = inputs;
  if (first === undefined) return {};
  if (/text2image/.test(model)) return { image_reference: wrapImage(first) };
  if (/speak/.test(model)) {
    return {
      input_image: wrapImage(first),
      ...(second !== undefined && { input_audio: { type: "audio_url", audio_url: second } }),
    };
  }
  return { input_images: inputs.map(wrapImage) };
};

/** The body of a v1 submit: everything of the model within `params`, the webhook with its secret beside it. */
export const v1InputOf = ({ model, prompt, params, inputs, webhook }: Generation, secret: string) => ({
  params: { ...given(params), prompt, ...imagesFor(model, inputs) },
  ...(webhook && { webhook: { url: webhook, secret } }),
});
