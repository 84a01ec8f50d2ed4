import { bytesOf } from "./colour.ts";
import type { Raster } from "./ink.ts";
import type { Point } from "./shapes.ts";
import type { Stage } from "./stage.ts";

/** Colours of a rock face in light and in shadow, and of the snow on it. `snow` is how far down it lies, 0 to 1. */
export type ReliefLook = { lit: string; dark: string; snowLit: string; snowDark: string; snow: number; from: 1 | -1 };

type Rgb = [number, number, number];

const clamp = (value: number) => Math.max(0, Math.min(1, value));

/**
 * The face of a mountain as pixels: gullies run down from the crest, the side towards the light
 * (`from` 1 is the right) is bright. `depthAt(u, v)` is how far below the crest a place is, in 0..1 of the
 * raster's height. About 12 ms.
 */
export const reliefRaster = (
  { noise, random }: Stage,
  line: readonly Point[],
  top: number,
  bottom: number,
  look: ReliefLook,
): Raster => {
  const [width, height] = [270, 130];
  const start = random.between(0, 100);
  const span = bottom - top;
  const crestAt = (u: number) => ((line[Math.round(u * (line.length - 1))] as Point)[1] - top) / span;
  // Gullies widen downwards: the deeper below the crest, the coarser the noise.
  const fold = (x: number, y: number) => 1 - Math.abs(noise.plane(x, y) * 2 - 1);
  const form = (u: number, v: number, depth: number) => {
    const lean = (noise.plane(start + u * 5, v * 4) - 0.5) * 1.6 + (u - 0.5) * depth * 2;
    const x = start + u * 9 + lean;
    return (
      fold(x, v * 2.6) * 0.5 +
      fold(x * 2.3 + 11, v * 6 - depth) * 0.28 +
      fold(x * 5.1 + 5, v * 15) * 0.16 +
      noise.plane(x * 11, v * 34) * 0.1
    );
  };
  const tones = [look.lit, look.dark, look.snowLit, look.snowDark].map(bytesOf) as Rgb[];
  const [lit, dark, snowLit, snowDark] = [tones[0], tones[1], tones[2], tones[3]] as [Rgb, Rgb, Rgb, Rgb];
  const data = new Uint8Array(width * height * 4);
  const step = 0.005;
  for (let x = 0; x < width; x++) {
    const u = x / (width - 1);
    const crest = crestAt(u);
    // A broad slope of the crest itself turns a whole flank to the light or away from it.
    const flank = (crestAt(clamp(u + 0.02)) - crestAt(clamp(u - 0.02))) * look.from * 5;
    for (let y = 0; y < height; y++) {
      const v = y / (height - 1);
      const depth = v - crest;
      if (depth < -0.06) continue;
      const here = form(u, v, depth);
      const light = clamp(0.45 + (form(u + step * look.from, v, depth) - here) * -4.2 + flank);
      const cover = clamp((look.snow - depth * 1.15 + (here - 0.5) * 1.9) * 7);
      const i = (y * width + x) * 4;
      for (let c = 0; c < 3; c++) {
        const rock = (dark[c] as number) + ((lit[c] as number) - (dark[c] as number)) * light;
        const snow = (snowDark[c] as number) + ((snowLit[c] as number) - (snowDark[c] as number)) * clamp(light * 1.35);
        data[i + c] = rock + (snow - rock) * cover;
      }
      data[i + 3] = 255;
    }
  }
  return { width, height, data };
};
