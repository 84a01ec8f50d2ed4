import { cloudRaster } from "../drawing/clouds.ts";
import { fade, mix, shade } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { ellipse, type Point, path, smooth, stroke } from "../drawing/shapes.ts";
import { sky, stars } from "../drawing/sky.ts";
import { type Picture, type Scene, type Stage, sway } from "../drawing/stage.ts";
import { weather } from "../drawing/weather.ts";

/** A dune: a crest with one summit, and a spine that runs from it to the eye and parts light from shadow. */
const dune = (stage: Stage, summit: Point, base: number, near: number, light: 1 | -1) => {
  const { ink, palette, random, width, height, unit } = stage;
  const [px, py] = summit;
  const sand = mix(mix(palette.accents[1] as string, palette.haze, 0.35), palette.glow, 0.12);
  const lit = mix(mix(sand, palette.glow, palette.dark ? 0.25 : 0.45), palette.haze, 0.5 - near * 0.5);
  const dark = mix(mix(sand, palette.deep, palette.dark ? 0.78 : 0.62), palette.haze, 0.45 - near * 0.4);
  const drop = base - py;
  const shoulder = (side: number): Point[] => {
    const edge = side < 0 ? -60 : width + 60;
    return [0.18, 0.4, 0.68, 1].map((share) => [
      px + (edge - px) * share,
      py + drop * (share ** 0.8 * 0.8 + Math.sin(share * 3.1 + px) * 0.06),
    ]);
  };
  const [left, right] = [shoulder(-1), shoulder(1)];
  const crest = [...left.reverse(), summit, ...right];
  const curl = unit * (0.05 + near * 0.13) * -light;
  const spine: Point[] = [
    summit,
    [px + curl * 0.75, py + drop * 0.28],
    [px + curl * 0.35, py + drop * 0.62],
    [px + curl * 1.5, py + drop * 1.1],
    [px + curl * 3.4, height + 40],
  ];
  const whole = `${smooth(crest)}L${width + 60} ${height + 40}L-60 ${height + 40}Z`;
  const shadowPaint = ink.linear([shade(dark, 0.04), mix(dark, palette.deep, 0.35)]);
  const lightPaint = ink.linear([shade(lit, 0.12), lit, mix(lit, dark, 0.55)]);
  const clip = ink.clip(`<path d="${whole}"/>`);
  const [sunny, dim] = light < 0 ? [-60, width + 60] : [width + 60, -60];
  const shaded = `${smooth([[px, py - 50], ...spine])}L${n(dim)} ${n(height + 40)}L${n(dim)} ${n(py - 200)}Z`;
  const ripples = Array.from({ length: Math.round(8 + near * 18) }, (_, i) => {
    const y = py + drop * 0.3 + i * (9 + near * 13);
    return stroke(
      `M${n(sunny)} ${n(y + 46)}C${n(sunny + (px - sunny) * 0.35)} ${n(y - 12 + random.bell() * 22)} ${n(sunny + (px - sunny) * 0.7)} ${n(y + 42 + random.bell() * 18)} ${n(px + curl)} ${n(y + 18)}`,
      fade(dark, 0.04 + near * 0.06),
      1.6 + near * 1.6,
    );
  }).join("");
  const rim = stroke(smooth(crest), fade(mix(lit, palette.light, 0.6), 0.45), 1.3);
  return {
    near,
    crest,
    body: `${path(whole, lightPaint)}<g clip-path="${clip}">${ripples}${path(shaded, shadowPaint)}</g>${rim}`,
  };
};

/** Camels and their drivers on a crest. */
const caravan = ({ random, palette, unit }: Stage, crest: readonly Point[]): Picture => {
  const dark = mix(palette.deep, "#000000", 0.25);
  const [from, to] = [crest[1] as Point, crest[3] as Point];
  const list = Array.from({ length: random.whole(4, 6) }, (_, i) => {
    const share = 0.1 + i * 0.14;
    return { x: from[0] + (to[0] - from[0]) * share, y: from[1] + (to[1] - from[1]) * share + 3, beat: i * 0.31 };
  });
  const s = unit * 0.00052;
  const camel =
    "M-30 0L-27 -34C-34 -38 -34 -50 -26 -52C-20 -56 -16 -72 -8 -72C0 -72 2 -56 10 -53C18 -50 24 -50 30 -58C36 -68 38 -76 44 -78C50 -79 58 -76 60 -72C58 -69 50 -68 47 -66C44 -56 38 -42 28 -38L30 0H25L21 -32C10 -28 -8 -28 -18 -32L-21 -2L-25 0Z";
  return (phase) =>
    list
      .map(
        ({ x, y, beat }) =>
          `<g transform="translate(${n(x)} ${n(y - Math.abs(sway(phase, beat)) * 1.2)}) scale(${s})"><path d="${camel}" fill="${dark}" transform="scale(1.7)"/><path d="M-24 -120C-30 -140 -26 -168 -16 -170C-4 -170 0 -140 -2 -118Z" fill="${dark}"/></g>`,
      )
      .join("");
};

