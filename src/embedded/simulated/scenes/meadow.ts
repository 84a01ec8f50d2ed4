import { fade, mix } from "../drawing/colour.ts";
import { grass, wildflowers } from "../drawing/grass.ts";
import { n } from "../drawing/ink.ts";
import { below, ellipse, many, type Point, path, profile, rect } from "../drawing/shapes.ts";
import { sky } from "../drawing/sky.ts";
import { type Picture, type Scene, type Stage, sway } from "../drawing/stage.ts";
import { firs, leafyTree } from "../drawing/trees.ts";
import { weather } from "../drawing/weather.ts";

/** A hot-air balloon with its gores, floating. */
const balloon = (stage: Stage, x: number, y: number, size: number): Picture => {
  const { ink, palette, random } = stage;
  const [first, second] = [random.pick(palette.accents), random.pick([...palette.accents, palette.light])];
  const light = ink.linear([fade("#ffffff", 0.35), fade("#ffffff", 0), fade(palette.deep, 0.45)], [0, 0, 1, 0]);
  const envelope = "M0 -100C62 -100 84 -56 70 -16C60 14 32 42 16 58H-16C-32 42 -60 14 -70 -16C-84 -56 -62 -100 0 -100Z";
  const gores = [0.78, 0.36]
    .map((share, i) =>
      path(
        `M0 -100C${62 * share} -100 ${84 * share} -56 ${70 * share} -16C${60 * share} 14 ${32 * share} 42 ${16 * share} 58H${-16 * share}C${-32 * share} 42 ${-60 * share} 14 ${-70 * share} -16C${-84 * share} -56 ${-62 * share} -100 0 -100Z`,
        i ? first : second,
      ),
    )
    .join("");
  const body =
    path(envelope, first) +
    gores +
    path(envelope, light) +
    path("M-14 58L-9 82M14 58L9 82M-5 58L-4 82M5 58L4 82", "none", `stroke="${palette.deep}" stroke-width="1.4"`) +
    rect(-11, 81, 22, 17, mix(palette.deep, "#8a5a3a", 0.6), `rx="3"`);
  const beat = random.next();
  return (phase) =>
    `<g transform="translate(${n(x + sway(phase, beat) * 5)} ${n(y + sway(phase, beat + 0.3) * 8)}) scale(${(size / 100).toFixed(3)})">${body}</g>`;
};

const windmill = (stage: Stage, x: number, y: number, size: number): Picture => {
  const { palette, ink } = stage;
  const wall = ink.linear([palette.light, mix(palette.haze, palette.deep, 0.35)], [0, 0, 1, 0]);
  const dark = mix(palette.deep, palette.accents[0] as string, 0.35);
  const tower =
    path("M-26 0L-17 -92H17L26 0Z", wall) +
    path("M-19 -92C-16 -116 16 -116 19 -92Z", dark) +
    rect(-6, -22, 12, 22, dark, `rx="5"`) +
    rect(-5, -62, 10, 13, dark);
  const sail = many(
    4,
    (i) =>
      `<g transform="rotate(${i * 90})"><path d="M0 0V-84" stroke="${dark}" stroke-width="3"/><path d="M2 -18H17V-82H2ZM2 -34H17M2 -50H17M2 -66H17" fill="${fade(palette.light, 0.85)}" stroke="${dark}" stroke-width="1.6"/></g>`,
  );
  return (phase) =>
    `<g transform="translate(${n(x)} ${n(y)}) scale(${(size / 110).toFixed(3)})">${tower}<g transform="translate(0 -94) rotate(${n(14 + phase * 90)})">${sail}</g></g>`;
};

const rainbow = ({ width, height, unit }: Stage): string =>
  ["#ff5d5d", "#ffa24d", "#ffe45d", "#6fe07a", "#59b4ff", "#8a7bff"]
    .map(
      (colour, i) =>
        `<circle cx="${n(width * 0.62)}" cy="${n(height * 0.74)}" r="${n(unit * 0.56 - i * 11)}" fill="none" stroke="${fade(colour, 0.3)}" stroke-width="12"/>`,
    )
    .join("");

