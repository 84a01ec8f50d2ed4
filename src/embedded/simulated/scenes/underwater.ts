import { along, fade, mix } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { jellyfish, reef, school, whale } from "../drawing/sea-life.ts";
import { circle, ellipse, path, rect } from "../drawing/shapes.ts";
import { cycle, type Scene, sway } from "../drawing/stage.ts";

/** Below the surface: shafts of light, drifting life, bubbles. */
export const underwater: Scene = (stage) => {
  const { ink, palette, random, reading, width, height, unit } = stage;
  const water = [...palette.sky].reverse();
  const back = rect(
    0,
    0,
    width,
    height,
    ink.linear([
      [0, mix(water[0] as string, palette.glow, 0.2)],
      [0.22, along(water, 0.4)],
      [0.6, along(water, 0.75)],
      [1, mix(along(water, 1), palette.deep, 0.6)],
    ]),
  );
  const source = width * random.between(0.3, 0.7);
  const shafts = Array.from({ length: 9 }, () => {
    const [x, w] = [source + random.bell() * width * 0.7, random.between(0.02, 0.07) * width];
    return path(
      `M${n(source + (x - source) * 0.35 - w * 0.4)} -30H${n(source + (x - source) * 0.35 + w * 0.4)}L${n(x + w)} ${n(height * random.between(0.6, 0.95))}H${n(x - w)}Z`,
      ink.linear([fade(palette.glow, 0.5), fade(palette.glow, 0)]),
    );
  }).join("");
  const rays = ink.soft(shafts, 12);
  const sun = ellipse(
    source,
    -unit * 0.02,
    unit * 0.42,
    unit * 0.26,
    ink.radial([fade(palette.glow, 0.9), fade(palette.glow, 0)]),
  );
  const has = (thing: Parameters<typeof reading.things.has>[0]) => reading.things.has(thing);
  const jellies =
    has("jellyfish") || (!has("whale") && random.chance(0.3))
      ? [
          [0.5, 0.34, 0.11],
          [0.22, 0.56, 0.062],
          [0.78, 0.2, 0.052],
          [0.74, 0.64, 0.042],
        ].map(([x, y, s]) =>
          jellyfish(
            stage,
            width * (x as number) + random.bell() * 40,
            height * (y as number) + random.bell() * 30,
            unit * (s as number),
          ),
        )
      : [];
  const giant = has("whale") ? whale(stage) : () => "";
  const fish = jellies.length > 0 ? school(stage, 9) : school(stage, has("whale") ? 16 : 34);
  const floor = reef(stage);
  const bubbles = Array.from({ length: 46 }, () => ({
    x: random.between(0, width),
    y: random.next(),
    r: 1.2 + random.next() ** 3 * 9,
    beat: random.next(),
  }));
  const film = ink.radial([
    [0, fade("#ffffff", 0)],
    [0.7, fade("#ffffff", 0.08)],
    [1, fade("#ffffff", 0.5)],
  ]);
  return (phase) =>
    back +
    sun +
    `<g opacity="${n(0.85 + 0.15 * sway(phase))}" transform="translate(${n(sway(phase) * 12)} 0)">${rays}</g>` +
    giant(phase) +
    fish(phase) +
    jellies.map((draw) => draw(phase)).join("") +
    floor(phase) +
    bubbles
      .map(({ x, y, r, beat }) => circle(x + sway(phase, beat) * 6, height * (1 - cycle(phase, y)), r, film))
      .join("");
};
