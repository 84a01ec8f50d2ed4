import type { Random } from "./random.ts";

/** Smooth randomness. Values are in 0..1; `x` and `y` may be any finite numbers, features are about 1 wide. */
export type Noise = {
  line(x: number): number;
  plane(x: number, y: number): number;
  /** Several octaves of `plane`, each twice as fine and half as strong. */
  cloudy(x: number, y: number, octaves: number): number;
  /** Several octaves of `line` folded into sharp crests. */
  ridged(x: number, octaves: number): number;
};

const ease = (t: number) => t * t * t * (t * (t * 6 - 15) + 10);

/** Value noise on a lattice of 256 seeded values. */
export const createNoise = (random: Random): Noise => {
  const values = Float32Array.from({ length: 256 }, () => random.next());
  const order = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (let i = 255; i > 0; i--) {
    const j = random.whole(0, i);
    const held = order[i] as number;
    order[i] = order[j] as number;
    order[j] = held;
  }
  const at = (x: number, y: number) => values[order[((order[x & 255] as number) + y) & 255] as number] as number;

  const plane = (x: number, y: number) => {
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [u, v] = [ease(x - left), ease(y - top)];
    const upper = at(left, top) * (1 - u) + at(left + 1, top) * u;
    const lower = at(left, top + 1) * (1 - u) + at(left + 1, top + 1) * u;
    return upper * (1 - v) + lower * v;
  };
  const line = (x: number) => plane(x, 0.5);

  return {
    line,
    plane,
    cloudy: (x, y, octaves) => {
      let [sum, weight, scale] = [0, 0, 1];
      for (let i = 0; i < octaves; i++) {
        sum += plane(x * scale + i * 17.3, y * scale + i * 9.1) / scale;
        weight += 1 / scale;
        scale *= 2;
      }
      return sum / weight;
    },
    ridged: (x, octaves) => {
      let [sum, weight, scale] = [0, 0, 1];
      for (let i = 0; i < octaves; i++) {
        sum += (1 - Math.abs(line(x * scale + i * 31.7) * 2 - 1)) / scale;
        weight += 1 / scale;
        scale *= 2.1;
      }
      return sum / weight;
    },
  };
};
