import { bytesOf, mix } from "./colour.ts";
import type { Raster } from "./ink.ts";
import type { Stage } from "./stage.ts";

/** How a bank of clouds looks: `cover` 0 (none) to 1 (overcast), `stretch` how much wider than high its features are. */
export type CloudLook = { cover: number; stretch: number; lit: string; dark: string; opacity: number; grain?: number };

const clamp = (value: number) => Math.max(0, Math.min(1, value));

/**
 * Clouds as pixels: warped fractal noise, lit from above by comparing each place with the one above it.
 * 144 × 96 pixels are enough for soft things, and cost about 8 ms.
 */
export const cloudRaster = ({ noise, random }: Stage, look: CloudLook): Raster => {
  const [width, height] = [144, 96];
  const [dx, dy] = [random.between(0, 200), random.between(0, 200)];
  const scale = look.grain ?? 3;
  const thickness = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const u = dx + (x / width) * scale * 1.5;
      const v = dy + (y / height) * scale * look.stretch;
      const bend = noise.cloudy(u * 0.7 + 40, v * 0.7, 2) - 0.5;
      const density = noise.cloudy(u + bend * 1.6, v + bend * 0.9, 4);
      thickness[y * width + x] = clamp((density - (0.74 - look.cover * 0.42)) * 4.2);
    }
  }
  const [lit, dark] = [bytesOf(look.lit), bytesOf(look.dark)];
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    // Fades out at the upper and lower edge, so that a bank never ends in a line.
    const edge = Math.sin(Math.PI * clamp((y + 0.5) / height)) ** 0.7;
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const here = thickness[i] as number;
      const above = thickness[Math.max(0, y - 5) * width + Math.min(width - 1, x + 3)] as number;
      const light = clamp(0.62 + (here - above) * 0.9 - here * 0.18);
      for (let c = 0; c < 3; c++)
        data[i * 4 + c] = (dark[c] as number) + ((lit[c] as number) - (dark[c] as number)) * light;
      data[i * 4 + 3] = 255 * look.opacity * here * edge;
    }
  }
  return { width, height, data };
};

/** Clouds that suit the stage's light, filling the sky from `top` to `bottom`; they drift a little. */
export const skyClouds = (stage: Stage, top: number, bottom: number, cover: number) => {
  const { ink, palette, width } = stage;
  const horizon = palette.sky[palette.sky.length - 1] as string;
  const lit = palette.dark ? mix(palette.haze, palette.light, 0.25) : mix(palette.light, horizon, 0.25);
  const dark = mix(palette.haze, palette.sky[Math.min(1, palette.sky.length - 1)] as string, 0.55);
  const look = { cover, stretch: 3.2, lit, dark, opacity: palette.dark ? 0.55 : 0.9 };
  const margin = width * 0.08;
  return ink.raster(cloudRaster(stage, look), -margin, top, width + margin * 2, bottom - top);
};
