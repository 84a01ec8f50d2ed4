import { fade, mix } from "./colour.ts";
import { circle, many } from "./shapes.ts";
import { cycle, type Picture, type Stage, sway } from "./stage.ts";

/** Rain as slanted threads, far ones fine, near ones long; falls a whole number of heights per loop. */
const rain = ({ random, width, height, palette }: Stage): Picture => {
  const colour = mix(palette.light, palette.haze, 0.3);
  const drops = Array.from({ length: 330 }, () => {
    const near = random.next() ** 2.2;
    return { x: random.between(-60, width + 60), y: random.next(), near, laps: near > 0.4 ? 3 : 2 };
  });
  return (phase) => {
    let [fine, bold] = ["", ""];
    for (const { x, y, near, laps } of drops) {
      const length = 18 + near * 62;
      const top = cycle(phase * laps, y) * (height + 200) - 100;
      const d = `M${x.toFixed(1)} ${top.toFixed(1)}l${(-length * 0.12).toFixed(1)} ${length.toFixed(1)}`;
      if (near > 0.4) bold += d;
      else fine += d;
    }
    return (
      `<path d="${fine}" fill="none" stroke="${fade(colour, 0.25)}" stroke-width="1"/>` +
      `<path d="${bold}" fill="none" stroke="${fade(colour, 0.3)}" stroke-width="1.7" stroke-linecap="round"/>`
    );
  };
};

/** Snowflakes of three depths that sway while they fall; the nearest are out of focus. */
const snow = (stage: Stage): Picture => {
  const { random, width, height, ink } = stage;
  const soft = ink.radial([
    [0, "#ffffffee"],
    [0.45, "#ffffff99"],
    [1, "#ffffff00"],
  ]);
  const flakes = Array.from({ length: 260 }, () => {
    const near = random.next() ** 3;
    return { x: random.between(0, width), y: random.next(), near, beat: random.next(), laps: near > 0.5 ? 2 : 1 };
  });
  return (phase) =>
    flakes
      .map(({ x, y, near, beat, laps }) => {
        const top = cycle(phase * laps, y) * (height + 40) - 20;
        const left = x + sway(phase, beat) * (6 + near * 14);
        return near > 0.35
          ? circle(left, top, 4 + near * 11, soft, `opacity="${0.75 - near * 0.4}"`)
          : circle(left, top, 1 + near * 6, "#ffffffd0");
      })
      .join("");
};

/** Banks of fog, thickest near the ground. */
const fog = ({ ink, width, height, palette, random }: Stage): Picture => {
  const paint = ink.radial([
    [0, fade(palette.haze, 0.5)],
    [0.6, fade(palette.haze, 0.24)],
    [1, fade(palette.haze, 0)],
  ]);
  const banks = Array.from({ length: 6 }, (_, i) => ({
    x: random.between(0, width),
    y: height * (0.5 + i * 0.085),
    rx: width * random.between(0.35, 0.6),
    beat: random.next(),
  }));
  return (phase) =>
    many(banks.length, (i) => {
      const { x, y, rx, beat } = banks[i] as (typeof banks)[number];
      return `<ellipse cx="${(x + sway(phase, beat) * 18).toFixed(1)}" cy="${y.toFixed(1)}" rx="${rx.toFixed(1)}" ry="${(height * 0.075).toFixed(1)}" fill="${paint}"/>`;
    });
};

/** What falls or hangs in the air, drawn over the scene. */
export const weather = (stage: Stage): Picture => {
  switch (stage.reading.weather) {
    case "rain":
      return rain(stage);
    case "snow":
      return snow(stage);
    case "fog":
      return fog(stage);
    default:
      return () => "";
  }
};
