import { fade, mix, shade } from "../drawing/colour.ts";
import { sign } from "../drawing/neon-sign.ts";
import { type Project, projection, quad } from "../drawing/perspective.ts";
import { ellipse, path } from "../drawing/shapes.ts";
import { sky } from "../drawing/sky.ts";
import { type Picture, type Scene, type Stage, sway } from "../drawing/stage.ts";
import { weather } from "../drawing/weather.ts";

/** One house front along the street, with rows of windows. */
const front = (stage: Stage, project: Project, side: number, z0: number, z1: number, tall: number): string => {
  const { ink, palette, random } = stage;
  const far = Math.min(1, (z0 - 1) / 6.5);
  const tone = mix(mix(palette.deep, palette.sky[1] as string, 0.35), palette.haze, far * 0.75);
  const paint = ink.linear([
    [0, shade(tone, -0.2)],
    [0.75, tone],
    [1, mix(tone, palette.accents[random.whole(0, 2)] as string, 0.3)],
  ]);
  const lights = [mix(palette.glow, "#ffc76b", 0.5), palette.accents[1] as string, palette.accents[0] as string];
  const lit = lights.map(() => "");
  const [rows, columns] = [Math.round(tall * 7.5), Math.max(3, Math.round((z1 - z0) * 8.5))];
  for (let r = 1; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      if (!random.chance(0.36)) continue;
      const pick = random.chance(0.72) ? 0 : random.whole(1, 2);
      const step = (z1 - z0) / columns;
      const za = z0 + step * (c + 0.2);
      const y = (r / rows) * tall;
      lit[pick] += quad(project, side, y + 0.03, y + 0.03 + (tall / rows) * 0.5, za, za + step * 0.6);
    }
  }
  return (
    path(quad(project, side, 0, tall, z0, z1), paint) +
    lit.map((d, i) => path(d, fade(lights[i] as string, (1 - far * 0.5) * 0.8))).join("")
  );
};

/** Someone under an umbrella, seen from behind. */
const walker = (stage: Stage, project: Project): Picture => {
  const { palette, random } = stage;
  const [x, y] = project(random.between(-0.35, 0.35), 0, 1.75);
  const s = stage.unit * 0.0021;
  const colour = random.pick(palette.accents.slice(0, 3));
  const dark = mix(palette.deep, "#000000", 0.35);
  const body =
    path("M-10 0L-8 -34C-20 -36 -20 -74 -9 -84H9C20 -74 20 -36 8 -34L11 0H3L1 -32H-1L-3 0Z", dark) +
    path("M0 -88V-132", "none", `stroke="${dark}" stroke-width="2"`) +
    ellipse(0, -90, 7, 8, dark) +
    path(
      "M-44 -104C-40 -142 40 -142 44 -104C36 -110 28 -110 22 -104C14 -111 -14 -111 -22 -104C-28 -110 -36 -110 -44 -104Z",
      mix(colour, dark, 0.25),
    ) +
    path(
      "M-44 -104C-40 -142 0 -140 0 -134C-20 -132 -24 -118 -22 -104C-28 -110 -36 -110 -44 -104Z",
      fade(mix(colour, "#ffffff", 0.35), 0.7),
    );
  return (phase) => {
    const step = Math.abs(sway(phase * 2)) * 1.5;
    return (
      `<g transform="translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${s.toFixed(3)} ${(-s * 0.8).toFixed(3)})" opacity="0.32">${body}</g>` +
      `<g transform="translate(${x.toFixed(1)} ${(y - step).toFixed(1)}) scale(${s.toFixed(3)})">${body}</g>`
    );
  };
};

/** Between tall houses at night or in the rain: signs, lit windows and their light on the wet ground. */
export const street: Scene = (stage) => {
  const { ink, palette, random, width, height, unit } = stage;
  const horizon = height * 0.58;
  const project = projection(stage, horizon);
  const air = sky(stage, { horizon: height * 0.66, body: null, clouds: 0.6, stars: false });
  const glow = ink.radial([
    [0, fade(mix(palette.glow, palette.haze, 0.25), 0.95)],
    [0.4, fade(palette.haze, 0.6)],
    [1, fade(palette.haze, 0)],
  ]);
  const haze = ellipse(width / 2, horizon, unit * 0.42, unit * 0.36, glow);
  const fronts = [-1, 1].flatMap((side) => {
    const list: { z: number; body: string }[] = [];
    for (let z = 0.55; z < 8; ) {
      const next = z + random.between(0.5, 0.9) * (0.7 + z * 0.35);
      list.push({ z, body: front(stage, project, side, Math.max(z, 0.6), next, random.between(1.2, 2.9)) });
      z = next;
    }
    return list;
  });
  const signs = Array.from({ length: 22 }, (_, i) => sign(stage, project, i % 2 ? 1 : -1));
  const solid = [...fronts.map(({ z, body }) => ({ z, draw: () => body })), ...signs].sort((a, b) => b.z - a.z);
  const ground = path(
    `M0 ${height}V${horizon + 2}H${width}V${height}Z`,
    ink.linear([
      [0, mix(palette.haze, palette.deep, 0.35)],
      [0.35, mix(palette.deep, palette.haze, 0.25)],
      [1, mix(palette.deep, "#000000", 0.3)],
    ]),
  );
  const pool = ink.radial([fade(palette.glow, 0.6), fade(palette.glow, 0)]);
  const shine = ellipse(width / 2, horizon + unit * 0.1, unit * 0.16, unit * 0.3, pool);
  // Wet ground: every sign stretches into a column of light below it.
  const trails = signs.map(({ x, z, colour }) => {
    const [, foot] = project(0, 0, z);
    const paint = ink.linear([
      [0, fade(colour, 0)],
      [0.18, fade(colour, 0.75)],
      [1, fade(colour, 0)],
    ]);
    return ellipse(
      x + (width / 2 - x) * 0.1,
      foot + (unit * 0.34) / z,
      (unit * 0.055) / z ** 0.6,
      (unit * 0.42) / z ** 0.7,
      paint,
    );
  });
  const wet = ink.soft(shine + trails.join(""), 13);
  const ripples = Array.from({ length: 130 }, () => {
    const near = random.next() ** 1.4;
    return {
      x: random.between(0, width),
      y: horizon + 12 + near * (height - horizon),
      rx: 6 + near * random.between(14, 60),
      ry: 0.7 + near * 1.7,
      beat: random.next(),
      colour: fade(random.chance(0.45) ? random.pick(palette.accents) : palette.deep, random.between(0.1, 0.34)),
    };
  });
  const person = walker(stage, project);
  const falling = weather(stage);
  return (phase) =>
    air(phase) +
    haze +
    ground +
    solid.map(({ draw }) => draw(phase)).join("") +
    wet +
    ripples.map(({ x, y, rx, ry, beat, colour }) => ellipse(x + sway(phase, beat) * 5, y, rx, ry, colour)).join("") +
    person(phase) +
    falling(phase);
};
