import { fade, mix, shade } from "../drawing/colour.ts";
import { reliefRaster } from "../drawing/relief.ts";
import { below, type Point, path, profile, rect } from "../drawing/shapes.ts";
import { sky } from "../drawing/sky.ts";
import { type Scene, type Stage, sway } from "../drawing/stage.ts";
import { fir, firs } from "../drawing/trees.ts";
import { mirror } from "../drawing/water.ts";
import { weather } from "../drawing/weather.ts";

const STEPS = 180;

/** A crest with a few dominant peaks and broken flanks. */
const range = ({ noise, random, width, unit }: Stage, base: number, rise: number): Point[] => {
  const start = random.between(0, 100);
  const count = random.whole(3, 5);
  const peaks = Array.from({ length: count }, (_, i) => ({
    x: width * ((i + random.between(0.15, 0.85)) / count),
    tall: rise * (i === count >> 1 ? 1 : random.between(0.5, 0.9)),
    wide: unit * random.between(0.34, 0.5),
  }));
  return profile(-20, width + 20, STEPS, (x) => {
    const height = Math.max(...peaks.map((peak) => peak.tall * (1 - (Math.abs(x - peak.x) / peak.wide) ** 0.9)), 0);
    const broken = (noise.ridged(start + (x / unit) * 7, 5) - 0.5) * rise * 0.3;
    return base - height - broken - rise * 0.1;
  });
};

/** A rolling ridge. */
const ridge = ({ noise, random, width, unit }: Stage, base: number, rise: number, roughness: number): Point[] => {
  const start = random.between(0, 100);
  return profile(
    -20,
    width + 20,
    STEPS,
    (x) => base - rise * (noise.ridged(start + (x / unit) * roughness, 5) - 0.35) * 1.5,
  );
};

/** Tall firs at one or both sides, near the eye. */
const frame = (stage: Stage, fill: string): string => {
  const { random, width, height, unit } = stage;
  const sides = random.chance(0.4) ? [0, 1] : [random.whole(0, 1)];
  const d = sides.map((side) =>
    Array.from({ length: 6 }, (_, i) => {
      const away = (i / 5) ** 1.3 * width * 0.24 + random.between(-12, 12);
      const tall = unit * random.between(0.26, 0.42) * (1 - (i / 6) * 0.55);
      return fir(stage, side ? width - away : away, height + 12, tall);
    }).join(""),
  );
  return path(d.join(""), fill);
};

/** Peaks and ridges one behind the other, each fading into the mist at its foot; with a lake if asked for. */
export const mountains: Scene = (stage) => {
  const { ink, palette, random, reading, width, height, unit } = stage;
  const lake = reading.things.has("lake");
  const ground = height * (lake ? 0.64 : 0.74);
  const body = { x: width * random.between(0.2, 0.8), y: height * random.between(0.15, 0.27), radius: unit * 0.034 };
  const air = sky(stage, { horizon: ground, body, clouds: reading.weather ? 0.6 : 0.45 });
  const from = body.x > width / 2 ? 1 : -1;
  const pale = mix(palette.light, palette.glow, 0.5);
  const count = 6;
  const layers = Array.from({ length: count }, (_, i) => {
    const near = i / (count - 1);
    const high = i < 2;
    const base = high
      ? ground - height * (0.06 - i * 0.05)
      : ground - height * (0.12 - near * 0.14) + (lake ? 0 : near ** 2 * height * 0.12);
    const rise = high ? unit * (0.36 - i * 0.14) : unit * (0.17 - near * 0.08);
    const line = high ? range(stage, base, rise) : ridge(stage, base, rise, 1.8 + near * 1.6);
    const soil = high
      ? palette.deep
      : mix(palette.deep, palette.leaf[near < 0.7 ? 1 : 0] as string, palette.dark ? 0.18 : 0.5);
    const tone = mix(palette.haze, soil, 0.22 + near ** 1.3 * 0.74);
    const [top, low] = [Math.min(...line.map(([, y]) => y)), base + unit * 0.06];
    const clip = ink.clip(`<path d="${below(line, height)}"/>`);
    const rock = path(
      below(line, height),
      ink.linear([
        [0, tone],
        [0.4, mix(tone, palette.haze, 0.25)],
        [1, mix(tone, palette.haze, 0.7 - near * 0.5)],
      ]),
    );
    const look = {
      lit: mix(tone, palette.glow, 0.22),
      dark: shade(tone, -0.34),
      snowLit: mix(pale, palette.haze, 0.12 + i * 0.1),
      snowDark: mix(mix(pale, tone, 0.55), palette.sky[1] as string, 0.25),
      snow: reading.season === "winter" ? 0.7 : 0.13,
      from: from as 1 | -1,
    };
    const face = high ? ink.raster(reliefRaster(stage, line, top, low, look), -20, top, width + 40, low - top) : "";
    const mist = ink.linear([fade(palette.haze, 0), fade(mix(palette.haze, palette.light, 0.15), 0.95 - near * 0.5)]);
    const veil = rect(-20, base - unit * (high ? 0.16 : 0.06), width + 40, unit * (high ? 0.22 : 0.15), mist);
    const at = (x: number) =>
      (line[Math.max(0, Math.min(STEPS, Math.round(((x + 20) / (width + 40)) * STEPS)))] as Point)[1];
    const trees =
      i >= count - 2
        ? firs(stage, at, shade(tone, -0.2), { count: 150, low: 14 + near * 12, high: 30 + near * 56 })
        : "";
    return { near, body: `${trees}${rock}<g clip-path="${clip}">${face}${i < count - 1 ? veil : ""}</g>` };
  });
  const front = frame(stage, mix(palette.deep, "#000000", 0.3));
  const water = lake ? mirror(stage, ground) : null;
  const falling = weather(stage);
  return (phase) => {
    const land =
      air(phase) +
      layers
        .map(({ near, body }) => `<g transform="translate(${(sway(phase) * near * 12).toFixed(1)} 0)">${body}</g>`)
        .join("");
    return `${water ? water(phase, land) : land}<g transform="translate(${(sway(phase) * 20).toFixed(1)} 0)">${front}</g>${falling(phase)}`;
  };
};
