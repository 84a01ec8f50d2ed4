import { Buffer } from "node:buffer";
import sharp from "sharp";
import { ASSET_MARKS, type Asset, createInk, PLATE_MARGIN } from "./drawing/ink.ts";
import { createNoise } from "./drawing/noise.ts";
import { createRandom, hashOf } from "./drawing/random.ts";
import type { Stage } from "./drawing/stage.ts";
import { createFinish } from "./finish.ts";
import { isVideo, type Plan } from "./plan.ts";
import { readPrompt } from "./prompt/reading.ts";
import { SCENES } from "./scenes/families.ts";

export type Media = { bytes: Buffer; mime: string };

/** What a picture is made from. The same order and index give the same bytes, always. */
export type Order = Pick<Plan, "prompt" | "seed" | "width" | "height" | "tool">;

const UNIT = 1024;
/** In a wide or tall picture things may be this much larger than its shorter side. */
const NARROW = 1.2;
const FRAMES = 16;
const FRAME_MS = 125;
/** Assets are soft: a seventh of the picture's resolution loses nothing. */
const SOFT_SCALE = 7;

/** Everything that picture `index` of `order` is drawn with. */
export const stageOf = (order: Order, index: number): Stage => {
  const scale = UNIT / Math.sqrt(order.width * order.height);
  const [width, height] = [order.width * scale, order.height * scale];
  const random = createRandom(hashOf(`${order.prompt}/${order.seed}/${index}`));
  const reading = readPrompt(order.prompt, random.fork("reading"));
  const noise = createNoise(random.fork("noise"));
  const unit = Math.min(UNIT, Math.min(width, height) * NARROW);
  return { width, height, unit, random, noise, palette: reading.palette, reading, ink: createInk(width, height) };
};

type Box = { x: number; y: number; width: number; height: number };

const documentOf = (body: string, { x, y, width, height }: Box, pixels: { width: number; height: number }) =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${x} ${y} ${width} ${height}" width="${pixels.width}" height="${pixels.height}" preserveAspectRatio="none">${body}</svg>`,
  );

const dataUrl = (png: Buffer) => `data:image/png;base64,${png.toString("base64")}`;

/** Makes what the picture embeds; gives the text that stands for each asset. Plates stay as they are in a still. */
const develop = (stage: Stage, order: Order): Promise<string[]> => {
  const { width, height, ink } = stage;
  const png = { compressionLevel: 1 };
  const whole = { x: 0, y: 0, width, height };
  const wide = {
    x: -PLATE_MARGIN,
    y: -PLATE_MARGIN,
    width: width + PLATE_MARGIN * 2,
    height: height + PLATE_MARGIN * 2,
  };
  const zoom = order.width / width;
  const make = async (asset: Asset): Promise<string> => {
    if ("raster" in asset) {
      const { data, ...size } = asset.raster;
      return dataUrl(
        await sharp(data, { raw: { ...size, channels: 4 } })
          .png(png)
          .toBuffer(),
      );
    }
    if ("plate" in asset) {
      if (!isVideo(order.tool)) return asset.plate;
      const pixels = { width: Math.round(wide.width * zoom), height: Math.round(wide.height * zoom) };
      const drawn = await sharp(documentOf(ink.defs() + asset.plate, wide, pixels))
        .png(png)
        .toBuffer();
      return `<image href="${dataUrl(drawn)}" x="${wide.x}" y="${wide.y}" width="${wide.width}" height="${wide.height}" preserveAspectRatio="none"/>`;
    }
    const pixels = { width: Math.round(width / SOFT_SCALE), height: Math.round(height / SOFT_SCALE) };
    const drawn = sharp(documentOf(ink.defs() + asset.svg, whole, pixels));
    return dataUrl(
      await drawn
        .blur(Math.max(0.4, asset.blur / SOFT_SCALE))
        .png(png)
        .toBuffer(),
    );
  };
  return Promise.all(ink.assets.map(make));
};

/** The picture as a function from a moment to pixels of `order`'s size. */
const compose = async (order: Order, index: number) => {
  const stage = stageOf(order, index);
  const { ink, reading, width, height } = stage;
  const draw = SCENES[reading.family](stage);
  const assets = await develop(stage, order);
  const fill = (body: string) =>
    body.replace(ASSET_MARKS, (_, plate?: string, image?: string) => assets[Number(plate ?? image)] ?? "");
  const finish = createFinish({ width: order.width, height: order.height, monochrome: reading.monochrome });
  return (phase: number) => finish(documentOf(fill(ink.defs() + draw(phase)), { x: 0, y: 0, width, height }, order));
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
