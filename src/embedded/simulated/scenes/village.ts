import { fade, mix, shade } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { below, circle, ellipse, type Point, path, profile, rect } from "../drawing/shapes.ts";
import { sky } from "../drawing/sky.ts";
import { type Picture, type Scene, type Stage, sway } from "../drawing/stage.ts";
import { fir, firs, leafyTree } from "../drawing/trees.ts";
import { weather } from "../drawing/weather.ts";

/** A gabled house on (`x`, `y`), `size` wide: front, side, roof (with snow in winter), lit windows, smoke. */
const house = (stage: Stage, x: number, y: number, size: number, near: number): Picture => {
  const { ink, palette, random } = stage;
  const winter = stage.reading.season === "winter" || stage.reading.weather === "snow";
  const flip = random.chance(0.5) ? -1 : 1;
  const wall = mix(
    mix(random.pick(["#8a5a44", "#6b4a3e", "#a47551", "#75685c", "#9c6b4f"]), palette.deep, palette.dark ? 0.5 : 0.12),
    palette.haze,
    (1 - near) * 0.45,
  );
  const side = shade(wall, -0.28);
  const roof = winter
    ? mix(palette.light, palette.haze, palette.dark ? 0.3 : 0.08)
    : mix(
        mix(palette.accents[0] as string, "#7a3b2e", 0.55),
        palette.haze,
        (1 - near) * 0.4 + (palette.dark ? 0.2 : 0),
      );
  const roofPaint = ink.linear([
    [0, shade(roof, 0.15)],
    [1, mix(roof, palette.haze, 0.45)],
  ]);
  const [f, d, h, g] = [size * 0.46, size * 0.54, size * random.between(0.34, 0.44), size * random.between(0.36, 0.46)];
  const lamp = mix("#ffc45e", palette.glow, 0.2);
  const lit = ink.radial([
    [0, shade(lamp, 0.45)],
    [1, lamp],
  ]);
  const halo = ink.radial([
    [0, fade(lamp, palette.dark ? 0.5 : 0.15)],
    [1, fade(lamp, 0)],
  ]);
  const pane = (wx: number, wy: number, w: number, tall: number) => {
    const on = palette.dark || random.chance(0.4);
    return (
      rect(
        wx,
        wy,
        w,
        tall,
        on ? lit : mix(palette.deep, palette.sky[1] as string, 0.4),
        `stroke="${shade(wall, -0.45)}" stroke-width="${n(size * 0.012)}"`,
      ) +
      path(
        `M${n(wx + w / 2)} ${n(wy)}v${n(tall)}M${n(wx)} ${n(wy + tall / 2)}h${n(w)}`,
        "none",
        `stroke="${shade(wall, -0.45)}" stroke-width="${n(size * 0.011)}"`,
      )
    );
  };
  const o = size * 0.05;
  const body =
    path(`M${f} 0H${f + d}V${-h}H${f}Z`, side) +
    path(
      `M0 0V${-h}L${f / 2} ${-h - g}L${f} ${-h}V0Z`,
      ink.linear([
        [0, shade(wall, 0.08)],
        [1, shade(wall, -0.12)],
      ]),
    ) +
    path(
      `M${f / 2} ${-h - g - o * 0.5}L${f / 2 + d + o} ${-h - g - o * 0.5}L${f + d + o} ${-h + o * 0.7}L${f + o * 0.8} ${-h + o * 0.9}Z`,
      roofPaint,
    ) +
    path(
      `M${-o} ${-h + o}L${f / 2} ${-h - g - o}L${f + o} ${-h + o}L${f + o * 0.2} ${-h + o * 0.9}L${f / 2} ${-h - g + o * 1.1}L${-o * 0.2} ${-h + o}Z`,
      shade(roof, winter ? 0.25 : -0.15),
    ) +
    pane(f * 0.16, -h * 0.82, f * 0.24, h * 0.36) +
    rect(f * 0.58, -h * 0.64, f * 0.24, h * 0.64, mix(palette.accents[0] as string, palette.deep, 0.55)) +
    pane(f * 0.4, -h - g * 0.45, f * 0.2, g * 0.26) +
    pane(f + d * 0.16, -h * 0.76, d * 0.24, h * 0.34) +
    pane(f + d * 0.6, -h * 0.76, d * 0.24, h * 0.34);
  const cx = f / 2 + d * 0.55;
  const chimney =
    rect(cx, -h - g - size * 0.13, size * 0.075, size * 0.2, shade(wall, -0.2)) +
    (winter ? rect(cx - 1, -h - g - size * 0.15, size * 0.09, size * 0.03, roof) : "");
  const glow =
    ellipse(f * 0.45, -h * 0.3, size * 0.6, size * 0.45, halo) +
    ellipse(size * 0.5, size * 0.06, size * 0.75, size * 0.13, halo);
  const puff = ink.radial([
    [0, fade(palette.light, 0.3)],
    [1, fade(palette.light, 0)],
  ]);
  const smokes = random.chance(0.7);
  return (phase) => {
    let smoke = "";
    for (let i = 0; smokes && i < 7; i++) {
      const rise = (i + phase) / 7;
      const px = cx + size * 0.04 + Math.sin(rise * 5 + x) * size * 0.07 * rise * 2 + rise * size * 0.16;
      smoke += ellipse(
        px,
        -h - g - size * 0.16 - rise * size * 0.62,
        size * (0.035 + rise * 0.09),
        size * (0.035 + rise * 0.075),
        puff,
        `opacity="${n(Math.sin(Math.PI * Math.min(1, rise * 1.02)) * 1)}"`,
      );
    }
    const flicker = 0.92 + 0.08 * sway(phase * 2, x / 100);
    return `<g transform="translate(${n(flip < 0 ? x + size : x)} ${n(y)}) scale(${flip} 1)">${smoke}${chimney}${body}<g opacity="${flicker.toFixed(2)}">${glow}</g></g>`;
  };
};

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
    const line = hill(horizon + unit * (0.06 + i * 0.07), unit * (0.3 - i * 0.1), random.between(0, 50));
    const tone = mix(mix(soil, palette.deep, winter ? 0.2 : 0.3), palette.haze, 0.6 - i * 0.25);
    return (
      firs(stage, (x) => at(line, x), mix(palette.deep, palette.haze, 0.5 - i * 0.22), {
        count: 170,
        low: 14 + i * 10,
        high: 34 + i * 22,
      }) +
      path(
        below(line, height, true),
        ink.linear([
          [0, tone],
          [1, mix(tone, palette.haze, 0.3)],
        ]),
      )
    );
  });
  const slopes = [0, 1, 2].map((i) => {
    const near = i / 2;
    const line = hill(horizon + unit * (0.2 + near * 0.28), unit * 0.13, random.between(0, 50));
    const tone = mix(soil, palette.deep, palette.dark ? 0.1 + near * 0.12 : near * 0.12);
    const paint = ink.linear([
      [0, shade(tone, winter ? 0.18 : 0.06)],
      [0.5, tone],
      [1, mix(tone, palette.deep, 0.35)],
    ]);
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
    return { near, paint: path(below(line, height + 5, true), paint), houses, trees };
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
    ranges.join("") +
    slopes
      .map(
        ({ near, paint, houses, trees }) =>
          `<g transform="translate(${n(sway(phase) * near * 12)} 0)">${trees}${paint}${houses.map((draw) => draw(phase)).join("")}</g>`,
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
