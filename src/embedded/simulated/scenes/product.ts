import { fade, mix, shade } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { flask, jar } from "../drawing/packaging.ts";
import { circle, ellipse, path } from "../drawing/shapes.ts";
import { type Scene, type Stage, sway } from "../drawing/stage.ts";
import { castShadow, studio } from "../drawing/studio.ts";

/** A round plinth whose top is at `y`. */
const plinth = (stage: Stage, x: number, y: number, wide: number, tall: number, tone: string, side: number): string => {
  const { ink, palette } = stage;
  const ry = wide * 0.1;
  const stops = [
    [0, mix(tone, palette.glow, 0.3)],
    [0.3, shade(tone, 0.12)],
    [0.7, shade(tone, -0.12)],
    [1, mix(shade(tone, -0.35), palette.deep, 0.15)],
  ] as const;
  const paint = ink.linear(side < 0 ? stops : stops.map(([p, c]) => [1 - p, c] as const).reverse(), [0, 0, 1, 0]);
  const top = ink.linear([shade(tone, 0.1), mix(tone, palette.glow, 0.45)]);
  return (
    path(
      `M${n(x - wide / 2)} ${n(y)}V${n(y + tall)}A${n(wide / 2)} ${n(ry)} 0 0 0 ${n(x + wide / 2)} ${n(y + tall)}V${n(y)}Z`,
      paint,
    ) +
    ellipse(x, y, wide / 2, ry, top) +
    ellipse(x, y, wide / 2, ry, "none", `stroke="${fade("#ffffff", 0.55)}" stroke-width="1.6"`)
  );
};

/** A thing to be sold, on a plinth before an arch, among simple forms. */
export const product: Scene = (stage) => {
  const { ink, palette, random, reading, width, height, unit } = stage;
  const { back, table, side, wall } = studio(stage, true);
  const x = width / 2;
  const arch = mix(wall, random.pick(palette.accents), 0.42);
  const [aw, at] = [unit * 0.27, height * 0.17];
  const niche = path(
    `M${n(x - aw)} ${n(table + unit * 0.03)}V${n(at + aw)}A${n(aw)} ${n(aw)} 0 0 1 ${n(x + aw)} ${n(at + aw)}V${n(table + unit * 0.03)}Z`,
    ink.linear([mix(arch, palette.glow, 0.25), shade(arch, -0.18)]),
  );
  const inset = ink.soft(
    path(
      `M${n(x + side * aw)} ${n(table)}V${n(at + aw)}A${n(aw)} ${n(aw)} 0 0 ${side > 0 ? 0 : 1} ${n(x)} ${n(at)}L${n(x)} ${n(at + unit * 0.03)}A${n(aw * 0.92)} ${n(aw * 0.92)} 0 0 ${side > 0 ? 1 : 0} ${n(x + side * aw * 0.84)} ${n(at + aw)}V${n(table)}Z`,
      fade(palette.deep, 0.5),
    ),
    9,
  );
  const stone = mix(wall, palette.light, palette.dark ? 0.12 : 0.5);
  const top = table + unit * 0.03;
  const stand = plinth(stage, x, top, unit * 0.42, unit * 0.09, stone, side);
  const low = plinth(
    stage,
    x - side * unit * 0.3,
    top + unit * 0.065,
    unit * 0.2,
    unit * 0.07,
    mix(arch, stone, 0.35),
    side,
  );
  const high = plinth(
    stage,
    x + side * unit * 0.315,
    top - unit * 0.07,
    unit * 0.15,
    unit * 0.2,
    mix(stone, palette.accents[3] as string, 0.25),
    side,
  );
  const ball = (bx: number, by: number, r: number, colour: string) =>
    ellipse(bx, by + r * 0.95, r * 0.9, r * 0.16, fade(palette.deep, 0.35)) +
    circle(
      bx,
      by,
      r,
      ink.radial(
        [
          [0, mix(colour, "#ffffff", 0.6)],
          [0.5, colour],
          [1, mix(shade(colour, -0.4), palette.deep, 0.25)],
        ],
        side < 0 ? 0.34 : 0.66,
        0.3,
        0.8,
      ),
    );
  const balls =
    ball(x + side * unit * 0.315, top - unit * 0.118, unit * 0.047, palette.accents[0] as string) +
    ball(x - side * unit * 0.25, top + unit * 0.045, unit * 0.03, palette.accents[1] as string);
  const item = reading.things.has("bottle") || random.chance(0.65) ? flask(stage, side) : jar(stage, side);
  const s = ((unit / 1024) * 1.08).toFixed(3);
  const shadows = castShadow(stage, side, x, top + unit * 0.1, unit * 0.44, unit * 0.2);
  const contact = ink.soft(
    ellipse(x - side * unit * 0.02, top + unit * 0.006, unit * 0.13, unit * 0.02, fade(palette.deep, 0.7)),
    7,
  );
  const petals = Array.from({ length: 5 }, () => ({
    x: x + random.bell() * unit * 0.4,
    y: random.between(0.2, 0.62) * height,
    turn: random.between(0, 360),
    beat: random.next(),
    s: random.between(0.8, 1.7),
    colour: mix(random.pick(palette.accents), palette.light, 0.3),
  }));
  return (phase) =>
    back +
    niche +
    inset +
    shadows +
    high +
    low +
    stand +
    balls +
    contact +
    `<g transform="translate(${n(x)} ${n(top + unit * 0.004)}) scale(${s})">${item}</g>` +
    petals
      .map(
        ({ x: px, y, turn, beat, s: size, colour }) =>
          `<path d="M0 0Q10 -12 26 -4Q14 8 0 0Z" fill="${fade(colour, 0.85)}" transform="translate(${n(px + sway(phase, beat) * 10)} ${n(y + sway(phase, beat + 0.25) * 8)}) rotate(${n(turn + sway(phase, beat) * 24)}) scale(${size.toFixed(2)})"/>`,
      )
      .join("");
};
