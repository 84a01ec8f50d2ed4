import type { Model } from "./model.ts";
import { choice, decimal, flag, motions, parameters, seed, words } from "./parameters.ts";

const PHOTOS = ["image/jpeg", "image/png", "image/webp"];
const IN_CREDITS = "billed in Higgsfield credits";

/** Width and height of what the older Soul makes. */
const SIZES = [
  "1536x1536",
  "2048x1152",
  "2048x1536",
  "2016x1344",
  "1696x960",
  "1632x1088",
  "1536x1152",
  "1152x1536",
  "1152x2048",
  "1536x2048",
  "1344x2016",
  "960x1696",
  "1088x1632",
];
// The provider's default is true; off, because its rewriting does not keep the user's words.
const enhance_prompt = flag(false, "let the provider rewrite the prompt");

/**
 * What Higgsfield's older API still makes, as sets of jobs: several pictures of one submit, each with an end of its own;
 * those that succeed are the outputs. A submit whose answer is lost cannot be found again there, so these come last.
 */
export const HIGGSFIELD_V1_MODELS: readonly Model[] = [
  {
    key: "soul_set",
    name: "Higgsfield Soul Set",
    provider: "higgsfield_v1",
    path: "v1/text2image/soul",
    tools: ["text_to_image", "image_to_image"],
    descriptions: {
      text_to_image: "Four lifelike photos of one idea to choose from",
      image_to_image: "Four lifelike photos in the manner of your image",
    },
    parameters: parameters({
      width_and_height: choice(SIZES, "1536x1536", "width and height"),
      quality: choice(["720p", "1080p"], "720p", "size"),
      batch_size: choice([1, 4], 4, "pictures of one generation"),
      style_id: words(100, "a Soul style, by its id at Higgsfield"),
      style_strength: decimal(0, 1, undefined, "how much of the style"),
      enhance_prompt,
      seed: seed(1, 1_000_000),
    }),
    cost: { word: "medium", text: IN_CREDITS },
    latency: { word: "moderate", typical_s: 45 },
    accepts: { images: { min: 0, max: 1 }, mimes: PHOTOS },
    max_prompt: 2000,
  },
  {
    key: "dop_set",
    name: "Higgsfield DoP by job set",
    provider: "higgsfield_v1",
    path: "v1/image2video/dop",
    tools: ["image_to_video"],
    descriptions: { image_to_video: "Your image in motion with a camera move, by the older API" },
    parameters: parameters({
      model: choice(["dop-lite", "dop-turbo", "dop-standard"], "dop-turbo", "cheapest, faster or best"),
      motions: motions(2, "camera moves, by their ids at Higgsfield"),
      enhance_prompt,
      seed: seed(1, 1_000_000),
    }),
    cost: { word: "medium", text: IN_CREDITS },
    latency: { word: "moderate", typical_s: 60 },
    timeout_ms: 900_000,
    accepts: { images: { min: 1, max: 1 }, mimes: PHOTOS },
    max_prompt: 2000,
  },
];
