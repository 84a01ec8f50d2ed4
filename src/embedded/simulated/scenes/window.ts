import { fade, mix, shade } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { below, circle, ellipse, many, path, profile, rect } from "../drawing/shapes.ts";
import { sky } from "../drawing/sky.ts";
import { type Picture, type Stage, sway } from "../drawing/stage.ts";
import { weather } from "../drawing/weather.ts";

/** What is seen through the window: a soft landscape, or lights of a town in the dark. */
const view = (stage: Stage, horizon: number): Picture => {
  const { ink, palette, random, width, height, unit, noise } = stage;
  const air = sky(stage, {
    horizon,
    body: { x: width * random.between(0.35, 0.65), y: horizon * random.between(0.45, 0.62), radius: unit * 0.05 },
    clouds: 0.6,
  });
  const hills = [0, 1, 2]
    .map((i) => {
      const start = random.between(0, 60);
      const line = profile(
        0,
        width,
        30,
        (x) => horizon - unit * (0.02 - i * 0.035) - unit * 0.1 * noise.cloudy(start + (x / unit) * 3, 1, 3),
      );
      const tone = mix(
        mix(palette.leaf[1] as string, palette.deep, palette.dark ? 0.6 : 0.15),
        palette.haze,
        0.68 - i * 0.24,
      );
      return path(below(line, height, true), ink.linear([mix(tone, palette.glow, 0.2), tone]));
    })
    .join("");
  const lights = palette.dark
    ? many(46, () =>
        circle(
          random.between(0, width),
          horizon + random.between(-0.04, 0.12) * unit,
          random.between(4, 15),
          fade(random.pick([palette.glow, ...palette.accents]), random.between(0.12, 0.45)),
        ),
      )
    : "";
  return (phase) => air(phase) + hills + lights;
};

const curtain = (stage: Stage, x: number, wide: number, tall: number, side: number): string => {
  const { ink, palette, random } = stage;
  const cloth = mix(palette.light, palette.accents[3] as string, 0.22);
  const dim = palette.dark ? 0.6 : 0.2;
  const folds = 7;
  const lining = path(
    `M${n(x)} -5H${n(x - side * wide * 0.94)}L${n(x - side * wide * 0.7)} ${n(tall)}H${n(x)}Z`,
    mix(shade(cloth, -0.2), palette.deep, dim),
  );
  return (
    lining +
    many(folds, (i) => {
      const w = wide / folds;
      const left = side < 0 ? x + i * w : x - (i + 1) * w;
      const sweep = side * (i / folds) * wide * 0.3 + random.bell() * 3;
      const tone = mix(mix(cloth, palette.deep, dim), palette.glow, 0.12 + (i / folds) * 0.22);
      const paint = ink.linear(
        [
          [0, shade(tone, -0.22)],
          [0.45, shade(tone, 0.12)],
          [1, shade(tone, -0.18)],
        ],
        [0, 0, 1, 0],
      );
      return path(
        `M${n(left)} -5H${n(left + w + 1)}C${n(left + w)} ${n(tall * 0.4)} ${n(left + w - sweep * 0.4)} ${n(tall * 0.7)} ${n(left + w - sweep)} ${n(tall)}H${n(left - sweep - 1)}C${n(left - sweep * 0.4)} ${n(tall * 0.7)} ${n(left)} ${n(tall * 0.4)} ${n(left)} -5Z`,
        paint,
      );
    })
  );
};

/** A pot with leaves that reach for the light. */
const plant = (stage: Stage, x: number, y: number, size: number): Picture => {
  const { ink, palette, random } = stage;
  const clay = mix(palette.accents[0] as string, palette.deep, palette.dark ? 0.4 : 0.15);
  const pot =
    path(
      `M${n(x - size * 0.24)} ${n(y - size * 0.42)}H${n(x + size * 0.24)}L${n(x + size * 0.17)} ${n(y)}H${n(x - size * 0.17)}Z`,
      ink.linear([shade(clay, 0.2), clay, shade(clay, -0.4)], [0, 0, 1, 0]),
    ) + rect(x - size * 0.27, y - size * 0.48, size * 0.54, size * 0.1, shade(clay, 0.08), `rx="3"`);
  const leaves = Array.from({ length: 15 }, (_, i) => ({
    angle: -158 + i * 9.8 + random.bell() * 8,
    long: size * random.between(0.5, 0.95),
    beat: random.next(),
    tone: mix(
      mix(palette.leaf[random.whole(0, 2)] as string, palette.deep, palette.dark ? 0.5 : 0.12),
      palette.glow,
      random.between(0, 0.15),
    ),
  }));
  return (phase) =>
    leaves
      .map(
        ({ angle, long, beat, tone }) =>
          `<path transform="translate(${n(x)} ${n(y - size * 0.44)}) rotate(${n(angle + sway(phase, beat) * 2)})" d="M0 0Q${n(long * 0.5)} ${n(-long * 0.2)} ${n(long)} 0Q${n(long * 0.5)} ${n(long * 0.16)} 0 0Z" fill="${tone}"/>`,
      )
      .join("") + pot;
};

