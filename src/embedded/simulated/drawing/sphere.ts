import { along, bytesOf } from "./colour.ts";
import type { Raster } from "./ink.ts";
import type { Stage } from "./stage.ts";

/** `tones` from low to high ground; `banded` makes a gas giant; `light` points to the sun, in view space. */
export type SphereLook = {
  tones: readonly string[];
  banded: boolean;
  light: readonly [number, number, number];
  rim: string;
  pixels?: number;
};

const clamp = (value: number) => Math.max(0, Math.min(1, value));

/** A lit ball with a noisy surface and a thin atmosphere; 4 % of margin on each side. About 20 ms at 190 pixels. */
export const sphereRaster = ({ noise, random }: Stage, look: SphereLook): Raster => {
  const size = look.pixels ?? 190;
  const ramp = Array.from({ length: 64 }, (_, i) => bytesOf(along(look.tones, i / 63)));
  const rim = bytesOf(look.rim);
  const start = random.between(0, 100);
  const lean = random.between(-0.5, -0.2);
  const length = Math.hypot(...look.light);
  const [lx, ly, lz] = look.light.map((part) => part / length) as [number, number, number];
  const data = new Uint8Array(size * size * 4);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const x = ((column + 0.5) / size - 0.5) * 2.08;
      const y = ((row + 0.5) / size - 0.5) * 2.08;
      const away = Math.hypot(x, y);
      const inside = clamp(((1 - away) * size) / 2.08 + 0.5);
      if (inside === 0) continue;
      const z = Math.sqrt(Math.max(0, 1 - away * away));
      const across = x * Math.cos(lean) - y * Math.sin(lean);
      const up = x * Math.sin(lean) + y * Math.cos(lean);
      const turn = Math.atan2(across, z + 0.001) * 1.3;
      let ground: number;
      if (look.banded) {
        const warp = noise.cloudy(start + turn * 2.2, up * 5, 3) - 0.5;
        ground =
          noise.cloudy(start + 7 + turn * 0.35, (up + warp * 0.13) * 8.5, 2) * 0.75 +
          noise.cloudy(start + turn * 4, up * 16 + warp * 4, 2) * 0.25;
      } else {
        const warp = noise.cloudy(start + turn * 1.4, up * 1.8, 3) - 0.5;
        ground = noise.cloudy(start + turn * 2.1 + warp * 1.5, up * 2.8 + warp, 5);
      }
      const sun = x * lx + y * ly + z * lz;
      const day = clamp(sun * 1.15 + 0.12) ** 1.15;
      const air = (1 - z) ** 3 * clamp(sun + 0.35) * 1.1;
      const tone = ramp[Math.round(clamp((ground - 0.22) * 1.75) * 63)] as [number, number, number];
      const i = (row * size + column) * 4;
      for (let c = 0; c < 3; c++)
        data[i + c] = Math.min(255, (tone[c] as number) * (0.03 + day * 1.08) + (rim[c] as number) * air);
      data[i + 3] = inside * 255;
    }
  }
  return { width: size, height: size, data };
};
