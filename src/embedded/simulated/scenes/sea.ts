import { boat, lighthouse, palm } from "../drawing/coast.ts";
import { along, fade, mix, shade } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { below, type Point, path, profile, rect } from "../drawing/shapes.ts";
import { sky } from "../drawing/sky.ts";
import { type Picture, type Scene, type Stage, sway } from "../drawing/stage.ts";
import { glitter } from "../drawing/water.ts";
import { weather } from "../drawing/weather.ts";

/** Headlands far away, in the haze. */
const headlands = (stage: Stage, level: number): string => {
  const { noise, random, palette, width, unit, ink } = stage;
  const layers = random.whole(1, 2);
  return Array.from({ length: layers }, (_, i) => {
    const side = random.chance(0.5) ? 1 : -1;
    const start = random.between(0, 80);
    const reach = random.between(0.35, 0.62);
    const points = profile(-10, width + 10, 70, (x) => {
      const share = side > 0 ? x / width : 1 - x / width;
      const body = Math.max(0, 1 - share / reach);
      return (
        level -
        unit * (0.02 + 0.075 * i) * body ** 0.6 -
        unit * 0.07 * body ** 0.5 * noise.cloudy(start + (x / unit) * 5, 1, 4)
      );
    });
    const tone = mix(palette.haze, palette.deep, 0.25 + i * 0.22);
    return path(below(points, level + 1), ink.linear([tone, mix(tone, palette.haze, 0.6)]));
  }).join("");
};

/** How rough the water is: 1 is a light breeze. */
const roughness = ({ reading }: Stage): number =>
  reading.things.has("surf") ? 2.1 : reading.weather === "rain" ? 1.9 : reading.time === "day" ? 1.1 : 0.9;

/** Swell: bands that grow towards the eye, and wavelets that catch the light of the sky. */
const swell = (stage: Stage, level: number): Picture => {
  const { palette, random, width, height, ink } = stage;
  const rough = roughness(stage);
  const deepWater = mix(palette.deep, palette.sky[0] as string, 0.5);
  const count = 9;
  const bands = Array.from({ length: count }, (_, i) => {
    const near = (i + 1) / count;
    const tone = mix(along([...palette.sky].reverse(), near * 0.8), deepWater, 0.3 + near * 0.45);
    const paint = ink.linear([
      [0, fade(mix(tone, palette.light, 0.16 * near), 0.6)],
      [0.35, fade(tone, 0.5)],
      [1, fade(shade(tone, -0.12), 0)],
    ]);
    return {
      near,
      y: level + near ** 1.8 * (height - level),
      tall: (1 + near ** 1.7 * 26) * rough,
      a: random.between(1.4, 2.4) / (0.25 + near * 0.8),
      b: random.between(4, 6) / (0.3 + near),
      from: random.next(),
      paint,
      dir: random.chance(0.5) ? 1 : -1,
    };
  });
  const wavelets = Array.from({ length: 330 }, () => {
    const near = random.next() ** 1.5;
    const bright = random.chance(0.58);
    const light = along(palette.sky, 1 - near * 0.55);
    return {
      near,
      x: random.between(-60, width + 60),
      y: level + 3 + near * (height - level),
      long: (6 + near * random.between(24, 105)) * (0.7 + rough * 0.3),
      tall: (0.6 + near * random.between(2, 7)) * rough,
      beat: random.next(),
      colour: fade(bright ? mix(light, palette.light, 0.35) : deepWater, random.between(0.12, 0.4) * (1 - near * 0.3)),
    };
  }).sort((p, q) => p.y - q.y);
  return (phase) =>
    bands
      .map(({ near, y, tall, a, b, from, paint, dir }) => {
        const points = profile(-30, width + 30, 30, (x) => {
          const u = x / width;
          const wave =
            Math.sin((u * a + from + dir * phase) * 6.283) * 0.65 +
            Math.sin((u * b + from * 3 - dir * phase * 2) * 6.283) * 0.25;
          return y - tall * (0.5 + wave * 0.5);
        });
        return path(below(points, Math.min(height + 4, y + 30 + near * 170), true), paint);
      })
      .join("") +
    wavelets
      .map(({ near, x, y, long, tall, beat, colour }) => {
        const [px, py] = [x + sway(phase, beat) * (3 + near * 16), y + sway(phase, beat + 0.25) * near * 4 * rough];
        return path(
          `M${n(px - long)} ${n(py)}Q${n(px - long * 0.2)} ${n(py - tall * 1.9)} ${n(px + long)} ${n(py)}Q${n(px)} ${n(py - tall * 0.5)} ${n(px - long)} ${n(py)}Z`,
          colour,
        );
      })
      .join("");
};

