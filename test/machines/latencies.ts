/** Completion times of generations, ms, in the shapes that were seen at providers; all from one seed. */
export type Latency = () => number;

/** A uniform source in [0, 1): mulberry32. */
export const seeded = (seed: number) => {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

/** Lognormal by its median and the deviation of its logarithm, within bounds; seconds in, ms out. */
const lognormal =
  (uniform: () => number, median: number, sigma: number, least: number, most: number): Latency =>
  () => {
    for (;;) {
      const normal = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
      const seconds = median * Math.exp(sigma * normal);
      if (seconds >= least && seconds <= most) return Math.round(seconds * 1000);
    }
  };

/** Images were measured from 5 to 138 s; a video takes minutes; a cold model adds its start to some. */
export const latencies = (uniform: () => number): Record<"image" | "video" | "bimodal" | "wideVideo", Latency> => {
  const warm = lognormal(uniform, 8, 0.2, 3, 60);
  const cold = lognormal(uniform, 75, 0.15, 30, 180);
  return {
    image: lognormal(uniform, 26, 0.66, 5, 138),
    video: lognormal(uniform, 150, 0.25, 60, 600),
    bimodal: () => (uniform() < 0.7 ? warm() : cold()),
    wideVideo: lognormal(uniform, 150, 0.4, 45, 900),
  };
};
