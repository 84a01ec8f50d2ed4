import { type Bloom, daisy, peony, poppy, spray, sprig, tulip } from "../drawing/blooms.ts";
import { fade, mix, shade } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { ellipse, type Point, path, smooth } from "../drawing/shapes.ts";
import { type Scene, type Stage, sway } from "../drawing/stage.ts";
import { castShadow, studio } from "../drawing/studio.ts";

/** Half outlines of vases: [half width, height] from the foot to the lip, in thousandths. */
const VASES: readonly (readonly (readonly [number, number])[])[] = [
  [
    [70, 0],
    [120, 60],
    [135, 140],
    [100, 230],
    [55, 290],
    [48, 330],
    [66, 352],
  ],
  [
    [88, 0],
    [96, 30],
    [98, 180],
    [92, 300],
    [86, 340],
  ],
  [
    [60, 0],
    [150, 90],
    [165, 150],
    [130, 220],
    [70, 262],
    [78, 285],
  ],
  [
    [84, 0],
    [72, 120],
    [66, 220],
    [84, 320],
    [98, 352],
  ],
];

const vase = (stage: Stage, x: number, y: number, side: number) => {
  const { ink, palette, random, unit } = stage;
  const profile = random.pick(VASES);
  const s = (unit / 1024) * 0.98;
  const at = (sign: number) => profile.map(([w, h]) => [x + sign * w * s, y - h * s] as const);
  const [left, right] = [at(-1), at(1).reverse()];
  const curve = (points: readonly Point[]) => smooth(points).replace(/^M[^C]*/, "");
  const clay = random.pick([palette.light, palette.accents[3], palette.accents[0], palette.accents[2]]) as string;
  const tone = mix(clay, palette.haze, 0.25);
  const stops = [
    [0, mix(tone, palette.glow, 0.35)],
    [0.22, shade(tone, 0.28)],
    [0.5, tone],
    [0.85, mix(shade(tone, -0.4), palette.deep, 0.25)],
    [1, mix(shade(tone, -0.25), palette.glow, 0.1)],
  ] as const;
  const paint = ink.linear(side < 0 ? stops : stops.map(([p, c]) => [1 - p, c] as const).reverse(), [0, 0, 1, 0.08]);
  const [lip, top] = [
    profile[profile.length - 1] as readonly [number, number],
    y - (profile[profile.length - 1] as readonly [number, number])[1] * s,
  ];
  const d = `M${n(left[0]?.[0] ?? x)} ${n(y)}${curve(left)}L${n(right[0]?.[0] ?? x)} ${n(right[0]?.[1] ?? y)}${curve(right)}Q${n(x)} ${n(y + 16 * s)} ${n(left[0]?.[0] ?? x)} ${n(y)}Z`;
  const mouth =
    ellipse(x, top, lip[0] * s, lip[0] * s * 0.2, mix(shade(tone, -0.5), palette.deep, 0.3)) +
    ellipse(x, top, lip[0] * s, lip[0] * s * 0.2, "none", `stroke="${shade(tone, 0.22)}" stroke-width="3"`);
  return { body: path(d, paint), mouth, top, wide: Math.max(...profile.map(([w]) => w)) * 2 * s, tall: lip[1] * s };
};

const chosen = ({ reading, random }: Stage): readonly Bloom[] => {
  const { things } = reading;
  const named: Bloom[] = [
    ...(things.has("tulips") ? [tulip] : []),
    ...(things.has("daisies") ? [daisy] : []),
    ...(things.has("roses") ? [peony] : []),
  ];
  return named.length > 0
    ? named
    : random.pick([
        [peony, daisy],
        [tulip, peony],
        [poppy, daisy],
        [peony, poppy],
      ] as const);
};