/** A beach in the lower corner, with foam at the water's edge. */
const beach = (stage: Stage): Picture => {
  const { ink, palette, width, height, random } = stage;
  const left = random.chance(0.5);
  const sand = mix("#e8cfa4", palette.haze, 0.3);
  const sandPaint = ink.linear([
    mix(sand, palette.deep, palette.dark ? 0.6 : 0.12),
    mix(sand, palette.deep, palette.dark ? 0.8 : 0.3),
  ]);
  const edge = (shift: number): Point[] =>
    profile(-20, width + 20, 12, (x) => {
      const share = Math.max(0, left ? x / width : 1 - x / width);
      return height * (0.82 + 0.13 * share ** 1.4) + Math.sin(share * 7) * 9 + shift;
    });
  const palms = stage.reading.things.has("palms")
    ? [0, 1].map((i) =>
        palm(
          stage,
          left ? width * (0.1 + i * 0.13) : width * (0.9 - i * 0.13),
          height * (0.93 + i * 0.03),
          stage.unit * (0.5 - i * 0.12),
          left ? 1 : -1,
        ),
      )
    : [];
  return (phase) => {
    const reach = sway(phase) * 7;
    return (
      path(below(edge(reach - 16), height + 9, true), fade(palette.light, 0.28)) +
      path(below(edge(reach - 6), height + 9, true), fade("#ffffff", palette.dark ? 0.25 : 0.7)) +
      path(below(edge(4), height + 9, true), sandPaint) +
      palms.map((draw) => draw(phase)).join("")
    );
  };
};

/** Open water under a low light, with boats, a lighthouse, an island or a beach as asked. */
export const sea: Scene = (stage) => {
  const { ink, palette, random, reading, width, height, unit } = stage;
  const level = height * random.between(0.5, 0.57);
  const low = reading.time !== "day";
  const body = {
    x: width * random.between(0.32, 0.68),
    y: low && !palette.dark ? level - unit * random.between(0.02, 0.08) : level * 0.38,
    radius: unit * (low ? 0.052 : 0.04),
  };
  const overcast = reading.weather === "rain" || reading.weather === "fog";
  const air = sky(stage, {
    horizon: level,
    body: overcast ? null : body,
    clouds: reading.weather === "rain" ? 0.85 : 0.55,
  });
  const far = headlands(stage, level);
  const mirrored = [...palette.sky]
    .reverse()
    .map((colour, i, all) => [i / (all.length - 1), mix(colour, palette.deep, 0.08 + (i / all.length) * 0.3)] as const);
  const water = rect(0, level, width, height - level, ink.linear(mirrored));
  const shine = glitter(stage, body.x, level, overcast ? 0.25 : 1);
  const waves = swell(stage, level);
  const rim = rect(0, level - 1, width, 2, fade(palette.light, 0.35));
  const things = reading.things;
  const boats = things.has("boats")
    ? [0.17, 0.3, 0.52].map((depth, i) =>
        boat(
          stage,
          width * ([0.72, 0.3, 0.58][i] as number) + random.bell() * width * 0.09,
          level + (height - level) * depth ** 1.6 * 0.7,
          unit * (0.05 + depth * 0.33),
        ),
      )
    : [];
  const tower = things.has("lighthouse") ? lighthouse(stage, level) : () => "";
  const shore = things.has("palms") || things.has("island") || random.chance(0.25) ? beach(stage) : () => "";
  const falling = weather(stage);
  return (phase) =>
    air(phase) +
    far +
    water +
    rim +
    tower(phase) +
    waves(phase) +
    shine(phase) +
    boats.map((draw) => draw(phase)).join("") +
    shore(phase) +
    falling(phase);
};