const books = ({ palette, random }: Stage, x: number, y: number, size: number): string => {
  let top = y;
  return many(4, () => {
    const [w, h] = [size * random.between(0.75, 1), size * random.between(0.11, 0.17)];
    top -= h;
    const left = x + random.bell() * size * 0.05;
    const tone = mix(random.pick(palette.accents), palette.deep, palette.dark ? 0.55 : 0.25);
    return (
      rect(left, top, w, h, tone, `rx="3"`) +
      rect(left + w * 0.08, top + h * 0.25, w * 0.05, h * 0.5, fade(palette.light, 0.5)) +
      rect(left, top, w, h * 0.18, fade(palette.light, 0.15), `rx="3"`)
    );
  });
};

/** A window with its sill, seen from a dim room; `sill` is where things stand. */
export const windowScene = (stage: Stage): { back: Picture; front: Picture; sill: number } => {
  const { ink, palette, random, width, height, unit } = stage;
  const sill = height * 0.8;
  const [left, right, top] = [width * 0.15, width * 0.85, height * 0.035];
  const wall = mix(mix(palette.deep, palette.accents[0] as string, 0.16), palette.haze, palette.dark ? 0.08 : 0.24);
  const walls = rect(0, 0, width, height, ink.linear([shade(wall, -0.15), wall]));
  const pane = ink.clip(`<rect x="${n(left)}" y="${n(top)}" width="${n(right - left)}" height="${n(sill - top)}"/>`);
  const outside = view(stage, height * 0.6);
  const falling = weather(stage);
  const wood = mix(mix(palette.light, "#b98a5a", 0.35), palette.deep, palette.dark ? 0.55 : 0.2);
  const bar = unit * 0.02;
  const frameTone = ink.linear([shade(wood, 0.1), shade(wood, -0.3)], [0, 0, 1, 0]);
  const middle = (left + right) / 2;
  const bars =
    rect(middle - bar / 2, top, bar, sill - top, frameTone) +
    rect(left, top + (sill - top) * 0.34, right - left, bar * 0.7, shade(wood, -0.12)) +
    rect(left - bar, top - bar, bar, sill - top + bar, frameTone) +
    rect(right, top - bar, bar, sill - top + bar, frameTone) +
    rect(left - bar, top - bar, right - left + bar * 2, bar, wood);
  const board =
    path(
      `M${n(width * 0.06)} ${n(sill)}H${n(width * 0.94)}L${n(width)} ${n(sill + unit * 0.06)}H0Z`,
      ink.linear([mix(wood, palette.glow, 0.55), wood]),
    ) +
    rect(0, sill + unit * 0.06, width, unit * 0.035, shade(wood, -0.35)) +
    rect(0, sill + unit * 0.095, width, height, ink.linear([shade(wall, -0.45), shade(wall, -0.2)]));
  const drapes =
    curtain(stage, 0, width * 0.14, height * 1.02, -1) + curtain(stage, width, width * 0.14, height * 1.02, 1);
  const warm = ellipse(
    middle,
    height * 0.5,
    unit * 0.6,
    unit * 0.55,
    ink.radial([fade(palette.glow, palette.dark ? 0.1 : 0.22), fade(palette.glow, 0)]),
  );
  const right2 = random.chance(0.5);
  const pot = plant(stage, width * (right2 ? 0.77 : 0.23), sill + unit * 0.035, unit * 0.2);
  const pile = books(stage, width * (right2 ? 0.18 : 0.68), sill + unit * 0.035, unit * 0.15);
  return {
    sill: sill + unit * 0.035,
    back: (phase) =>
      `${walls}<g clip-path="url(${pane.slice(4, -1)})">${outside(phase)}${falling(phase)}</g>${bars}${board}${warm}${pile}${pot(phase)}`,
    front: () => drapes,
  };
};