/** A bunch of flowers in a vase by a window. */
export const flowers: Scene = (stage) => {
  const { ink, palette, random, reading, width, unit } = stage;
  const { back, table, side } = studio(stage, false);
  const [x, foot] = [width / 2, table + unit * 0.1];
  const pot = vase(stage, x, foot, side);
  const leaves = [
    mix(palette.leaf[0] as string, palette.deep, 0.25),
    palette.leaf[0] as string,
    palette.leaf[1] as string,
  ];
  const blooms = chosen(stage);
  const tints = reading.colour
    ? [reading.colour, mix(reading.colour, "#ffffff", 0.16), shade(reading.colour, -0.2)]
    : ([palette.accents[0], palette.accents[1], palette.light, palette.accents[2]] as string[]);
  const reach = Math.min(unit * 0.44, pot.top - unit * 0.12);
  const heads = Array.from({ length: 13 }, (_, i) => {
    const ring = i < 5 ? 1 : i < 10 ? 0.74 : 0.42;
    const angle = -90 + (i < 5 ? (i - 2) * 27 : i < 10 ? (i - 7) * 30 + 8 : (i - 11) * 36) + random.bell() * 6;
    const away = reach * ring * random.between(0.9, 1.05);
    const [hx, hy] = [
      x + Math.cos((angle * Math.PI) / 180) * away * 0.92,
      pot.top + Math.sin((angle * Math.PI) / 180) * away + unit * 0.01,
    ];
    const colour = mix(random.pick(tints) as string, palette.deep, palette.dark ? 0.3 : 0);
    const bloom = random.pick(blooms);
    const size = (unit / 1024) * random.between(0.72, 0.98) * (i < 5 ? 0.9 : 1);
    return {
      hx,
      hy,
      angle: angle + 90,
      size,
      body: bloom(stage, colour),
      beat: random.next(),
      squash: bloom === tulip ? 1 : random.between(0.78, 0.96),
    };
  });
  const greens = Array.from({ length: 9 }, (_, i) => {
    const angle = -90 + (i - 4) * 24 + random.bell() * 8;
    const away = reach * random.between(0.85, 1.12);
    return {
      x: x + Math.cos((angle * Math.PI) / 180) * away,
      y: pot.top + Math.sin((angle * Math.PI) / 180) * away,
      angle: angle + 90,
      long: away,
      beat: random.next(),
      body: i % 3 === 1 ? spray(stage, random.pick(tints) as string, away) : sprig(stage, away, leaves),
    };
  });
  const stems = heads
    .map(
      ({ hx, hy }) =>
        `<path d="M${n(hx)} ${n(hy)}Q${n(x + (hx - x) * 0.35)} ${n(pot.top - (pot.top - hy) * 0.4)} ${n(x + (hx - x) * 0.06)} ${n(pot.top + 12)}" fill="none" stroke="${leaves[1]}" stroke-width="${n(unit * 0.0065)}"/>`,
    )
    .join("");
  const fallen = Array.from(
    { length: 5 },
    () =>
      `<path d="M0 0Q10 -12 26 -4Q14 8 0 0Z" fill="${mix(random.pick(tints) as string, palette.deep, 0.08)}" transform="translate(${n(x + random.bell() * unit * 0.34)} ${n(foot + random.between(0, 0.09) * unit)}) rotate(${n(random.between(0, 360))}) scale(${random.between(0.9, 1.6).toFixed(2)})"/>`,
  ).join("");
  const shadow = castShadow(stage, side, x, foot, pot.wide, pot.tall * 1.9);
  const depth = ellipse(
    x,
    pot.top - reach * 0.36,
    reach * 0.62,
    reach * 0.46,
    ink.radial([fade(mix(palette.deep, leaves[0] as string, 0.4), 0.7), fade(leaves[0] as string, 0)]),
  );
  return (phase) =>
    back +
    shadow +
    pot.mouth +
    greens
      .map(
        ({ x: gx, y, angle, beat, body }) =>
          `<g transform="translate(${n(gx)} ${n(y)}) rotate(${n(angle + sway(phase, beat) * 2)})">${body}</g>`,
      )
      .join("") +
    depth +
    stems +
    pot.body +
    [...heads]
      .sort((a, b) => a.hy - b.hy)
      .map(
        ({ hx, hy, angle, size, body, beat, squash }) =>
          `<g transform="translate(${n(hx + sway(phase, beat) * 4)} ${n(hy)}) rotate(${n(angle * 0.8 + sway(phase, beat) * 2.5)}) scale(${size.toFixed(3)} ${(size * squash).toFixed(3)})">${body}</g>`,
      )
      .join("") +
    fallen;
};
