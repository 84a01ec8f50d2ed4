import { fade, mix, shade } from "../drawing/colour.ts";
import { circle, path, rect } from "../drawing/shapes.ts";
import { sky } from "../drawing/sky.ts";
import { type Scene, type Stage, sway } from "../drawing/stage.ts";
import { mirror } from "../drawing/water.ts";
import { weather } from "../drawing/weather.ts";
import { street } from "./street.ts";

type Tower = { x: number; y: number; w: number; h: number };

/** Windows of a tower as two paths: lit ones by colour, dark ones not at all. */
const windows = (stage: Stage, { x, y, w, h }: Tower, near: number, colours: readonly string[]): string => {
  const { random, palette } = stage;
  const [cell, tall] = [6 + near * 5, 8 + near * 6];
  const [columns, rows] = [Math.floor((w - 6) / cell), Math.floor((h - 8) / tall)];
  if (columns < 1 || rows < 1) return "";
  const share = palette.dark ? random.between(0.22, 0.55) : random.between(0.06, 0.2);
  const style = random.whole(0, 2);
  const paths = colours.map(() => "");
  const left = x + (w - columns * cell) / 2;
  for (let row = 0; row < rows; row++) {
    const whole = style === 2 && random.chance(0.3);
    for (let column = 0; column < columns; column++) {
      if (!whole && !random.chance(share)) continue;
      const pick = random.chance(0.8) ? 0 : random.whole(0, colours.length - 1);
      const [wx, wy] = [left + column * cell + 1, y + 6 + row * tall];
      paths[pick] +=
        `M${wx.toFixed(1)} ${wy.toFixed(1)}h${(style === 1 ? cell : cell - 2.4).toFixed(1)}v${(tall * 0.5).toFixed(1)}h${(style === 1 ? -cell : 2.4 - cell).toFixed(1)}z`;
    }
  }
  return paths.map((d, i) => (d ? path(d, fade(colours[i] as string, 0.35 + near * 0.55)) : "")).join("");
};

/** What stands on a roof. */
const crown = ({ random }: Stage, { x, y, w }: Tower): string => {
  const middle = x + w / 2;
  switch (random.whole(0, 5)) {
    case 0:
      return `M${middle - 1.5} ${y}V${y - w * 0.9}h3V${y}Z`;
    case 1:
      return `M${x + w * 0.2} ${y}V${y - w * 0.22}H${x + w * 0.8}V${y}ZM${middle - 1} ${y}V${y - w * 0.7}h2V${y}Z`;
    case 2:
      return `M${x} ${y}L${middle} ${y - w * 0.75}L${x + w} ${y}Z`;
    case 3:
      return `M${x} ${y}V${y - w * 0.3}L${x + w} ${y}Z`;
    default:
      return `M${x + w * 0.12} ${y}v-9h${w * 0.2}v9ZM${x + w * 0.6} ${y}v-6h${w * 0.22}v6Z`;
  }
};

/** One row of towers; `near` 0 is in the haze, 1 in front. */
const row = (stage: Stage, ground: number, near: number): string => {
  const { ink, palette, random, width, unit } = stage;
  const tone = mix(palette.haze, palette.deep, 0.3 + near * 0.62);
  const foot = mix(tone, palette.haze, 0.55 - near * 0.25);
  const face = ink.linear([tone, foot]);
  const side = fade(shade(tone, -0.35), 0.55);
  const edge = fade(mix(palette.glow, palette.haze, 0.3), palette.dark ? 0.16 : 0.3);
  const lights = [
    mix(palette.glow, "#ffc76b", 0.6),
    palette.accents[0] as string,
    palette.accents[1] as string,
    palette.light,
  ];
  let body = "";
  for (let x = -20; x < width + 20; ) {
    const w = unit * random.between(0.035, 0.085) * (0.7 + near * 0.5);
    const peak = 1 - Math.abs(x / width - 0.5) * 1.1;
    const h = unit * (0.08 + random.next() ** 1.7 * 0.3 * (1.25 - near * 0.55) + 0.13 * peak * (1 - near * 0.5));
    const tower = { x, y: ground - h, w, h };
    body += path(`M${x} ${ground}V${tower.y}H${x + w}V${ground}Z${crown(stage, tower)}`, face);
    body += rect(x + w * 0.72, tower.y, w * 0.28, h, side) + rect(x, tower.y, 1.4, h, edge);
    body += windows(stage, tower, near, lights);
    x += w * random.between(0.86, 1.35);
  }
  return body;
};

/** A skyline over water, or a street among towers. */
const skyline: Scene = (stage) => {
  const { ink, palette, random, width, height, unit } = stage;
  const ground = height * 0.7;
  const body = { x: width * random.between(0.25, 0.75), y: height * random.between(0.18, 0.42), radius: unit * 0.055 };
  const air = sky(stage, { horizon: ground, body: stage.reading.weather === "rain" ? null : body, clouds: 0.5 });
  const glow = ink.linear([
    fade(palette.haze, 0),
    fade(mix(palette.haze, palette.glow, 0.35), palette.dark ? 0.5 : 0.65),
  ]);
  const rows = [0.05, 0.38, 0.72, 1].map((near) => ({
    near,
    body: ink.plate(
      row(stage, ground, near) + (near < 1 ? rect(-30, ground - unit * 0.2, width + 60, unit * 0.2, glow) : ""),
    ),
  }));
  const blink = Array.from({ length: 6 }, () => ({
    x: random.between(0.05, 0.95) * width,
    y: ground - unit * random.between(0.25, 0.42),
    beat: random.next(),
  }));
  const water = mirror(stage, ground, 0.5);
  const lamps = Array.from({ length: 26 }, (_, i) => {
    const x = ((i + 0.5) / 26) * width;
    const colour = random.chance(0.7) ? mix(palette.glow, "#ffc76b", 0.5) : random.pick(palette.accents);
    const trail = ink.linear([fade(colour, 0.6), fade(colour, 0)]);
    return (
      circle(x, ground - 5, 2.6, colour) + rect(x - 2.6, ground + 2, 5.2, unit * random.between(0.05, 0.17), trail)
    );
  }).join("");
  const falling = weather(stage);
  return (phase) =>
    water(
      phase,
      air(phase) +
        rows
          .map(
            ({ near, body: towers }) =>
              `<g transform="translate(${(sway(phase) * near * 10).toFixed(1)} 0)">${towers}</g>`,
          )
          .join("") +
        (palette.dark
          ? blink.map(({ x, y, beat }) => circle(x, y, 2.2, fade("#ff5a4d", 0.4 + 0.5 * sway(phase, beat)))).join("")
          : ""),
    ) +
    (palette.dark ? lamps : "") +
    falling(phase);
};

export const city: Scene = (stage) => {
  const { reading } = stage;
  return reading.things.has("street") || reading.weather === "rain" ? street(stage) : skyline(stage);
};
