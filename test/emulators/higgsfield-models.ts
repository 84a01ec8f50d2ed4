import { type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

const { Array: list, Boolean: flag, Integer: int, Number: number, Object: object, Optional: maybe } = Type;
const text = () => Type.String({ minLength: 1 });
const oneOf = (...values: (string | number)[]) => Type.Union(values.map((value) => Type.Literal(value)));
const url = () => Type.String({ pattern: "^https?://" });
const image = () => object({ type: Type.Literal("image_url"), image_url: url() });
const seed = () => int({ minimum: 1, maximum: 1_000_000 });
const prompt = { prompt: text() };
const soul = {
  style_id: maybe(text()),
  style_strength: maybe(number({ minimum: 0, maximum: 1 })),
  enhance_prompt: maybe(flag()),
  seed: maybe(seed()),
};
const v1 = (params: Record<string, TSchema>) =>
  object({ params: object(params), webhook: maybe(object({ url: url(), secret: text() })) });

/** `kind` is what comes out; `count` the field with the number of pictures. */
export type EmulatedModel = { kind: "image" | "video"; count?: string; schema: TSchema };

const picture = (fields: Record<string, TSchema>, count = "num_images"): EmulatedModel => ({
  kind: "image",
  count,
  schema: object({ ...prompt, num_images: maybe(int({ minimum: 1, maximum: 4 })), ...fields }),
});
const video = (fields: Record<string, TSchema>): EmulatedModel => ({
  kind: "video",
  schema: object({ ...prompt, ...fields }),
});

/**
 * Paths and inputs. Types differ from model to model as they do at Higgsfield; fields that are not named are let
 * through. Where its pages disagree (the resolutions of `soul/standard`) both are taken.
 */
const MODELS: readonly [RegExp, EmulatedModel][] = [
  [
    /^nano-banana(-pro)?$/,
    picture({
      aspect_ratio: maybe(text()),
      input_images: maybe(list(image(), { maxItems: 8 })),
      output_format: maybe(oneOf("jpeg", "png")),
    }),
  ],
  [
    /^higgsfield-ai\/soul\/(v2\/)?standard$/,
    picture(
      { ...soul, resolution: maybe(oneOf("720p", "1080p", "2K", "4K")), batch_size: maybe(oneOf(1, 4)) },
      "batch_size",
    ),
  ],
  [
    /^higgsfield-ai\/soul\/reference$/,
    picture(
      {
        ...soul,
        image_reference_url: url(),
        resolution: maybe(oneOf("720p", "1080p")),
        batch_size: maybe(oneOf(1, 4)),
      },
      "batch_size",
    ),
  ],
  [
    /^higgsfield-ai\/dop\/(lite|turbo|standard)$/,
    video({
      image_url: url(),
      end_image_url: maybe(url()),
      motions: maybe(list(object({ id: text(), strength: number({ minimum: 0, maximum: 1 }) }), { maxItems: 2 })),
      seed: maybe(seed()),
      enhance_prompt: maybe(flag()),
    }),
  ],
  [
    /^higgsfield-ai\/popcorn\/auto$/,
    picture({ image_urls: maybe(list(url())), resolution: maybe(oneOf("720p", "1600p")) }),
  ],
  [/^flux-pro\/kontext\/max\/text-to-image$/, picture({ seed: maybe(int()), safety_tolerance: maybe(int()) })],
  [/^reve\/text-to-image$/, picture({})],
  [/^reve\/(fast\/)?edit$/, picture({ image_url: url() })],
  [/^reve\/(fast\/)?remix$/, picture({ image_urls: list(url(), { minItems: 1 }) })],
  [/^(bytedance\/seedream\/v4\/text-to-image|xai\/grok-imagine-image-2\.0)$/, picture({})],
  [
    /^bytedance\/seedance\/v1\/(lite|pro\/fast)\/(text|image)-to-video$/,
    video({ duration: maybe(int()), resolution: maybe(oneOf("480", "720", "1080")), camera_fixed: maybe(flag()) }),
  ],
  [/^bytedance\/seedance-2\.5\/(text-to-video|image-to-video|reference-to-video|video-edit|video-extend)$/, video({})],
  [
    /^kling-video\/v[\d.]+(-turbo)?\/(master|pro|standard)\/text-to-video$/,
    video({ duration: maybe(oneOf(5, 10)), cfg_scale: maybe(number()) }),
  ],
  [
    /^kling-video\/v[\d.]+(-turbo)?\/(master|pro|standard)\/image-to-video$/,
    video({ image_url: url(), duration: maybe(oneOf(5, 10)), cfg_scale: maybe(number()) }),
  ],
  [
    /^veo3\.1(\/fast)?(\/image-to-video|\/first-last-frame-to-video|\/reference-to-video)?$/,
    video({ duration: maybe(oneOf("4", "6", "8")), resolution: maybe(oneOf("720", "1080")) }),
  ],
  [/^sora-2\/(text|image)-to-video(\/pro)?$/, video({ duration: maybe(oneOf(4, 8, 12)) })],
  [
    /^minimax\/hailuo-(02|2\.3|2\.3-fast)\/(pro|standard)\/(text|image)-to-video$/,
    video({ duration: maybe(oneOf(6, 10)), resolution: maybe(oneOf("512P", "768P")) }),
  ],
  [/^wan-25-preview\/(text|image)-to-video$/, video({ duration: maybe(oneOf(5, 10)) })],
  [
    /^v1\/text2image\/(soul|keyframes)$/,
    {
      kind: "image",
      count: "batch_size",
      schema: v1({ ...prompt, ...soul, batch_size: maybe(oneOf(1, 4)), image_reference: maybe(image()) }),
    },
  ],
  [
    /^v1\/image2video\/dop$/,
    {
      kind: "video",
      schema: v1({
        ...prompt,
        model: oneOf("dop-lite", "dop-turbo", "dop-standard"),
        input_images: list(image(), { minItems: 1 }),
      }),
    },
  ],
  [
    /^v1\/speak\/higgsfield$/,
    {
      kind: "video",
      schema: v1({
        ...prompt,
        input_image: image(),
        input_audio: object({ type: Type.Literal("audio_url"), audio_url: url() }),
      }),
    },
  ],
];

export const modelAt = (path: string): EmulatedModel | undefined => MODELS.find(([pattern]) => pattern.test(path))?.[1];

/** FastAPI's list of what is wrong, empty when nothing is. */
export const faultsOf = ({ schema }: EmulatedModel, body: unknown) =>
  [...Value.Errors(schema, body)].map(({ path, message, value }) => ({
    loc: ["body", ...path.split("/").slice(1)],
    msg: value === undefined ? "Field required" : message,
    type: value === undefined ? "missing" : "value_error",
    input: value ?? null,
  }));
