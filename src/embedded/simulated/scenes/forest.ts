import { cloudRaster } from "../drawing/clouds.ts";
import { along, fade, mix } from "../drawing/colour.ts";
import { n, type Stop } from "../drawing/ink.ts";
import { ellipse, path, rect } from "../drawing/shapes.ts";
import { stars } from "../drawing/sky.ts";
import { cycle, type Picture, type Scene, sway } from "../drawing/stage.ts";
import { weather } from "../drawing/weather.ts";
import { canopy, trunk, walk } from "../drawing/woods.ts";

/** Trees around a path, with light falling in from behind. */
export const forest: Scene = (stage) => {
  const { ink, palette, random, reading, width, height, unit } = stage;
  const horizon = height * 0.6;
  const far = width * random.between(0.4, 0.6);
  const [leafDark, leafMid, leafLight] = [palette.leaf[0], palette.leaf[1], palette.leaf[2]] as [
    string,
    string,
    string,
  ];
  const air = mix(palette.haze, leafLight, palette.dark ? 0.1 : 0.35);
  const back: Stop[] = [
    [0, mix(palette.sky[0] as string, leafMid, 0.35)],
    [0.45, mix(air, palette.glow, 0.3)],
    [0.62, air],
    [1, mix(palette.deep, leafMid, 0.3)],
  ];
  const backdrop = rect(0, 0, width, height, ink.linear(back));
  const sunlight = ink.radial([
    [0, fade(palette.glow, palette.dark ? 0.6 : 1)],
    [0.25, fade(palette.glow, 0.6)],
    [1, fade(air, 0)],
  ]);
  const glow = ellipse(far, horizon - unit * 0.1, unit * 0.5, unit * 0.5, sunlight);
  const foliage = (cover: number, opacity: number, lit: string, dark: string, top: number, bottom: number) =>
    ink.raster(
      cloudRaster(stage, { cover, stretch: 1.4, lit, dark, opacity, grain: 6 }),
      -20,
      top,
      width + 40,
      bottom - top,
    );
  const depth = 5;
  const layers = Array.from({ length: depth }, (_, i) => {
    const near = i / (depth - 1);
    const tone = mix(air, mix(palette.deep, leafDark, 0.25), 0.22 + near ** 1.1 * 0.74);
    const count = Math.round(19 - near * 14);
    const foot = horizon + near ** 1.8 * (height * 0.47);
    const trees = Array.from({ length: count }, (_, k) => {
      const x = ((k + random.between(0.15, 0.85)) / count) * width * 1.1 - width * 0.05;
      const clear = Math.abs(x - far) < width * (0.05 + near * 0.2);
      const lit = mix(tone, palette.glow, 0.34 - near * 0.12);
      return clear
        ? ""
        : trunk(
            stage,
            x,
            foot + random.bell() * 8 + near * 12,
            unit * (0.011 + near ** 1.5 * 0.065) * random.between(0.75, 1.25),
            tone,
            lit,
            x < far ? 1 : -1,
          );
    }).join("");
    const tones = [
      mix(leafDark, air, 0.55 - near * 0.5),
      mix(leafMid, air, 0.5 - near * 0.42),
      mix(leafLight, palette.glow, 0.3 - near * 0.2),
    ];
    const leaves = canopy(stage, height * (0.5 - near * 0.1), 5 + near * 9, 330 - near * 60, tones);
    const ground = ink.linear([
      [0, fade(mix(air, leafMid, 0.3 + near * 0.3), 0)],
      [0.3, fade(mix(air, leafMid, 0.35 + near * 0.35), 0.85 - near * 0.4)],
      [1, fade(mix(palette.deep, leafMid, 0.4), 0)],
    ]);
    const veil = i < depth - 1 ? rect(-20, foot - 26, width + 40, height * 0.26, ground) : "";
    return { near, body: ink.plate(trees + leaves + veil) };
  });
  const floor = rect(
    -20,
    horizon - 8,
    width + 40,
    height - horizon + 20,
    ink.linear([
      [0, mix(air, leafMid, 0.5)],
      [0.3, mix(leafMid, leafDark, 0.35)],
      [1, mix(palette.deep, leafDark, 0.5)],
    ]),
  );
  const litter = Array.from({ length: 620 }, () => {
    const near = random.next() ** 1.5;
    const r = 1.5 + near * 9;
    return ellipse(
      random.between(-10, width + 10),
      horizon + 4 + near * (height - horizon),
      r * 1.5,
      r * 0.55,
      fade(along(palette.leaf, random.next() ** 0.8), 0.75 - near * 0.2),
    );
  }).join("");
  const earth = mix(mix(air, "#b08b62", 0.4), palette.haze, 0.3);
  const trail = walk(stage, horizon, far, earth);
  const beams = Array.from({ length: 7 }, () => {
    const [x, spread] = [far + random.bell() * width * 0.5, random.between(0.03, 0.09) * width];
    return path(
      `M${n(far + (x - far) * 0.2)} ${n(-40)}L${n(x - spread)} ${n(height * 0.9)}H${n(x + spread)}Z`,
      ink.linear([fade(palette.glow, 0.5), fade(palette.glow, 0)]),
    );
  }).join("");
  const rays = ink.soft(beams, 10, `opacity="${palette.dark ? 0.3 : 0.55}"`);
  const drifting = reading.weather
    ? []
    : Array.from({ length: palette.dark ? 40 : 26 }, () => ({
        x: random.between(0, width),
        y: random.next(),
        r: random.between(2.5, 8),
        beat: random.next(),
        tone: along(palette.leaf, random.between(0.4, 1)),
      }));
  const adrift: Picture = (phase) =>
    drifting
      .map(({ x, y, r, beat, tone }) => {
        if (palette.dark)
          return ellipse(
            x + sway(phase, beat) * 14,
            height * (0.4 + y * 0.5),
            r * 0.4,
            r * 0.4,
            fade("#ffe58a", 0.5 + 0.5 * sway(phase, y)),
          );
        const top = cycle(phase, y) * (height + 40) - 20;
        return `<ellipse cx="0" cy="0" rx="${n(r)}" ry="${n(r * 0.5)}" fill="${tone}" transform="translate(${n(x + sway(phase, beat) * 22)} ${n(top)}) rotate(${n(beat * 360 + sway(phase, beat) * 50)})"/>`;
      })
      .join("");
  const nightSky = palette.dark ? stars(stage, height * 0.5, 0.8) : () => "";
  const hills = foliage(0.9, 0.55, mix(leafLight, air, 0.45), mix(leafMid, air, 0.55), height * 0.04, height * 0.66);
  const falling = weather(stage);
  return (phase) =>
    backdrop +
    nightSky(phase) +
    hills +
    glow +
    floor +
    litter +
    trail +
    layers.map(({ near, body }) => `<g transform="translate(${n(sway(phase) * near * 16)} 0)">${body}</g>`).join("") +
    `<g opacity="${n(0.9 + 0.1 * sway(phase))}">${rays}</g>` +
    adrift(phase) +
    falling(phase);
};
