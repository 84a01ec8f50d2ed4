import { fade, lightness, mix, shade } from "./colour.ts";
import { n } from "./ink.ts";
import { ellipse, many, path, rect } from "./shapes.ts";
import type { Stage } from "./stage.ts";

/** A studio: a wall and a table that meet in a soft line, lit from `side` (-1 left, 1 right). */
export type Studio = { back: string; table: number; side: 1 | -1; wall: string; surface: string };

/** Light through a window or through leaves, thrown on the wall. */
const thrown = (stage: Stage, side: number, leafy: boolean): string => {
  const { ink, palette, random, width, height, unit } = stage;
  const glow = fade(mix(palette.glow, "#ffffff", 0.4), 0.85);
  if (!leafy) {
    const [x, w, skew] = [width * (side < 0 ? 0.34 : 0.2), width * 0.42, side * unit * 0.2];
    const panes = many(6, (i) => {
      const [column, row] = [i % 2, Math.floor(i / 2)];
      const [px, py] = [x + column * w * 0.52, height * (0.04 + row * 0.2)];
      return path(
        `M${n(px)} ${n(py)}H${n(px + w * 0.47)}L${n(px + w * 0.47 - skew * 0.4)} ${n(py + height * 0.175)}H${n(px - skew * 0.4)}Z`,
        glow,
      );
    });
    return ink.soft(panes, 9, `opacity="0.5"`);
  }
  const fronds = many(3, (f) => {
    const [x, y, turn] = [
      width * (side < 0 ? random.between(0.45, 1) : random.between(0, 0.55)),
      height * random.between(-0.05, 0.25),
      random.between(20, 70) * (side < 0 ? 1 : -1) + 90 + f * 14,
    ];
    return `<g transform="translate(${n(x)} ${n(y)}) rotate(${n(turn)})">${many(13, (i) => {
      const s = i % 2 ? 1 : -1;
      const long = unit * 0.2 * (1 - (i / 13) * 0.6);
      return `<path d="M0 0Q${n(long * 0.5)} ${n(-long * 0.14)} ${n(long)} 0Q${n(long * 0.5)} ${n(long * 0.14)} 0 0Z" transform="translate(${n(i * unit * 0.035)} 0) rotate(${s * 52})" fill="${fade(palette.deep, 0.8)}"/>`;
    })}</g>`;
  });
  return ink.soft(fronds, 11, `opacity="0.22"`);
};

/** Sets up the studio in the stage's palette; dark palettes give a low-key one. */
export const studio = (stage: Stage, leafy: boolean): Studio => {
  const { ink, palette, random, width, height, unit } = stage;
  const side = random.chance(0.5) ? 1 : -1;
  const table = height * 0.72;
  const tone = random.pick([palette.accents[0], palette.accents[1], palette.haze, palette.accents[4]]) as string;
  const wall = palette.dark
    ? mix(mix(palette.deep, palette.sky[1] as string, 0.6), tone, 0.14)
    : mix(mix(palette.light, palette.haze, 0.45), tone, lightness(tone) > 0.6 ? 0.62 : 0.36);
  const surface = palette.dark
    ? mix(wall, palette.deep, 0.45)
    : mix(mix(wall, palette.light, 0.4), palette.accents[1] as string, 0.12);
  const lamp = ellipse(
    width * (side < 0 ? 0.16 : 0.84),
    height * 0.16,
    unit * 0.95,
    unit * 0.8,
    ink.radial([fade(palette.glow, palette.dark ? 0.34 : 0.75), fade(palette.glow, 0)]),
  );
  const shadowSide = ellipse(
    width * (side < 0 ? 1.02 : -0.02),
    height * 0.62,
    unit * 0.6,
    unit * 0.8,
    ink.radial([fade(mix(wall, palette.deep, 0.6), 0.5), fade(wall, 0)]),
  );
  const top = ink.linear([
    [0, mix(surface, wall, 0.55)],
    [0.12, surface],
    [1, mix(surface, palette.deep, 0.28)],
  ]);
  const board =
    rect(0, table, width, height - table, top) +
    rect(
      0,
      table - unit * 0.012,
      width,
      unit * 0.024,
      ink.linear([fade(shade(wall, -0.3), 0), fade(shade(wall, -0.35), 0.5), fade(surface, 0)]),
    );
  return {
    back:
      rect(0, 0, width, height, ink.linear([shade(wall, 0.08), shade(wall, -0.1)])) +
      shadowSide +
      lamp +
      thrown(stage, side, leafy) +
      board,
    table,
    side,
    wall,
    surface,
  };
};

/** The soft shadow of a thing that stands on (`x`, `y`), `wide` units wide and `tall` high, away from the light. */
export const castShadow = (
  { ink, palette, unit }: Stage,
  side: number,
  x: number,
  y: number,
  wide: number,
  tall: number,
): string => {
  const reach = tall * 0.62;
  const body =
    path(
      `M${n(x - wide * 0.46)} ${n(y)}L${n(x - side * reach - wide * 0.3)} ${n(y - tall * 0.1)}Q${n(x - side * reach * 1.18)} ${n(y + wide * 0.05)} ${n(x - side * reach + wide * 0.3)} ${n(y + wide * 0.14)}L${n(x + wide * 0.46)} ${n(y + wide * 0.08)}Z`,
      fade(palette.deep, 0.42),
    ) + ellipse(x, y, wide * 0.6, wide * 0.11, fade(palette.deep, 0.75));
  return ink.soft(body, unit * 0.011);
};
