import { Buffer } from "node:buffer";
import sharp from "sharp";
import { type Asset, createInk } from "./drawing/ink.ts";
import { createNoise } from "./drawing/noise.ts";
import { createRandom, hashOf } from "./drawing/random.ts";
import type { Stage } from "./drawing/stage.ts";
import { finish } from "./finish.ts";
import { isVideo, type Plan } from "./plan.ts";
import { readPrompt } from "./prompt/reading.ts";
import { SCENES } from "./scenes/families.ts";

export type Media = { bytes: Buffer; mime: string };

/** What a picture is made from. The same three give the same bytes, always. */
export type Order = Pick<Plan, "prompt" | "seed" | "width" | "height" | "tool">;

const UNIT = 1024;
const FRAMES = 16;
const FRAME_MS = 125;
/** Assets are soft: a seventh of the picture's resolution loses nothing. */
const SOFT_SCALE = 7;

const stageOf = (order: Order, index: number): Stage => {
  const scale = UNIT / Math.sqrt(order.width * order.height);
  const [width, height] = [order.width * scale, order.height * scale];
  const random = createRandom(hashOf(`${order.prompt}/${order.seed}/${index}`));
  const reading = readPrompt(order.prompt, random.fork("reading"));
  const noise = createNoise(random.fork("noise"));
  return { width, height, unit: UNIT, random, noise, palette: reading.palette, reading, ink: createInk(width, height) };
};

const documentOf = (body: string, view: { width: number; height: number }, width: number, height: number) =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${view.width} ${view.height}" width="${width}" height="${height}" preserveAspectRatio="none">${body}</svg>`,
  );

const pngOf = async (asset: Asset, { width, height, ink }: Stage): Promise<string> => {
  const png = { compressionLevel: 1 };
  if ("raster" in asset) {
    const { data, ...size } = asset.raster;
    return (
      await sharp(data, { raw: { ...size, channels: 4 } })
        .png(png)
        .toBuffer()
    ).toString("base64");
  }
  const [w, h] = [Math.round(width / SOFT_SCALE), Math.round(height / SOFT_SCALE)];
  const drawn = sharp(documentOf(ink.defs() + asset.svg, { width, height }, w, h));
  return (
    await drawn
      .blur(Math.max(0.4, asset.blur / SOFT_SCALE))
      .png(png)
      .toBuffer()
  ).toString("base64");
};

/** The picture as a function from a moment to an SVG document of `order`'s size. */
const compose = async (order: Order, index: number) => {
  const stage = stageOf(order, index);
  const draw = SCENES[stage.reading.family](stage);
  const assets = await Promise.all(stage.ink.assets.map((asset) => pngOf(asset, stage)));
  const defs = stage.ink.defs();
  const { monochrome } = stage.reading;
  const { width, height } = order;
  return (phase: number) => {
    const body = draw(phase).replace(/asset:(\d+):/g, (_, i: string) => `data:image/png;base64,${assets[Number(i)]}`);
    return finish(documentOf(defs + body, stage, width, height), { width, height, monochrome });
  };
};

/**
 * Draws output `index` of `order`: a JPEG, or for video tools an animated WebP that loops. Stops between
 * frames with the signal's reason when `signal` aborts.
 */
export const renderMedia = async (order: Order, index: number, signal: AbortSignal): Promise<Media> => {
  signal.throwIfAborted();
  const at = await compose(order, index);
  if (!isVideo(order.tool)) {
    const bytes = await (await at(0)).jpeg({ quality: 88 }).toBuffer();
    return { bytes, mime: "image/jpeg" };
  }
  const frames: Buffer[] = [];
  for (let i = 0; i < FRAMES; i++) {
    signal.throwIfAborted();
    frames.push(await (await at(i / FRAMES)).raw().toBuffer());
  }
  const { width, height } = order;
  const raw = { width, height: height * FRAMES, channels: 3, pageHeight: height } as const;
  const film = sharp(Buffer.concat(frames), { raw });
  const bytes = await film.webp({ quality: 74, effort: 1, loop: 0, delay: frames.map(() => FRAME_MS) }).toBuffer();
  return { bytes, mime: "image/webp" };
};
