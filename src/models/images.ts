import type { Model } from "./model.ts";
import { choice, decimal, flag, integer, parameters, seed } from "./parameters.ts";

const PHOTO_TYPES = ["image/jpeg", "image/png", "image/webp"];
const RATIOS = ["1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "21:9"];

/** Models that make pictures, the preferred one first. Prices and limits as the providers listed them in 2026. */
export const IMAGE_MODELS: readonly Model[] = [
  {
    key: "nano_banana",
    name: "Nano Banana",
    provider: "higgsfield",
    path: "nano-banana",
    tools: ["text_to_image", "image_to_image"],
    descriptions: {
      text_to_image: "Fast & low-cost photorealistic image generation",
      image_to_image: "Fast & low-cost editing of your images in plain words",
    },
    parameters: parameters({
      aspect_ratio: choice(["auto", ...RATIOS, "5:4", "4:5"], "auto", "shape; `auto` follows the input image"),
      num_images: integer(1, 4, 1, "pictures of one generation"),
      output_format: choice(["jpeg", "png"], "jpeg", "file type"),
    }),
    cost: { word: "low", text: "about $0.04 per image" },
    latency: { word: "fast", typical_s: 9 },
    accepts: { images: { min: 0, max: 8 }, mimes: PHOTO_TYPES },
    max_prompt: 4000,
  },
  {
    key: "seedream",
    name: "Seedream 4",
    provider: "replicate",
    path: "bytedance/seedream-4",
    tools: ["text_to_image", "image_to_image"],
    descriptions: {
      text_to_image: "Detailed images up to 4K, good with lettering",
      image_to_image: "Precise edits from several reference images, up to 4K",
    },
    parameters: parameters({
      aspect_ratio: choice(["match_input_image", ...RATIOS], "match_input_image", "shape"),
      size: choice(["1K", "2K", "4K"], "2K", "length of the longer side"),
    }),
    cost: { word: "low", text: "about $0.03 per image" },
    latency: { word: "moderate", typical_s: 20 },
    accepts: { images: { min: 0, max: 10 }, mimes: PHOTO_TYPES },
    max_prompt: 4000,
  },
  {
    key: "soul",
    name: "Higgsfield Soul",
    provider: "higgsfield",
    path: "higgsfield-ai/soul/standard",
    tools: ["text_to_image"],
    descriptions: { text_to_image: "Fashion-grade, lifelike photos of people" },
    parameters: parameters({
      aspect_ratio: choice(["4:3", "3:4", "1:1", "2:3", "3:2", "9:16", "16:9"], "4:3", "shape"),
      resolution: choice(["720p", "1080p"], "720p", "size"),
      batch_size: choice([1, 4], 1, "pictures of one generation"),
      // The provider's default is true; off, because its rewriting does not keep the user's words.
      enhance_prompt: flag(false, "let the provider rewrite the prompt"),
      seed: seed(1, 1_000_000),
    }),
    cost: { word: "medium", text: "billed in Higgsfield credits" },
    latency: { word: "moderate", typical_s: 30 },
    accepts: { images: { min: 0, max: 0 }, mimes: [] },
    max_prompt: 2000,
  },
  {
    key: "flux_schnell",
    name: "FLUX.1 schnell",
    provider: "replicate",
    path: "black-forest-labs/flux-schnell",
    tools: ["text_to_image"],
    descriptions: { text_to_image: "Fastest and cheapest drafts of an image" },
    parameters: parameters({
      aspect_ratio: choice([...RATIOS, "5:4", "4:5", "9:21"], "1:1", "shape"),
      num_outputs: integer(1, 4, 1, "pictures of one generation"),
      num_inference_steps: integer(1, 4, 4, "more steps, more detail"),
      output_format: choice(["webp", "jpg", "png"], "webp", "file type"),
      output_quality: integer(0, 100, 80, "compression of jpg and webp, 100 is best"),
      go_fast: flag(true, "a faster, slightly coarser run"),
      megapixels: choice(["0.25", "1"], "1", "size"),
      seed: seed(0, 2_147_483_647),
    }),
    cost: { word: "low", text: "about $0.003 per image" },
    latency: { word: "fast", typical_s: 2 },
    accepts: { images: { min: 0, max: 0 }, mimes: [] },
    max_prompt: 2000,
  },
  {
    key: "flux_kontext",
    name: "FLUX.1 Kontext",
    provider: "fal",
    path: "fal-ai/flux-pro/kontext/text-to-image",
    paths: { image_to_image: "fal-ai/flux-pro/kontext" },
    tools: ["text_to_image", "image_to_image"],
    descriptions: {
      text_to_image: "Images that follow long instructions closely",
      image_to_image: "Local edits that leave the rest of your image as it is",
    },
    parameters: parameters({
      aspect_ratio: choice([...RATIOS, "9:21"], undefined, "shape; when absent 1:1, or that of the input image"),
      num_images: integer(1, 4, 1, "pictures of one generation"),
      guidance_scale: decimal(1, 20, 3.5, "how closely to follow the prompt"),
      safety_tolerance: choice(["1", "2", "3", "4", "5", "6"], "2", "1 is strictest"),
      output_format: choice(["jpeg", "png"], "jpeg", "file type"),
      seed: seed(0, 2_147_483_647),
    }),
    cost: { word: "low", text: "about $0.04 per image" },
    latency: { word: "fast", typical_s: 10 },
    accepts: { images: { min: 0, max: 1 }, mimes: PHOTO_TYPES },
    max_prompt: 4000,
  },
];
