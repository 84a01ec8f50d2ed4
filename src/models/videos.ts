import { dopParameters } from "./higgsfield-videos.ts";
import type { Model } from "./model.ts";
import { choice, decimal, flag, integer, parameters, seed } from "./parameters.ts";

const PHOTO_TYPES = ["image/jpeg", "image/png", "image/webp"];
const MINUTE = 60_000;
/** A default of 16:9 would crop a portrait photo that is to be animated. */
const ABSENT = "shape; when absent 16:9, or that of the input image";

/** Models that make videos, the preferred one first. Prices and limits as the providers listed them in 2026. */
export const VIDEO_MODELS: readonly Model[] = [
  {
    key: "kling",
    name: "Kling 2.6 Pro",
    provider: "higgsfield",
    path: "kling-video/v2.6/pro/text-to-video",
    paths: { image_to_video: "kling-video/v2.6/pro/image-to-video" },
    // The image has its shape.
    without: { image_to_video: ["aspect_ratio"] },
    tools: ["text_to_video", "image_to_video"],
    descriptions: {
      text_to_video: "Cinematic video with smooth motion, higher cost & latency",
      image_to_video: "Your image brought to life in a cinematic video, higher cost & latency",
    },
    parameters: parameters({
      aspect_ratio: choice(["16:9", "9:16", "1:1"], undefined, ABSENT),
      duration: choice([5, 10], 5, "seconds"),
      cfg_scale: decimal(0, 1, 0.5, "how closely to follow the prompt"),
      sound: choice(["on", "off"], "off", "a sound track; costs more"),
    }),
    cost: { word: "high", text: "about $0.35 per 5 seconds" },
    latency: { word: "slow", typical_s: 120 },
    timeout_ms: 15 * MINUTE,
    accepts: { images: { min: 0, max: 1 }, mimes: PHOTO_TYPES },
    max_prompt: 2500,
  },
  {
    key: "seedance",
    name: "Seedance 1 Lite",
    provider: "replicate",
    path: "bytedance/seedance-1-lite",
    tools: ["text_to_video", "image_to_video"],
    descriptions: {
      text_to_video: "Affordable video of 2 to 12 seconds in many formats",
      image_to_video: "Affordable animation of your image, 2 to 12 seconds",
    },
    parameters: parameters({
      aspect_ratio: choice(["16:9", "9:16", "1:1", "4:3", "3:4", "21:9", "9:21"], "16:9", "shape; an input image wins"),
      duration: integer(2, 12, 5, "seconds"),
      resolution: choice(["480p", "720p", "1080p"], "720p", "size"),
      camera_fixed: flag(false, "keep the camera still"),
      seed: seed(0, 2_147_483_647),
    }),
    cost: { word: "medium", text: "about $0.18 per 5 seconds" },
    latency: { word: "moderate", typical_s: 60 },
    timeout_ms: 10 * MINUTE,
    accepts: { images: { min: 0, max: 1 }, mimes: PHOTO_TYPES },
    max_prompt: 2000,
  },
  {
    key: "veo_fast",
    name: "Veo 3.1 Fast",
    provider: "fal",
    path: "fal-ai/veo3.1/fast",
    paths: { image_to_video: "fal-ai/veo3.1/fast/image-to-video" },
    tools: ["text_to_video", "image_to_video"],
    descriptions: {
      text_to_video: "Video with speech and sound, highest cost",
      image_to_video: "Your image as a video with speech and sound, highest cost",
    },
    parameters: parameters({
      aspect_ratio: choice(["16:9", "9:16"], undefined, ABSENT),
      duration: choice(["4s", "6s", "8s"], "8s", "length"),
      resolution: choice(["720p", "1080p"], "720p", "size"),
      generate_audio: flag(true, "speech, music and sounds; costs more"),
    }),
    cost: { word: "high", text: "about $1.20 per 8 seconds with sound" },
    latency: { word: "slow", typical_s: 90 },
    timeout_ms: 15 * MINUTE,
    accepts: { images: { min: 0, max: 1 }, mimes: PHOTO_TYPES },
    max_prompt: 3000,
  },
  {
    key: "dop",
    name: "Higgsfield DoP",
    provider: "higgsfield",
    path: "higgsfield-ai/dop/standard",
    tools: ["image_to_video"],
    descriptions: { image_to_video: "Your image with a directed camera move" },
    parameters: dopParameters,
    cost: { word: "medium", text: "billed in Higgsfield credits" },
    latency: { word: "slow", typical_s: 90 },
    timeout_ms: 10 * MINUTE,
    accepts: { images: { min: 1, max: 1 }, mimes: PHOTO_TYPES },
    max_prompt: 2000,
  },
];