const cactus = ({ palette, random, height, width, unit }: Stage): string => {
  const tone = mix(palette.deep, palette.leaf[1] as string, 0.35);
  return [random.between(0.1, 0.25), random.between(0.75, 0.9)]
    .map((share, i) => {
      const [x, y, s] = [width * share, height * (0.93 + i * 0.04), unit * (0.2 + i * 0.1)];
      const w = s * 0.085;
      return `<path d="M${n(x)} ${n(y)}V${n(y - s)}M${n(x)} ${n(y - s * 0.4)}h${n(-s * 0.17)}q${n(-s * 0.07)} 0 ${n(-s * 0.07)} ${n(-s * 0.09)}v${n(-s * 0.2)}M${n(x)} ${n(y - s * 0.55)}h${n(s * 0.13)}q${n(s * 0.07)} 0 ${n(s * 0.07)} ${n(-s * 0.09)}v${n(-s * 0.17)}" fill="none" stroke="${tone}" stroke-width="${n(w)}" stroke-linecap="round"/>`;
    })
    .join("");
};

/** Dunes in low light; under the stars the milky way rises behind them. */
export const desert: Scene = (stage) => {
  const { ink, palette, random, reading, width, height, unit } = stage;
  const horizon = height * 0.6;
  const body = { x: width * random.between(0.2, 0.8), y: height * random.between(0.16, 0.34), radius: unit * 0.04 };
  const light = body.x < width / 2 ? -1 : 1;
  const air = sky(stage, {
    horizon: horizon + unit * 0.06,
    body: reading.things.has("stars") && !reading.things.has("moon") ? null : body,
    clouds: palette.dark ? 0.12 : 0.3,
  });
  const extra = palette.dark ? stars(stage, horizon, 1.6) : () => "";
  const milky = palette.dark
    ? `<g transform="rotate(${n(light * -32)} ${n(width / 2)} ${n(height * 0.3)})">` +
      ink.raster(
        cloudRaster(stage, {
          cover: 0.8,
          stretch: 0.9,
          lit: mix(palette.glow, palette.accents[2] as string, 0.4),
          dark: mix(palette.haze, palette.accents[1] as string, 0.3),
          opacity: 0.4,
          grain: 5,
        }),
        -width * 0.3,
        height * 0.02,
        width * 1.6,
        height * 0.42,
      ) +
      "</g>"
    : "";
  const dunes = [0, 0.33, 0.66, 1].map((near, i) => {
    const x = width * ([0.66, 0.24, 0.78, 0.34][i] as number) + random.bell() * width * 0.1;
    const top =
      horizon - unit * (0.02 - near * 0.02) + near ** 1.3 * height * 0.2 - unit * (0.06 + (i === 1 ? 0.08 : 0.02));
    return dune(stage, [x, top], top + unit * (0.15 + near * 0.12), near, light as 1 | -1);
  });
  const walkers =
    reading.things.has("camels") || random.chance(0.35)
      ? caravan(stage, (dunes[2] as (typeof dunes)[number]).crest.slice(0, 5))
      : () => "";
  const plants = reading.things.has("cactus") ? cactus(stage) : "";
  const dust = ellipse(
    width / 2,
    horizon + unit * 0.02,
    width * 0.8,
    unit * 0.1,
    ink.radial([fade(mix(palette.haze, palette.glow, 0.3), 0.7), fade(palette.haze, 0)]),
  );
  const falling = weather(stage);
  return (phase) =>
    air(phase) +
    milky +
    extra(phase) +
    dust +
    dunes
      .map(
        ({ near, body: shape }, i) =>
          `<g transform="translate(${n(sway(phase) * near * 14)} 0)">${shape}${i === 2 ? walkers(phase) : ""}</g>`,
      )
      .join("") +
    plants +
    falling(phase);
};
