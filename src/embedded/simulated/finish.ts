import { Buffer } from "node:buffer";
import sharp, { type Sharp } from "sharp";
import { createRandom } from "./drawing/random.ts";

const GRAIN = 128;
const GRAIN_STRENGTH = 12;
/** Light above this (0 to 255) spills over. */
const BLOOM_FROM = 168;

/** A tile of film grain around middle grey, for a soft-light blend. The same for every picture. */
const grain = (): Buffer => {
  const random = createRandom(7);
  const data = Buffer.alloc(GRAIN * GRAIN * 3);
  for (let i = 0; i < GRAIN * GRAIN; i++) {
    const value = 128 + random.bell() * GRAIN_STRENGTH * 2;
    data.fill(value, i * 3, i * 3 + 3);
  }
  return data;
};

/** Bright places, blurred: what a lens makes of them. An eighth of the size is enough. */
const bloom = async (picture: Buffer, width: number, height: number): Promise<Buffer> => {
  const [w, h] = [Math.ceil(width / 8), Math.ceil(height / 8)];
  const small = await sharp(picture, { raw: { width, height, channels: 3 } })
    .resize(w, h, { fit: "fill" })
    .raw()
    .toBuffer();
  for (let i = 0; i < small.length; i++) {
    const over = Math.max(0, (small[i] as number) - BLOOM_FROM);
    small[i] = Math.min(255, over * 1.15);
  }
  const blurred = await sharp(small, { raw: { width: w, height: h, channels: 3 } })
    .blur(3.2)
    .raw()
    .toBuffer();
  return sharp(blurred, { raw: { width: w, height: h, channels: 3 } })
    .resize(width, height, { fit: "fill", kernel: "cubic" })
    .raw()
    .toBuffer();
};

export type Film = { width: number; height: number; monochrome: boolean };

/**
 * Makes a function that rasterises an SVG document of this size in pixels (128 or more each way) and develops
 * it: highlights bloom, grain keeps gradients from banding. Gives an image without alpha, ready to be encoded.
 */
export const createFinish = ({ width, height, monochrome }: Film) => {
  const raw = { width, height, channels: 3 } as const;
  const tile = { input: grain(), raw: { width: GRAIN, height: GRAIN, channels: 3 }, tile: true } as const;
  return async (svg: Buffer): Promise<Sharp> => {
    const picture = await sharp(svg)
      .flatten({ background: "#000000" })
      .modulate({ saturation: monochrome ? 0 : 1 })
      .raw()
      .toBuffer();
    const light = await bloom(picture, width, height);
    return sharp(picture, { raw })
      .composite([
        { input: light, raw, blend: "screen" },
        { ...tile, blend: "soft-light" },
      ])
      .removeAlpha();
  };
};
