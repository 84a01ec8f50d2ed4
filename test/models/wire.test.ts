/**
 * What leaves for each provider, against the fields that the provider documents for that path. Written down here a
 * second time, from the documents and not from the catalog: Cog ignores what it does not know, and the others refuse it.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { TSchema } from "@sinclair/typebox";
import { MODELS } from "../../src/models/catalog.ts";
import { imagesFor, type Model, paramsFor, pathOf } from "../../src/models/model.ts";
import { choicesOf } from "../../src/models/parameters.ts";
import type { Tool } from "../../src/models/tool.ts";
import { validateParams } from "../../src/models/validate.ts";
import type { Generation } from "../../src/ports.ts";
import { inputOf as falInput } from "../../src/providers/fal/input.ts";
import { inputOf as higgsfieldInput } from "../../src/providers/higgsfield/input.ts";
import { v1InputOf } from "../../src/providers/higgsfield/v1-input.ts";
import { buildRequest } from "../../src/providers/replicate/input.ts";
import { faultsOf, modelAt } from "../emulators/higgsfield-models.ts";

/** By path, which begins with the provider. `*` marks what is required. */
const FIELDS: readonly [RegExp, string][] = [
  [/^higgsfield nano-banana$/, "prompt* num_images aspect_ratio input_images output_format"],
  [/^higgsfield higgsfield-ai\/soul\/standard$/, "prompt* batch_size resolution aspect_ratio enhance_prompt seed"],
  [
    /^higgsfield higgsfield-ai\/soul\/reference$/,
    "prompt* image_reference_url* style_id style_strength batch_size resolution aspect_ratio seed enhance_prompt",
  ],
  [
    /^higgsfield higgsfield-ai\/dop\/(lite|turbo|standard)$/,
    "prompt* image_url* end_image_url motions seed enhance_prompt",
  ],
  [/^higgsfield higgsfield-ai\/popcorn\/auto$/, "prompt* image_urls num_images resolution"],
  [/^higgsfield flux-pro\/kontext\/max\/text-to-image$/, "prompt* aspect_ratio seed safety_tolerance"],
  [/^higgsfield reve\/text-to-image$/, "prompt* num_images"],
  [/^higgsfield reve\/(fast\/)?edit$/, "prompt* image_url* num_images"],
  [/^higgsfield reve\/(fast\/)?remix$/, "prompt* image_urls* num_images"],
  [/^higgsfield bytedance\/seedance\/v1\/(lite|pro\/fast)\/text-to-video$/, "prompt* duration resolution camera_fixed"],
  [
    /^higgsfield bytedance\/seedance\/v1\/(lite|pro\/fast)\/image-to-video$/,
    "prompt* image_url* duration resolution camera_fixed",
  ],
  [/^higgsfield kling-video\/v2\.6\/pro\/text-to-video$/, "prompt* duration cfg_scale sound aspect_ratio"],
  [/^higgsfield kling-video\/v2\.6\/pro\/image-to-video$/, "prompt* image_url* duration cfg_scale sound"],
  [
    /^higgsfield kling-video\/(v2\.1\/(master|standard)|v2\.5-turbo\/pro)\/text-to-video$/,
    "prompt* duration cfg_scale negative_prompt",
  ],
  [
    /^higgsfield kling-video\/(v2\.1\/(master|pro|standard)|v2\.5-turbo\/pro)\/image-to-video$/,
    "prompt* image_url* duration cfg_scale negative_prompt",
  ],
  [/^higgsfield veo3\.1(\/fast)?$/, "prompt* duration resolution generate_audio"],
  [/^higgsfield veo3\.1(\/fast)?\/image-to-video$/, "prompt* image_url* duration resolution generate_audio"],
  [/^higgsfield sora-2\/text-to-video(\/pro)?$/, "prompt* duration resolution"],
  [/^higgsfield sora-2\/image-to-video(\/pro)?$/, "prompt* image_url* duration resolution"],
  [
    /^higgsfield minimax\/hailuo-(02|2\.3)\/(pro|standard)\/text-to-video$/,
    "prompt* duration resolution prompt_optimizer",
  ],
  [
    /^higgsfield minimax\/hailuo-(02|2\.3|2\.3-fast)\/(pro|standard)\/image-to-video$/,
    "prompt* image_url* duration resolution prompt_optimizer",
  ],
  [/^higgsfield wan-25-preview\/text-to-video$/, "prompt* audio_url duration resolution seed"],
  [/^higgsfield wan-25-preview\/image-to-video$/, "prompt* image_url* audio_url duration resolution seed"],
  [
    /^higgsfield_v1 v1\/text2image\/soul$/,
    "prompt* width_and_height quality batch_size style_id style_strength image_reference enhance_prompt seed",
  ],
  [/^higgsfield_v1 v1\/image2video\/dop$/, "prompt* model input_images* motions enhance_prompt seed"],
  [/^replicate bytedance\/seedream-4$/, "prompt* image_input size aspect_ratio"],
  [
    /^replicate black-forest-labs\/flux-schnell$/,
    "prompt* aspect_ratio num_outputs num_inference_steps seed output_format output_quality go_fast megapixels",
  ],
  [/^replicate bytedance\/seedance-1-lite$/, "prompt* image duration resolution aspect_ratio camera_fixed seed"],
  [
    /^fal fal-ai\/flux-pro\/kontext\/text-to-image$/,
    "prompt* aspect_ratio num_images guidance_scale safety_tolerance output_format seed",
  ],
  [
    /^fal fal-ai\/flux-pro\/kontext$/,
    "prompt* image_url* aspect_ratio num_images guidance_scale safety_tolerance output_format seed",
  ],
  [/^fal fal-ai\/veo3\.1\/fast$/, "prompt* aspect_ratio duration resolution generate_audio"],
  [/^fal fal-ai\/veo3\.1\/fast\/image-to-video$/, "prompt* image_url* aspect_ratio duration resolution generate_audio"],
];

