import type { RemoteOutput } from "../../ports.ts";

/** Where models put what they made. When one of these holds media, all else is an echo, a mask or a preview. */
const RESULTS = ["images", "image", "videos", "video", "audio", "audio_url", "output", "outputs", "model_mesh"];
/** What was put in is not what came out. */
const ECHOES = /^(prompt|input|timings|mask|reference|logs)/;
const MAX_OUTPUTS = 64;
const MAX_DEPTH = 8;

export type Found = {
  outputs: RemoteOutput[];
  /** Some outputs were blacked out by the model's own checker; they are not among `outputs`. */
  censored: boolean;
};

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;

const isUrl = (value: unknown): value is string =>
  typeof value === "string" && /^https?:\/\/\S+$/.test(value) && URL.canParse(value);

/** Every media URL below `value`: files `{ url, content_type }`, and strings that are nothing but a URL. */
const walk = (value: unknown, depth = 0): RemoteOutput[] => {
  if (isUrl(value)) return [{ url: value }];
  if (!isFields(value) || depth > MAX_DEPTH) return [];
  if (Array.isArray(value)) return value.slice(0, MAX_OUTPUTS).flatMap((item) => walk(item, depth + 1));
  if (isUrl(value.url)) {
    return [{ url: value.url, ...(typeof value.content_type === "string" ? { mime: value.content_type } : {}) }];
  }
  return Object.entries(value)
    .filter(([key]) => !ECHOES.test(key))
    .flatMap(([, item]) => walk(item, depth + 1));
};

const distinct = (outputs: RemoteOutput[]) =>
  [...new Map(outputs.map((output) => [output.url, output])).values()].slice(0, MAX_OUTPUTS);

/** A result without the images that its `has_nsfw_concepts` (one flag an image) marks. */
const uncensored = (body: Fields): { body: Fields; censored: boolean } => {
  const { images, has_nsfw_concepts: flags } = body;
  if (!Array.isArray(flags) || !flags.includes(true)) return { body, censored: false };
  if (!Array.isArray(images) || images.length !== flags.length) return { body, censored: flags.every(Boolean) };
  return { body: { ...body, images: images.filter((_, index) => flags[index] !== true) }, censored: true };
};

/** The media in a model's result, whatever its shape, in its order, each once. */
export const outputsIn = (result: unknown): Found => {
  if (!isFields(result)) return { outputs: [], censored: false };
  const { body, censored } = uncensored(result);
  const named = distinct(RESULTS.flatMap((key) => walk(body[key])));
  if (named.length > 0) return { outputs: named, censored };
  return { outputs: censored ? [] : distinct(walk(body)), censored };
};
