import { car } from "../drawing/car.ts";
import { palm } from "../drawing/coast.ts";
import { fade, mix } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { below, circle, many, path, profile, rect, stroke } from "../drawing/shapes.ts";
import { sky } from "../drawing/sky.ts";
import { cycle, type Picture, type Scene, type Stage, sway } from "../drawing/stage.ts";
import { weather } from "../drawing/weather.ts";

/** The striped sun of the eighties. */
const stripedSun = (stage: Stage, x: number, y: number, radius: number): string => {
  const { ink } = stage;
  const clip = ink.clip(
    many(12, (i) => {
      const top = y - radius + (i < 5 ? i * radius * 0.22 : radius * 1.1 + (i - 5) * radius * 0.13);
      const tall = i < 5 ? radius * 0.23 : radius * (0.1 - (i - 5) * 0.01);
      return `<rect x="${n(x - radius)}" y="${n(top)}" width="${n(radius * 2)}" height="${n(tall)}"/>`;
    }),
  );
  const halo = ink.radial([
    [0, "#ff4f9a99"],
    [0.5, "#ff4f9a33"],
    [1, "#ff4f9a00"],
  ]);
  return (
    circle(x, y, radius * 2.4, halo) +
    `<g clip-path="${clip}">${circle(
      x,
      y,
      radius,
      ink.linear([
        [0, "#fff27a"],
        [0.45, "#ff9a4d"],
        [1, "#ff2e97"],
      ]),
    )}</g>`
  );
};

/** A road to the horizon, with a car ahead; on a grid of light when the mood is neon. */
export const road: Scene = (stage) => {
  const { ink, palette, random, reading, width, height, unit, noise } = stage;
  const neon = palette.dark && palette.accents.includes("#ff2e97");
  const horizon = height * 0.56;
  const vanish = width * (neon ? 0.5 : random.between(0.42, 0.58));
  const radius = unit * (neon ? 0.19 : 0.05);
  const air = sky(stage, {
    horizon: horizon + 4,
    body: neon ? null : { x: vanish + random.bell() * width * 0.25, y: horizon - unit * 0.1, radius },
    clouds: neon ? 0.2 : 0.55,
  });
  const disc = neon ? stripedSun(stage, vanish, horizon - radius * 0.72, radius) : "";
  const hills = [0, 1, 2].map((i) => {
    const start = random.between(0, 90);
    const line = profile(-20, width + 20, 90, (x) => {
      const aside = Math.min(1, Math.abs(x - vanish) / (width * 0.4));
      return (
        horizon +
        2 -
        unit * (0.21 - i * 0.05) * (0.12 + aside) * (noise.ridged(start + (x / unit) * (3 + i), 4) - 0.3) * 1.3
      );
    });
    const tone = mix(palette.haze, palette.deep, 0.3 + i * 0.28);
    return (
      path(below(line, horizon + 3), ink.linear([tone, mix(tone, palette.haze, neon ? 0.2 : 0.6)])) +
      (neon ? stroke(below(line, horizon + 60), fade(palette.accents[i % 2] as string, 0.35), 1.2) : "")
    );
  });
  const soil = neon
    ? mix(palette.deep, palette.sky[1] as string, 0.35)
    : mix(mix(palette.leaf[1] as string, palette.haze, 0.35), palette.deep, palette.dark ? 0.6 : 0.25);
  const ground = rect(
    0,
    horizon,
    width,
    height - horizon,
    ink.linear([mix(soil, palette.haze, 0.5), mix(soil, palette.deep, 0.5)]),
  );
  const [farHalf, nearHalf] = [unit * 0.006, unit * 0.62];
  const at = (share: number) => ({
    y: horizon + share * (height - horizon) * 1.05,
    half: farHalf + (nearHalf - farHalf) * share,
    x: vanish + (width / 2 - vanish) * share,
  });
  const end = at(1);
  const asphalt = path(
    `M${n(vanish - farHalf)} ${n(horizon)}L${n(end.x - end.half)} ${n(end.y)}H${n(end.x + end.half)}L${n(vanish + farHalf)} ${n(horizon)}Z`,
    ink.linear([mix(palette.deep, palette.haze, 0.55), mix(palette.deep, "#15161a", 0.5)]),
  );
  const edges = [-0.94, 0.94]
    .map((side) =>
      path(
        `M${n(vanish)} ${n(horizon)}L${n(end.x + end.half * side)} ${n(end.y)}h${n(end.half * 0.035)}Z`,
        fade(neon ? (palette.accents[1] as string) : palette.light, 0.75),
      ),
    )
    .join("");
  const grid = neon
    ? many(
        26,
        (i) =>
          `<path d="M${n(vanish + (i - 12.5) * 4)} ${n(horizon)}L${n(width / 2 + (i - 12.5) * unit * 0.3)} ${n(height)}" stroke="${fade(palette.accents[0] as string, 0.5)}" stroke-width="1.4"/>`,
      )
    : "";
  const lines = (phase: number) =>
    neon
      ? many(14, (i) => {
          const y = horizon + ((i + cycle(phase)) / 14) ** 2.6 * (height - horizon);
          return rect(0, y, width, 0.8 + (i / 14) * 1.6, fade(palette.accents[0] as string, 0.45));
        })
      : "";
  const dashes = (phase: number) =>
    many(11, (i) => {
      const [a, b] = [((i + cycle(phase)) / 11) ** 2.4, ((i + 0.45 + cycle(phase)) / 11) ** 2.4];
      const [p, q] = [at(a), at(b)];
      return path(
        `M${n(p.x - p.half * 0.018)} ${n(p.y)}L${n(q.x - q.half * 0.018)} ${n(q.y)}H${n(q.x + q.half * 0.018)}L${n(p.x + p.half * 0.018)} ${n(p.y)}Z`,
        fade(palette.light, 0.85),
      );
    });
  const place = at(0.4);
  const vehicle = car(stage);
  const scale = ((place.half * 0.52) / 200).toFixed(3);
  const drawCar: Picture = (phase) =>
    `<g transform="translate(${n(place.x + place.half * 0.45)} ${n(place.y + Math.abs(sway(phase * 3)) * 1.2)}) scale(${scale})">${vehicle}</g>`;
  const showsCar = reading.things.has("car") || neon || random.chance(0.4);
  const palms =
    neon || reading.things.has("palms")
      ? [0.12, 0.22, 0.42, 0.75].flatMap((share) =>
          [-1, 1].map((side) => {
            const p = at(share);
            return palm(stage, p.x + side * p.half * 1.35, p.y, unit * (0.1 + share * 0.62), -side);
          }),
        )
      : [];
  const falling = weather(stage);
  return (phase) =>
    air(phase) +
    disc +
    hills.join("") +
    ground +
    grid +
    lines(phase) +
    asphalt +
    edges +
    dashes(phase) +
    palms.map((draw) => draw(phase)).join("") +
    (showsCar ? drawCar(phase) : "") +
    falling(phase);
};
