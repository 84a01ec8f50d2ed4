import { skyClouds } from "./clouds.ts";
import { fade, mix, shade } from "./colour.ts";
import type { Stop } from "./ink.ts";
import { circle, many, path, rect, stroke } from "./shapes.ts";
import { type Picture, type Stage, sway } from "./stage.ts";

export type SkyPlan = {
  /** Where the sky ends, in units from the top. */
  horizon: number;
  /** The sun or the moon; null hides it. */
  body?: { x: number; y: number; radius: number } | null;
  /** 0 (none) to 1 (overcast). */
  clouds?: number;
  stars?: boolean;
};

const gradient = (colours: readonly string[]): Stop[] => colours.map((colour, i) => [i / (colours.length - 1), colour]);

/** Stars of many sizes, denser towards the zenith; some twinkle. */
export const stars = (stage: Stage, bottom: number, density = 1): Picture => {
  const { random, width, unit, palette } = stage;
  const count = Math.round((220 * density * width * bottom) / (unit * unit * 0.6));
  const list = Array.from({ length: count }, () => {
    const size = random.next() ** 5;
    return {
      x: random.between(0, width),
      y: random.next() ** 1.25 * bottom,
      r: 0.55 + size * 2.1,
      opacity: 0.25 + random.next() * 0.55 + size * 0.2,
      beat: random.chance(0.25) ? random.next() : -1,
      colour: random.chance(0.2) ? mix(palette.glow, random.pick(palette.accents), 0.5) : palette.glow,
    };
  });
  return (phase) =>
    list
      .map(({ x, y, r, opacity, beat, colour }) => {
        const twinkle = beat < 0 ? 1 : 0.65 + 0.35 * sway(phase, beat);
        return circle(x, y, r, fade(colour, opacity * twinkle * (1 - (y / bottom) ** 3 * 0.7)));
      })
      .join("");
};

/** A disc with its halo. A moon has its maria. */
const heavenlyBody = (stage: Stage, { x, y, radius }: { x: number; y: number; radius: number }) => {
  const { ink, palette, random } = stage;
  const halo = ink.radial([
    [0, fade(palette.glow, 0.85)],
    [0.12, fade(palette.glow, 0.5)],
    [0.35, fade(mix(palette.glow, palette.haze, 0.4), 0.2)],
    [1, fade(palette.haze, 0)],
  ]);
  const disc = palette.dark
    ? ink.linear([shade(palette.glow, 0.3), mix(palette.glow, palette.haze, 0.3)], [0, 0, 1, 1])
    : ink.radial([
        [0, "#ffffff"],
        [0.7, shade(palette.glow, 0.3)],
        [1, palette.glow],
      ]);
  const spots = palette.dark
    ? many(7, () => {
        const [angle, away] = [random.between(0, 6.3), random.next() * radius * 0.66];
        const spot = random.between(0.08, 0.26) * radius;
        return circle(x + Math.cos(angle) * away, y + Math.sin(angle) * away, spot, fade(palette.haze, 0.16));
      })
    : "";
  return circle(x, y, radius * (palette.dark ? 5 : 7.5), halo) + circle(x, y, radius, disc) + spots;
};

/** Curtains of northern light. */
const aurora = (stage: Stage, horizon: number): Picture => {
  const { ink, random, width, noise } = stage;
  const colours = ["#5dffb0", "#3fe0c8", "#9b7bff"];
  const curtains = Array.from({ length: 3 }, (_, i) => {
    const colour = colours[i] as string;
    const base = horizon * random.between(0.5, 0.8);
    const rise = horizon * random.between(0.35, 0.5);
    const from = random.between(0, 50);
    const paint = ink.linear([
      [0, fade(colour, 0)],
      [0.55, fade(colour, 0.22)],
      [0.9, fade(colour, 0.6)],
      [1, fade(colour, 0)],
    ]);
    return many(64, (k) => {
      const x = (k / 62) * width * 1.1 - width * 0.05;
      const y = base + (noise.cloudy(from + k * 0.06, i * 9, 2) - 0.5) * horizon * 0.7;
      const tall = rise * (0.5 + noise.line(from + k * 0.31));
      return rect(x, y - tall, (width / 62) * 1.35, tall * 1.1, paint);
    });
  }).join("");
  const body = ink.soft(curtains, 9, `opacity="0.85"`);
  return (phase) => `<g transform="translate(${(sway(phase) * 10).toFixed(1)} 0)">${body}</g>`;
};

/** A few birds far away: two strokes each. */
export const birds = (stage: Stage, top: number, bottom: number): Picture => {
  const { random, width, palette, unit } = stage;
  const centre = random.between(width * 0.25, width * 0.75);
  const flock = Array.from({ length: random.whole(5, 9) }, () => ({
    x: centre + random.bell() * unit * 0.16,
    y: random.between(top, bottom),
    size: random.between(7, 15),
    beat: random.next(),
  }));
  const ink = fade(mix(palette.deep, palette.haze, 0.25), 0.85);
  return (phase) =>
    flock
      .map(({ x, y, size, beat }) => {
        const lift = size * (0.45 + 0.3 * sway(phase * 2, beat));
        const [px, py] = [x + sway(phase) * 8, y + sway(phase, 0.25) * 3];
        return stroke(
          `M${px - size} ${py - lift * 0.6}Q${px - size * 0.4} ${py - lift} ${px} ${py}Q${px + size * 0.4} ${py - lift} ${px + size} ${py - lift * 0.6}`,
          ink,
          size * 0.16,
        );
      })
      .join("");
};

/** The whole sky: gradient, stars, sun or moon, aurora, clouds, birds. */
export const sky = (stage: Stage, plan: SkyPlan): Picture => {
  const { ink, palette, reading, width } = stage;
  const { horizon } = plan;
  const has = (thing: Parameters<typeof reading.things.has>[0]) => reading.things.has(thing);
  const air = path(`M0 0H${width}V${horizon + 2}H0Z`, ink.linear(gradient(palette.sky)));
  const starry = (plan.stars ?? palette.dark) ? stars(stage, horizon) : () => "";
  const body = plan.body ? heavenlyBody(stage, plan.body) : "";
  const lights = has("aurora") ? aurora(stage, horizon) : () => "";
  const cover = plan.clouds ?? 0.5;
  const bank = cover > 0 ? skyClouds(stage, horizon * 0.02, horizon * 0.98, cover) : "";
  const flock = has("birds") ? birds(stage, horizon * 0.35, horizon * 0.7) : () => "";
  return (phase) =>
    air +
    starry(phase) +
    lights(phase) +
    body +
    `<g transform="translate(${(sway(phase) * width * 0.012).toFixed(1)} 0)">${bank}</g>` +
    flock(phase);
};
