import type { TProperties } from "@sinclair/typebox";
import type { Model } from "./model.ts";
import { choice, decimal, flag, integer, link, motions, parameters, seed, words } from "./parameters.ts";
import type { Tool } from "./tool.ts";

const PHOTOS = ["image/jpeg", "image/png", "image/webp"];
const MINUTE = 60_000;
const IN_CREDITS = "billed in Higgsfield credits";
const TEXT = "text-to-video";
const IMAGE = "image-to-video";

type Family = {
  properties: TProperties;
  cost: Model["cost"]["word"];
  typical_s: number;
  max_prompt: number;
  /** What it makes, said after "Video" and after "Your image". */
  says: string;
};
type Paths = { text?: string; image?: string };

/** One row. The types of a parameter differ from family to family at Higgsfield: `5`, `"5"` and `"720p"`, `"720"`. */
const video = (key: string, name: string, { text, image }: Paths, family: Family): Model => {
  const tools: Tool[] = [...(text ? ["text_to_video" as const] : []), ...(image ? ["image_to_video" as const] : [])];
  return {
    key,
    name,
    provider: "higgsfield",
    path: text ?? image ?? "",
    ...(text && image && { paths: { image_to_video: image } }),
    tools,
    descriptions: {
      ...(text && { text_to_video: `Video ${family.says}` }),
      ...(image && { image_to_video: `Your image as a video ${family.says}` }),
    },
    parameters: parameters(family.properties),
    cost: { word: family.cost, text: IN_CREDITS },
    latency: { word: family.typical_s > 60 ? "slow" : "moderate", typical_s: family.typical_s },
    timeout_ms: 15 * MINUTE,
    accepts: { images: { min: text ? 0 : 1, max: image ? 1 : 0 }, mimes: image ? PHOTOS : [] },
    max_prompt: family.max_prompt,
  };
};

const both = (root: string, end = ""): Paths => ({ text: `${root}/${TEXT}${end}`, image: `${root}/${IMAGE}${end}` });

const DOP = {
  motions: motions(2, "camera moves, by their ids at Higgsfield"),
  // The provider's default is true; off, because its rewriting does not keep the user's words.
  enhance_prompt: flag(false, "let the provider rewrite the prompt"),
  seed: seed(1, 1_000_000),
};
export const dopParameters = parameters(DOP);

const KLING = {
  duration: choice([5, 10], 5, "seconds"),
  cfg_scale: decimal(0, 1, undefined, "how closely to follow the prompt"),
  negative_prompt: words(2500, "what should not be in it"),
};
const VEO = {
  duration: choice(["4", "6", "8"], undefined, "seconds"),
  resolution: choice(["720", "1080"], undefined, "lines"),
  generate_audio: flag(undefined, "speech, music and sounds; costs more"),
};
const HAILUO = {
  duration: choice([6, 10], undefined, "seconds"),
  resolution: choice(["512P", "768P"], undefined, "lines"),
  prompt_optimizer: flag(undefined, "let the provider rewrite the prompt"),
};
const SEEDANCE = {
  duration: integer(2, 12, 5, "seconds"),
  resolution: choice(["480", "720", "1080"], undefined, "lines"),
  camera_fixed: flag(undefined, "keep the camera still"),
};
const SORA = { duration: choice([4, 8, 12], undefined, "seconds") };

const dop = (typical_s: number, says: string): Family => ({
  properties: DOP,
  cost: "low",
  typical_s,
  max_prompt: 2000,
  says,
});
const kling = (cost: Family["cost"], says: string): Family => ({
  properties: KLING,
  cost,
  typical_s: 150,
  max_prompt: 2500,
  says,
});
const veo = (cost: Family["cost"], typical_s: number, says: string): Family => ({
  properties: VEO,
  cost,
  typical_s,
  max_prompt: 3000,
  says,
});
const hailuo = (cost: Family["cost"], typical_s: number, says: string): Family => ({
  properties: HAILUO,
  cost,
  typical_s,
  max_prompt: 2000,
  says,
});
const seedance = (typical_s: number, says: string): Family => ({
  properties: SEEDANCE,
  cost: "medium",
  typical_s,
  max_prompt: 2000,
  says,
});
const sora = (properties: TProperties, says: string): Family => ({
  properties: { ...SORA, ...properties },
  cost: "high",
  typical_s: 150,
  max_prompt: 4000,
  says,
});

