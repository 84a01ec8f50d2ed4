import { fade, mix } from "./colour.ts";
import { ellipse, rect } from "./shapes.ts";
import { type Stage, sway } from "./stage.ts";

/** Still water below `level` that mirrors what `above` draws, darker and with ripples; `murk` hides the image, 0 to 1. */
export const mirror = (stage: Stage, level: number, murk = 0.18) => {
  const { ink, palette, width, height, random } = stage;
  const clip = ink.clip(`<rect x="0" y="${level}" width="${width}" height="${height - level}"/>`);
  const tint = ink.linear([
    fade(mix(palette.haze, palette.deep, 0.25 + murk * 0.5), murk),
    fade(mix(palette.deep, palette.sky[0] as string, 0.35), 0.82),
  ]);
  const ripples = Array.from({ length: 90 }, () => {
    const depth = random.next() ** 1.6;
    return {
      x: random.between(-20, width + 20),
      y: level + 3 + depth * (height - level),
      rx: 14 + depth * random.between(30, 130),
      beat: random.next(),
      colour: fade(random.chance(0.6) ? palette.light : palette.deep, random.between(0.04, 0.16)),
      ry: 0.7 + depth * 1.8,
    };
  });
  return (phase: number, above: string): string =>
    above +
    `<g clip-path="${clip}"><g transform="translate(0 ${2 * level}) scale(1 -1)">${above}</g>` +
    rect(0, level, width, height - level, tint) +
    ripples.map(({ x, y, rx, ry, beat, colour }) => ellipse(x + sway(phase, beat) * 9, y, rx, ry, colour)).join("") +
    rect(0, level, width, 2.5, fade(palette.light, 0.28)) +
    "</g>";
};

/** The path of light that a low sun or moon lays on the sea, from `level` to the bottom. */
export const glitter = (stage: Stage, x: number, level: number, strength = 1) => {
  const { random, palette, height, unit } = stage;
  const dashes = Array.from({ length: 190 }, () => {
    const depth = random.next() ** 1.25;
    const spread = unit * (0.018 + depth * 0.085);
    return {
      x: x + random.bell() * spread * 1.5,
      y: level + 2 + depth * (height - level),
      rx: (5 + depth * 32) * random.between(0.5, 1.4),
      ry: 0.9 + depth * 2.5,
      beat: random.next(),
      opacity: random.between(0.3, 0.9) * (1 - depth * 0.55) * strength,
    };
  });
  return (phase: number): string =>
    dashes
      .map(({ x, y, rx, ry, beat, opacity }) =>
        ellipse(
          x,
          y,
          rx * (1 + 0.25 * sway(phase, beat)),
          ry,
          fade(palette.glow, opacity * (0.75 + 0.25 * sway(phase * 2, beat))),
        ),
      )
      .join("");
};