const SENT: Record<Model["provider"], (generation: Generation) => Record<string, unknown>> = {
  higgsfield: higgsfieldInput,
  higgsfield_v1: (generation) => v1InputOf(generation, "secret").params,
  fal: falInput,
  replicate: (generation) => {
    const built = buildRequest(generation);
    assert.ok(built.ok);
    return built.request.body.input;
  },
};

/** Some value that this schema allows. */
const example = (schema: TSchema): unknown => {
  const [choice] = choicesOf(schema);
  if (choice !== undefined) return choice;
  if (schema.type === "string") return schema.pattern ? "https://files.example.com/a.wav" : "words";
  if (schema.type === "array") return [{ id: "7077cde8", strength: 0.5 }];
  if (schema.type === "boolean") return true;
  return schema.maximum;
};

/** The body that leaves for `params`, with so many images. */
const bodyOf = (model: Model, tool: Tool, params: unknown, images: number) => {
  const valid = validateParams(model, params);
  assert.ok(valid.ok, `${model.key}: ${JSON.stringify(valid)}`);
  return SENT[model.provider]({
    attempt: "00000000-0000-0000-0000-000000000000",
    model: pathOf(model, tool),
    tool,
    prompt: "a fox",
    params: paramsFor(model, tool, valid.value),
    inputs: Array.from({ length: images }, (_, n) => `https://files.example.com/${n}.png`),
    deadline: 0,
    webhook: null,
  });
};

describe("what is sent", () => {
  for (const model of MODELS) {
    for (const tool of model.tools) {
      it(`for ${model.key}, ${tool}, are fields that its path knows, and those that it needs`, () => {
        const path = `${model.provider} ${pathOf(model, tool)}`;
        const known = FIELDS.filter(([pattern]) => pattern.test(path));
        assert.equal(known.length, 1, `${path} is documented once`);
        const fields = known[0]?.[1].split(" ") ?? [];
        const names = fields.map((field) => field.replace("*", ""));
        const { min, max } = imagesFor(model, tool);
        const { properties } = model.parameters;
        const everything = Object.fromEntries(Object.entries(properties).map(([name, of]) => [name, example(of)]));
        for (const [params, images] of [
          [{}, min],
          [everything, max],
        ] as const) {
          const body = bodyOf(model, tool, params, images);
          assert.deepEqual(
            Object.keys(body).filter((name) => !names.includes(name)),
            [],
            "nothing that it does not know",
          );
          for (const field of fields.filter((each) => each.endsWith("*"))) {
            assert.ok(body[field.slice(0, -1)], `${field} is there`);
          }
          if (images > 0) assert.ok(JSON.stringify(body).includes(`https://files.example.com/${images - 1}.png`));
          if (model.provider !== "higgsfield") continue;
          const emulated = modelAt(pathOf(model, tool));
          assert.ok(emulated, `${path} is emulated`);
          assert.deepEqual(faultsOf(emulated, body), []);
        }
      });
    }
  }

  it("leaves out what one path of a model knows and the other does not", () => {
    const kling = MODELS.find(({ key }) => key === "kling") as Model;
    const params = { aspect_ratio: "9:16" };
    assert.equal(bodyOf(kling, "text_to_video", params, 0).aspect_ratio, "9:16");
    assert.ok(!("aspect_ratio" in bodyOf(kling, "image_to_video", params, 1)));
  });

  it("leaves what has no default to the provider", () => {
    const veo = MODELS.find(({ key }) => key === "veo") as Model;
    assert.deepEqual(bodyOf(veo, "text_to_video", {}, 0), { prompt: "a fox" });
  });
});