/** Rolling hills under a wide sky; a tree, a mill, balloons, a rainbow or rows of lavender as asked. */
export const meadow: Scene = (stage) => {
  const { ink, palette, random, reading, width, height, unit, noise } = stage;
  const horizon = height * 0.58;
  const has = (thing: Parameters<typeof reading.things.has>[0]) => reading.things.has(thing);
  const low = reading.time === "sunset" || reading.time === "dawn";
  const body = {
    x: width * random.between(0.25, 0.75),
    y: low ? horizon - unit * 0.06 : height * random.between(0.14, 0.24),
    radius: unit * 0.04,
  };
  const wet = reading.weather === "rain";
  const air = sky(stage, { horizon: horizon + unit * 0.08, body: wet ? null : body, clouds: wet ? 0.85 : 0.6 });
  const dim = palette.dark ? 0.55 : low ? 0.22 : 0;
  const snowy = reading.season === "winter";
  const green = (share: number) =>
    snowy
      ? mix(palette.light, palette.haze, 0.1 + share * 0.25)
      : mix(mix(palette.leaf[2] as string, palette.leaf[1] as string, share), palette.deep, dim);
  const count = 5;
  const hills = Array.from({ length: count }, (_, i) => {
    const near = i / (count - 1);
    const start = random.between(0, 60);
    const base = horizon + unit * (0.03 + near ** 1.4 * 0.29);
    const line = profile(
      -20,
      width + 20,
      44,
      (x) => base - unit * (0.17 - near * 0.05) * noise.cloudy(start + (x / unit) * (2.2 - near), 1, 2),
    );
    const tone = mix(green(near), palette.haze, 0.62 - near * 0.6);
    const paint = ink.linear([
      [0, mix(tone, palette.glow, 0.32)],
      [0.22, tone],
      [1, mix(tone, palette.deep, 0.12 + near * 0.3)],
    ]);
    const at = (x: number) => (line[Math.max(0, Math.min(44, Math.round(((x + 20) / (width + 40)) * 44)))] as Point)[1];
    const hedge =
      i > 0 && i < 4
        ? firs(
            stage,
            at,
            mix(mix(palette.leaf[0] as string, palette.deep, 0.3 + dim * 0.5), palette.haze, 0.5 - near * 0.45),
            { count: 26, low: 8 + near * 14, high: 18 + near * 34 },
          )
        : "";
    return { near, at, body: hedge + path(below(line, height + 6, true), paint) };
  });
  const third = hills[3] as (typeof hills)[number];
  const tx = width * (random.chance(0.5) ? random.between(0.18, 0.34) : random.between(0.66, 0.82));
  const leaves = palette.leaf.map((tone) => mix(tone, palette.deep, dim));
  const tree =
    has("tree") || (!has("windmill") && !has("balloons") && random.chance(0.55))
      ? ellipse(tx + 10, third.at(tx) + 16, unit * 0.11, unit * 0.014, fade(palette.deep, 0.3)) +
        leafyTree(stage, tx, third.at(tx) + 16, unit * 0.3, leaves)
      : "";
  const mx = width - tx;
  const mill = has("windmill")
    ? windmill(stage, mx, (hills[2] as (typeof hills)[number]).at(mx) + 8, unit * 0.2)
    : () => "";
  const fleet = has("balloons")
    ? [
        [0.3, 0.27, 0.13],
        [0.7, 0.17, 0.085],
        [0.55, 0.42, 0.055],
        [0.14, 0.44, 0.045],
        [0.86, 0.4, 0.06],
      ].map(([x, y, s]) =>
        balloon(stage, width * (x as number) + random.bell() * 30, height * (y as number), unit * (s as number)),
      )
    : [];
  const bow = has("rainbow") ? rainbow(stage) : "";
  const field = horizon + unit * 0.23;
  const tones = snowy
    ? []
    : [
        mix(palette.leaf[0] as string, palette.deep, 0.25 + dim * 0.5),
        mix(palette.leaf[1] as string, palette.deep, 0.1 + dim * 0.6),
        mix(palette.leaf[2] as string, palette.glow, 0.15 - dim * 0.1),
      ];
  const lawn = snowy ? () => "" : grass(stage, field, 780, tones, 46);
  const colours = has("lavender")
    ? ["#8f6fd6", "#7a5cc4", "#b294ec"]
    : [palette.accents[0] as string, palette.accents[1] as string, palette.light, palette.accents[3] as string];
  const bloom =
    snowy || reading.season === "autumn"
      ? () => ""
      : wildflowers(
          stage,
          field,
          has("lavender") ? 170 : 46,
          colours.map((colour) => mix(colour, palette.deep, dim * 0.7)),
        );
  const falling = weather(stage);
  return (phase) =>
    air(phase) +
    bow +
    hills
      .map(
        ({ near, body: shape }, i) =>
          `<g transform="translate(${n(sway(phase) * near * 12)} 0)">${i === 2 ? mill(phase) : ""}${shape}${i === 3 ? tree : ""}</g>`,
      )
      .join("") +
    fleet.map((draw) => draw(phase)).join("") +
    lawn(phase) +
    bloom(phase) +
    falling(phase);
};
