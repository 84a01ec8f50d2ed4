import { bytesOf } from "./colour.ts";
import type { Raster } from "./ink.ts";
import type { Point } from "./shapes.ts";
import type { Stage } from "./stage.ts";

/** Colours of a rock face in light and in shadow, and of the snow on it. `snow` is how far down it lies, 0 to 1. */
export type ReliefLook = { lit: string; dark: string; snowLit: string; snowDark: string; snow: number; from: 1 | -1 };

type Rgb = [number, number, number];

/** How far above the crest pixels are made, so that none is missing at its edge. */
const BEYOND = -0.06;

const clamp = (value: number) => Math.max(0, Math.min(1, value));

/**
 * The face of a mountain as pixels: gullies run down from the crest, the side towards the light
 * (`from` 1 is the right) is bright. `line` is the crest, within `top` and `bottom`. About 20 ms.
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
  const crests = Float32Array.from({ length: width }, (_, x) => crestAt(x / (width - 1)));
  const fold = (x: number, y: number) => 1 - Math.abs(noise.plane(x, y) * 2 - 1);
  const forms = new Float32Array(width * height);
  for (let x = 0; x < width; x++) {
    const u = x / (width - 1);
    for (let y = 0; y < height; y++) {
      const v = y / (height - 1);
      const depth = v - (crests[x] as number);
      if (depth < BEYOND) continue;
      // Gullies fan out downwards, so they lean the more the deeper they are.
      const lean = (noise.plane(start + u * 5, v * 4) - 0.5) * 0.9 + (u - 0.5) * depth * 2;
      const across = start + u * 9 + lean;
      forms[y * width + x] =
        fold(across, v * 2.6) * 0.5 +
        fold(across * 2.3 + 11, v * 6 - depth) * 0.28 +
        fold(across * 5.1 + 5, v * 15) * 0.16 +
        noise.plane(across * 11, v * 34) * 0.1;
    }
  }
  const tones = [look.lit, look.dark, look.snowLit, look.snowDark].map(bytesOf) as Rgb[];
  const [lit, dark, snowLit, snowDark] = [tones[0], tones[1], tones[2], tones[3]] as [Rgb, Rgb, Rgb, Rgb];
  const data = new Uint8Array(width * height * 4);
  for (let x = 0; x < width; x++) {
    const u = x / (width - 1);
    const towards = Math.max(0, Math.min(width - 1, x + look.from));
    // A broad slope of the crest itself turns a whole flank to the light or away from it.
    const flank = (crestAt(clamp(u + 0.02)) - crestAt(clamp(u - 0.02))) * look.from * 5;
    for (let y = 0; y < height; y++) {
      const depth = y / (height - 1) - (crests[x] as number);
      if (depth < BEYOND) continue;
      const here = forms[y * width + x] as number;
      const rise = (forms[y * width + towards] || here) - here;
      const light = clamp(0.45 - rise * 5.5 + flank);
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