const WAN: Family = {
  properties: {
    duration: choice([5, 10], undefined, "seconds"),
    resolution: choice(["480p", "720p", "1080p"], undefined, "lines"),
    audio_url: link("a sound to move to"),
    seed: integer(-1, 2_147_483_647, -1, "same seed, same video; -1 draws one"),
  },
  cost: "medium",
  typical_s: 120,
  max_prompt: 1500,
  says: "that moves to a sound",
};

/**
 * Higgsfield's other video models, as its OpenAPI document has them: what it does not give a default for has none here.
 * Not among them: models of first and last frames or of references, whose fields for images are not documented, and
 * what is known by name only.
 */
export const HIGGSFIELD_VIDEO_MODELS: readonly Model[] = [
  video(
    "dop_turbo",
    "Higgsfield DoP Turbo",
    { image: "higgsfield-ai/dop/turbo" },
    dop(60, "with a camera move, faster"),
  ),
  video(
    "dop_lite",
    "Higgsfield DoP Lite",
    { image: "higgsfield-ai/dop/lite" },
    dop(45, "with a camera move, cheapest"),
  ),
  video(
    "kling_2_5",
    "Kling 2.5 Turbo Pro",
    both("kling-video/v2.5-turbo/pro"),
    kling("medium", "with smooth motion, faster"),
  ),
  video("kling_2_1_master", "Kling 2.1 Master", both("kling-video/v2.1/master"), kling("high", "of cinematic quality")),
  video(
    "kling_2_1_pro",
    "Kling 2.1 Pro",
    { image: `kling-video/v2.1/pro/${IMAGE}` },
    kling("medium", "with smooth motion"),
  ),
  video("kling_2_1", "Kling 2.1", both("kling-video/v2.1/standard"), kling("low", "with smooth motion, affordable")),
  video("seedance_lite", "Seedance 1 Lite", both("bytedance/seedance/v1/lite"), seedance(60, "of 2 to 12 seconds")),
  video("seedance_pro", "Seedance 1 Pro Fast", both("bytedance/seedance/v1/pro/fast"), seedance(50, "of fine detail")),
  video("veo", "Veo 3.1", { text: "veo3.1", image: `veo3.1/${IMAGE}` }, veo("high", 120, "with speech and sound")),
  video(
    "veo_3_1_fast",
    "Veo 3.1 Fast",
    { text: "veo3.1/fast", image: `veo3.1/fast/${IMAGE}` },
    veo("high", 90, "with speech and sound, faster"),
  ),
  video(
    "sora",
    "Sora 2",
    both("sora-2"),
    sora({ resolution: choice(["720p"], undefined, "lines") }, "with sound, true to physics"),
  ),
  video(
    "sora_pro",
    "Sora 2 Pro",
    both("sora-2", "/pro"),
    sora({ resolution: choice(["720p", "1080p"], undefined, "lines") }, "with sound, true to physics, at its best"),
  ),
  video("hailuo", "Hailuo 2.3", both("minimax/hailuo-2.3/standard"), hailuo("medium", 120, "of lively people")),
  video("hailuo_pro", "Hailuo 2.3 Pro", both("minimax/hailuo-2.3/pro"), hailuo("high", 180, "of lively people, finer")),
  video(
    "hailuo_fast",
    "Hailuo 2.3 Fast",
    { image: `minimax/hailuo-2.3-fast/standard/${IMAGE}` },
    hailuo("low", 60, "of lively people, faster"),
  ),
  video(
    "hailuo_fast_pro",
    "Hailuo 2.3 Fast Pro",
    { image: `minimax/hailuo-2.3-fast/pro/${IMAGE}` },
    hailuo("medium", 90, "of lively people, fast and fine"),
  ),
  video("hailuo_02", "Hailuo 02", both("minimax/hailuo-02/standard"), hailuo("medium", 120, "of hard motion")),
  video("hailuo_02_pro", "Hailuo 02 Pro", both("minimax/hailuo-02/pro"), hailuo("high", 180, "of hard motion, finer")),
  video("wan", "Wan 2.5", both("wan-25-preview"), WAN),
];
