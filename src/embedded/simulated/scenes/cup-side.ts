import { fade, mix, shade } from "../drawing/colour.ts";
import { bean, drinkOf, steam } from "../drawing/drink.ts";
import { n } from "../drawing/ink.ts";
import { ellipse, many, path } from "../drawing/shapes.ts";
import type { Scene } from "../drawing/stage.ts";
import { castShadow, studio } from "../drawing/studio.ts";

/** A cup on its saucer from the side, as for an advertisement. */
export const fromTheSide: Scene = (stage) => {
  const { ink, palette, random, reading, width, unit } = stage;
  const { back, table, side } = studio(stage, random.chance(0.6));
  const drink = drinkOf(stage);
  const [x, y, s] = [width / 2, table + unit * 0.12, (unit / 1024) * 1.25];
  const china =
    reading.colour ??
    mix(
      random.pick([palette.light, palette.light, palette.accents[0], palette.accents[2]]) as string,
      palette.light,
      0.12,
    );
  const stops = [
    [0, mix(china, palette.glow, 0.3)],
    [0.2, shade(china, 0.35)],
    [0.55, mix(china, palette.haze, 0.2)],
    [0.88, mix(shade(china, -0.35), palette.deep, 0.18)],
    [1, shade(china, -0.15)],
  ] as const;
  const across = (line: readonly [number, number, number, number]) =>
    ink.linear(side < 0 ? stops : stops.map(([p, c]) => [1 - p, c] as const).reverse(), line);
  const paint = across([0, 0, 1, 0.12]);
  const rim = mix(china, "#ffffff", 0.5);
  const glaze = ink.radial(
    [
      [0, drink.foam],
      [0.5, drink.mid],
      [1, drink.dark],
    ],
    0.42,
    0.4,
    0.65,
  );
  const saucer =
    ellipse(0, 4, 262, 46, mix(shade(china, -0.4), palette.deep, 0.25)) +
    ellipse(0, -4, 262, 44, paint) +
    ellipse(0, -8, 205, 31, fade(shade(china, -0.25), 0.35)) +
    ellipse(0, -10, 120, 18, fade(palette.deep, 0.4));
  const handle = `<path d="M132 -196C232 -222 238 -84 112 -86" fill="none" stroke="${mix(shade(china, -0.12), palette.deep, side < 0 ? 0.22 : 0.05)}" stroke-width="25" stroke-linecap="round"/><path d="M136 -200C224 -216 226 -96 120 -92" fill="none" stroke="${fade(rim, 0.5)}" stroke-width="5"/>`;
  const cup =
    path("M-152 -236C-150 -110 -116 -14 -50 -12H50C116 -14 150 -110 152 -236Z", paint) +
    path("M-56 -14H56L50 -2H-50Z", mix(shade(china, -0.3), palette.deep, 0.2));
  const top =
    ellipse(0, -236, 152, 33, rim) +
    ellipse(0, -233, 141, 28, mix(shade(china, -0.3), palette.deep, 0.2)) +
    ellipse(0, -229, 133, 23, glaze) +
    ellipse(-34, -234, 52, 8, fade(drink.foam, 0.5)) +
    `<path d="M-118 -226C-90 -210 -40 -206 10 -207" fill="none" stroke="${fade("#ffffff", 0.3)}" stroke-width="3"/>`;
  const shine = `<path d="M${side * 118} -210C${side * 112} -120 ${side * 92} -60 ${side * 60} -34" fill="none" stroke="#ffffff" stroke-opacity="0.5" stroke-width="10" stroke-linecap="round"/>`;
  const beans = reading.things.has("tea")
    ? ""
    : many(9, () => {
        const d = random.chance(0.5) ? -1 : 1;
        return bean(
          x + d * unit * random.between(0.22, 0.42),
          y + unit * random.between(-0.01, 0.09),
          1.15,
          random.between(0, 360),
          mix("#4a2815", palette.deep, random.between(0, 0.35)),
        );
      });
  const vapour = steam(stage, x, y - 250 * s, unit * 0.3);
  const shadow = castShadow(stage, side, x, y + 6, 480 * s, 300 * s);
  return (phase) =>
    `${back}${shadow}<g transform="translate(${n(x)} ${n(y)}) scale(${s.toFixed(3)})">${saucer}${handle}${cup}${top}${shine}</g>${vapour(phase)}${beans}`;
};
