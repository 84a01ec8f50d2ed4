import type { Model } from "./model.ts";
import { choice, decimal, flag, integer, parameters, seed, words } from "./parameters.ts";

const PHOTOS = ["image/jpeg", "image/png", "image/webp"];
const NO_IMAGES = { images: { min: 0, max: 0 }, mimes: [] };
const IN_CREDITS = "billed in Higgsfield credits";
const OF_SOUL = choice(["4:3", "3:4", "1:1", "2:3", "3:2", "9:16", "16:9"], undefined, "shape");
const PICTURES = integer(1, 4, 1, "pictures of one generation");

const reve = (
  key: string,
  name: string,
  path: string,
  images: number,
  description: string,
  typical: number,
): Model => ({
  key,
  name,
  provider: "higgsfield",
  path,
  tools: ["image_to_image"],
  descriptions: { image_to_image: description },
  parameters: parameters({ num_images: PICTURES }),
  cost: { word: "low", text: IN_CREDITS },
  latency: { word: typical > 15 ? "moderate" : "fast", typical_s: typical },
  accepts: { images: { min: 1, max: images }, mimes: PHOTOS },
  max_prompt: 2560,
});

/**
 * Higgsfield's other picture models, as its OpenAPI document has them: what it does not give a default for has none
 * here. Not among them: `soul/character`, which needs a reference trained beforehand, and what is known by name only.
 */
export const HIGGSFIELD_IMAGE_MODELS: readonly Model[] = [
  {
    key: "reve",
    name: "Reve",
    provider: "higgsfield",
    path: "reve/text-to-image",
    paths: { image_to_image: "reve/edit" },
    tools: ["text_to_image", "image_to_image"],
    descriptions: {
      text_to_image: "Images that keep close to the prompt, good with text in the picture",
      image_to_image: "Edits of your image in plain words",
    },
    parameters: parameters({ num_images: PICTURES }),
    cost: { word: "low", text: IN_CREDITS },
    latency: { word: "moderate", typical_s: 20 },
    accepts: { images: { min: 0, max: 1 }, mimes: PHOTOS },
    max_prompt: 2560,
  },
  reve("reve_fast", "Reve Fast", "reve/fast/edit", 1, "Quick edits of your image in plain words", 10),
  reve("reve_remix", "Reve Remix", "reve/remix", 4, "One new image out of several of yours", 25),
  reve(
    "reve_fast_remix",
    "Reve Remix Fast",
    "reve/fast/remix",
    4,
    "One new image out of several of yours, quickly",
    12,
  ),
  {
    key: "popcorn",
    name: "Higgsfield Popcorn",
    provider: "higgsfield",
    path: "higgsfield-ai/popcorn/auto",
    tools: ["text_to_image", "image_to_image"],
    descriptions: {
      text_to_image: "Frames of one story that belong together",
      image_to_image: "Frames of one story around your images",
    },
    parameters: parameters({
      num_images: PICTURES,
      resolution: choice(["720p", "1600p"], undefined, "size"),
    }),
    cost: { word: "medium", text: IN_CREDITS },
    latency: { word: "moderate", typical_s: 40 },
    accepts: { images: { min: 0, max: 8 }, mimes: PHOTOS },
    max_prompt: 2000,
  },
  {
    key: "soul_reference",
    name: "Higgsfield Soul Reference",
    provider: "higgsfield",
    path: "higgsfield-ai/soul/reference",
    tools: ["image_to_image"],
    descriptions: { image_to_image: "Lifelike photos in the manner of your image" },
    parameters: parameters({
      aspect_ratio: OF_SOUL,
      resolution: choice(["720p", "1080p"], undefined, "size"),
      batch_size: choice([1, 4], 1, "pictures of one generation"),
      style_id: words(100, "a Soul style, by its id at Higgsfield"),
      style_strength: decimal(0, 1, undefined, "how much of the style"),
      // The provider's default is true; off, because its rewriting does not keep the user's words.
      enhance_prompt: flag(false, "let the provider rewrite the prompt"),
      seed: seed(1, 1_000_000),
    }),
    cost: { word: "medium", text: IN_CREDITS },
    latency: { word: "moderate", typical_s: 30 },
    accepts: { images: { min: 1, max: 1 }, mimes: PHOTOS },
    max_prompt: 2000,
  },
  {
    key: "flux_kontext_max",
    name: "FLUX.1 Kontext Max",
    provider: "higgsfield",
    path: "flux-pro/kontext/max/text-to-image",
    tools: ["text_to_image"],
    descriptions: { text_to_image: "Images that follow long instructions closely, at their best" },
    parameters: parameters({
      aspect_ratio: choice(["1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "21:9", "9:21"], undefined, "shape"),
      safety_tolerance: integer(1, 6, 6, "1 is strictest"),
      seed: seed(0, 2_147_483_647),
    }),
    cost: { word: "medium", text: "about $0.08 per image" },
    latency: { word: "fast", typical_s: 15 },
    accepts: NO_IMAGES,
    max_prompt: 4000,
  },
];
