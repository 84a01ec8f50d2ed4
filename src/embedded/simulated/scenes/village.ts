import { fade, mix, shade } from "../drawing/colour.ts";
import { house } from "../drawing/house.ts";
import { n } from "../drawing/ink.ts";
import { below, circle, ellipse, type Point, path, profile, rect } from "../drawing/shapes.ts";
import { sky } from "../drawing/sky.ts";
import { type Scene, sway } from "../drawing/stage.ts";
import { fir, firs, leafyTree } from "../drawing/trees.ts";
import { weather } from "../drawing/weather.ts";

/** Houses on a slope under a wide sky. */
export const village: Scene = (stage) => {
  const { ink, palette, random, reading, width, height, unit, noise } = stage;
  const winter = reading.season === "winter" || reading.weather === "snow";
  const horizon = height * 0.52;
  const body = { x: width * random.between(0.2, 0.8), y: height * random.between(0.14, 0.24), radius: unit * 0.036 };
  const air = sky(stage, { horizon: horizon + unit * 0.1, body, clouds: 0.45 });
  const snowTone = mix(palette.light, palette.haze, palette.dark ? 0.45 : 0.1);
  const grass = mix(palette.leaf[1] as string, palette.deep, palette.dark ? 0.55 : 0.1);
  const soil = winter ? snowTone : grass;
  const hill = (base: number, rise: number, start: number) =>
    profile(-20, width + 20, 40, (x) => base - rise * noise.cloudy(start + (x / unit) * 1.9, 1, 2));
  const at = (points: readonly Point[], x: number) =>
    (points[Math.max(0, Math.min(40, Math.round(((x + 20) / (width + 40)) * 40)))] as Point)[1];
  const ranges = [0, 1].map((i) => {
    const line = hill(horizon + height * (0.06 + i * 0.07), height * (0.3 - i * 0.1), random.between(0, 50));
    const tone = mix(mix(soil, palette.deep, winter ? 0.2 : 0.3), palette.haze, 0.6 - i * 0.25);
    return (
      firs(stage, (x) => at(line, x), mix(palette.deep, palette.haze, 0.5 - i * 0.22), {
        count: 170,
        low: 14 + i * 10,
        high: 34 + i * 22,
      }) + path(below(line, height, true), ink.linear([tone, mix(tone, palette.haze, 0.3)]))
    );
  });
  const distance = ink.plate(ranges.join(""));
  const slopes = [0, 1, 2].map((i) => {
    const near = i / 2;
    const line = hill(horizon + height * (0.2 + near * 0.26), unit * 0.13, random.between(0, 50));
    const tone = mix(soil, palette.deep, palette.dark ? 0.1 + near * 0.12 : near * 0.12);
    const paint = ink.linear([shade(tone, winter ? 0.18 : 0.06), tone, mix(tone, palette.deep, 0.35)]);
    const size = unit * (0.1 + near * 0.11);
    const count = i === 2 ? 2 : 4 - i;
    const houses = Array.from({ length: count }, (_, k) => {
      const x = width * ((k + random.between(0.12, 0.5)) / count);
      return house(stage, x, at(line, x + size / 2) + size * 0.1, size * random.between(0.85, 1.1), 0.4 + near * 0.6);
    });
    const trees = Array.from({ length: 5 + i }, () => {
      const x = random.between(-10, width + 10);
      const foot = at(line, x) + unit * 0.015;
      const tall = size * random.between(0.8, 1.5);
      if (!winter && random.chance(0.5))
        return leafyTree(
          stage,
          x,
          foot,
          tall,
          palette.leaf.map((tone2) => mix(tone2, palette.deep, palette.dark ? 0.5 : 0)),
        );
      const d = fir(stage, x, foot, tall);
      const dark = mix(palette.deep, palette.leaf[0] as string, 0.25);
      return path(
        d,
        ink.linear([
          [0, winter ? mix(dark, snowTone, 0.55) : dark],
          [0.8, dark],
        ]),
      );
    }).join("");
    return { near, land: ink.plate(trees + path(below(line, height + 5, true), paint)), houses };
  });
  const lanterns =
    winter || palette.dark
      ? Array.from({ length: 5 }, (_, i) => ({
          x: width * (0.1 + i * 0.2) + random.bell() * 20,
          y: height * (0.87 + 0.03 * (i % 2)),
        }))
      : [];
  const lamp = ink.radial([
    [0, fade("#ffd27a", 0.75)],
    [0.2, fade("#ffc45e", 0.35)],
    [1, fade("#ffc45e", 0)],
  ]);
  const falling = weather(stage);
  return (phase) =>
    air(phase) +
    distance +
    slopes
      .map(
        ({ near, land, houses }) =>
          `<g transform="translate(${n(sway(phase) * near * 12)} 0)">${land}${houses.map((draw) => draw(phase)).join("")}</g>`,
      )
      .join("") +
    lanterns
      .map(
        ({ x, y }) =>
          rect(x - 1.6, y - 52, 3.2, 52, palette.deep) +
          circle(x, y - 55, 5, "#ffe9b8") +
          circle(x, y - 55, 58, lamp) +
          ellipse(x, y + 2, 70, 12, lamp),
      )
      .join("") +
    falling(phase);
};
