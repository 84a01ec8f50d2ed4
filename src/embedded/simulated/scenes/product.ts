import { fade, mix, shade } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { circle, ellipse, many, path, rect } from "../drawing/shapes.ts";
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
  const top = ink.linear([
    [0, shade(tone, 0.1)],
    [1, mix(tone, palette.glow, 0.45)],
  ]);
  return (
    path(
      `M${n(x - wide / 2)} ${n(y)}V${n(y + tall)}A${n(wide / 2)} ${n(ry)} 0 0 0 ${n(x + wide / 2)} ${n(y + tall)}V${n(y)}Z`,
      paint,
    ) +
    ellipse(x, y, wide / 2, ry, top) +
    ellipse(x, y, wide / 2, ry, "none", `stroke="${fade("#ffffff", 0.55)}" stroke-width="1.6"`)
  );
};

/** A flask of coloured glass with a cap, standing on (0, 0), about 330 units tall. */
const flask = (stage: Stage, side: number): string => {
  const { ink, palette, random, reading } = stage;
  const liquid = reading.colour ?? (random.pick(palette.accents.slice(0, 3)) as string);
  const shape = random.pick([
    "M-92 0C-104 0 -108 -6 -108 -18V-176C-108 -204 -92 -214 -62 -218H62C92 -214 108 -204 108 -176V-18C108 -6 104 0 92 0Z",
    "M-60 0C-118 0 -132 -60 -124 -112C-116 -170 -70 -206 -34 -218H34C70 -206 116 -170 124 -112C132 -60 118 0 60 0Z",
    "M-62 0C-72 0 -76 -6 -76 -18V-190C-76 -208 -60 -216 -40 -220H40C60 -216 76 -208 76 -190V-18C76 -6 72 0 62 0Z",
  ]);
  const glass = ink.linear(
    [
      [0, fade(mix(liquid, "#ffffff", 0.5), 0.95)],
      [0.25, fade(mix(liquid, "#ffffff", 0.12), 0.92)],
      [0.7, fade(shade(liquid, -0.25), 0.95)],
      [1, fade(mix(liquid, palette.deep, 0.5), 0.97)],
    ],
    side < 0 ? [0, 0, 1, 0.2] : [1, 0, 0, 0.2],
  );
  const metal = ink.linear(
    [
      [0, shade(palette.accents[1] as string, 0.1)],
      [0.3, "#fff6e2"],
      [0.55, mix(palette.accents[1] as string, palette.deep, 0.25)],
      [0.8, mix(palette.accents[1] as string, "#ffffff", 0.35)],
      [1, mix(palette.accents[1] as string, palette.deep, 0.55)],
    ],
    [0, 0, 1, 0],
  );
  const clip = ink.clip(`<path d="${shape}"/>`);
  const core = ink.radial([
    [0, fade(mix(liquid, palette.glow, 0.75), 0.9)],
    [1, fade(liquid, 0)],
  ]);
  return (
    path(shape, glass) +
    `<g clip-path="${clip}">${ellipse(side * -34, -40, 90, 64, core)}${rect(-130, -220, 260, 52, fade("#ffffff", 0.22))}${path("M-130 -168Q0 -158 130 -168V-164Q0 -154 -130 -164Z", fade("#ffffff", 0.5))}${rect(side < 0 ? -94 : 76, -210, 16, 200, fade("#ffffff", 0.5), `rx="8"`)}${rect(side < 0 ? 84 : -92, -210, 6, 200, fade("#ffffff", 0.25), `rx="3"`)}</g>` +
    rect(-27, -246, 54, 30, metal) +
    rect(-44, -326, 88, 84, metal, `rx="7"`) +
    rect(-44, -252, 88, 4, fade(palette.deep, 0.35)) +
    rect(-46, -124, 92, 62, fade(mix(palette.light, liquid, 0.08), 0.92), `rx="3"`) +
    rect(-28, -108, 56, 3.4, palette.deep) +
    rect(-20, -97, 40, 2.4, fade(palette.deep, 0.6)) +
    circle(0, -80, 6, "none", `stroke="${palette.deep}" stroke-width="1.8"`)
  );
};

/** A jar with a wide lid. */
const jar = (stage: Stage, side: number): string => {
  const { ink, palette, random, reading } = stage;
  const tone = reading.colour ?? mix(random.pick(palette.accents), palette.light, 0.3);
  const stops = [
    [0, mix(tone, palette.glow, 0.35)],
    [0.25, shade(tone, 0.35)],
    [0.65, tone],
    [1, mix(shade(tone, -0.45), palette.deep, 0.2)],
  ] as const;
  const across: readonly [number, number, number, number] = side < 0 ? [0, 0, 1, 0] : [1, 0, 0, 0];
  const lid = ink.linear(
    [
      [0, "#fff6e6"],
      [0.3, mix(palette.accents[1] as string, "#ffffff", 0.3)],
      [1, mix(palette.accents[1] as string, palette.deep, 0.45)],
    ],
    across,
  );
  return (
    path("M-112 -10C-112 4 112 4 112 -10V-130H-112Z", ink.linear(stops, across)) +
    rect(-118, -196, 236, 70, lid, `rx="8"`) +
    ellipse(0, -195, 112, 13, mix("#fff6e6", palette.accents[1] as string, 0.3)) +
    rect(-50, -92, 100, 44, fade(palette.light, 0.85), `rx="3"`) +
    rect(-32, -78, 64, 3.6, palette.deep) +
    rect(-22, -66, 44, 2.6, fade(palette.deep, 0.6))
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
    ink.linear([
      [0, mix(arch, palette.glow, 0.25)],
      [1, shade(arch, -0.18)],
    ]),
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
      .join("") +
    many(0, () => "");
};
