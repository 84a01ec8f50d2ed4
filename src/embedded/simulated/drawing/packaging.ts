import { fade, mix, shade } from "./colour.ts";
import { circle, ellipse, path, rect } from "./shapes.ts";
import type { Stage } from "./stage.ts";

/** A flask of coloured glass with a cap, standing on (0, 0), about 330 units tall. */
export const flask = (stage: Stage, side: number): string => {
  const { ink, palette, random, reading } = stage;
  const liquid = reading.colour ?? (random.pick(palette.accents.slice(0, 3)) as string);
  const shape = random.pick([
    "M-92 0C-104 0 -108 -6 -108 -18V-176C-108 -204 -92 -214 -62 -218H62C92 -214 108 -204 108 -176V-18C108 -6 104 0 92 0Z",
    "M-60 0C-118 0 -132 -60 -124 -112C-116 -170 -70 -206 -34 -218H34C70 -206 116 -170 124 -112C132 -60 118 0 60 0Z",
    "M-62 0C-72 0 -76 -6 -76 -18V-190C-76 -208 -60 -216 -40 -220H40C60 -216 76 -208 76 -190V-18C76 -6 72 0 62 0Z",
  ]);
  const glass = ink.linear(
    [
      [0, fade(mix(liquid, "#ffffff", 0.5), 0.95)],
      [0.25, fade(mix(liquid, "#ffffff", 0.12), 0.92)],
      [0.7, fade(shade(liquid, -0.25), 0.95)],
      [1, fade(mix(liquid, palette.deep, 0.5), 0.97)],
    ],
    side < 0 ? [0, 0, 1, 0.2] : [1, 0, 0, 0.2],
  );
  const metal = ink.linear(
    [
      [0, shade(palette.accents[1] as string, 0.1)],
      [0.3, "#fff6e2"],
      [0.55, mix(palette.accents[1] as string, palette.deep, 0.25)],
      [0.8, mix(palette.accents[1] as string, "#ffffff", 0.35)],
      [1, mix(palette.accents[1] as string, palette.deep, 0.55)],
    ],
    [0, 0, 1, 0],
  );
  const clip = ink.clip(`<path d="${shape}"/>`);
  const core = ink.radial([fade(mix(liquid, palette.glow, 0.75), 0.9), fade(liquid, 0)]);
  return (
    path(shape, glass) +
    `<g clip-path="${clip}">${ellipse(side * -34, -40, 90, 64, core)}${rect(-130, -220, 260, 52, fade("#ffffff", 0.22))}${path("M-130 -168Q0 -158 130 -168V-164Q0 -154 -130 -164Z", fade("#ffffff", 0.5))}${rect(side < 0 ? -94 : 76, -210, 16, 200, fade("#ffffff", 0.5), `rx="8"`)}${rect(side < 0 ? 84 : -92, -210, 6, 200, fade("#ffffff", 0.25), `rx="3"`)}</g>` +
    rect(-27, -246, 54, 30, metal) +
    rect(-44, -326, 88, 84, metal, `rx="7"`) +
    rect(-44, -252, 88, 4, fade(palette.deep, 0.35)) +
    rect(-46, -124, 92, 62, fade(mix(palette.light, liquid, 0.08), 0.92), `rx="3"`) +
    rect(-28, -108, 56, 3.4, palette.deep) +
    rect(-20, -97, 40, 2.4, fade(palette.deep, 0.6)) +
    circle(0, -80, 6, "none", `stroke="${palette.deep}" stroke-width="1.8"`)
  );
};

/** A jar with a wide lid. */
export const jar = (stage: Stage, side: number): string => {
  const { ink, palette, random, reading } = stage;
  const tone = reading.colour ?? mix(random.pick(palette.accents), palette.light, 0.3);
  const stops = [
    [0, mix(tone, palette.glow, 0.35)],
    [0.25, shade(tone, 0.35)],
    [0.65, tone],
    [1, mix(shade(tone, -0.45), palette.deep, 0.2)],
  ] as const;
  const across: readonly [number, number, number, number] = side < 0 ? [0, 0, 1, 0] : [1, 0, 0, 0];
  const lid = ink.linear(
    [
      [0, "#fff6e6"],
      [0.3, mix(palette.accents[1] as string, "#ffffff", 0.3)],
      [1, mix(palette.accents[1] as string, palette.deep, 0.45)],
    ],
    across,
  );
  return (
    path("M-112 -10C-112 4 112 4 112 -10V-130H-112Z", ink.linear(stops, across)) +
    rect(-118, -196, 236, 70, lid, `rx="8"`) +
    ellipse(0, -195, 112, 13, mix("#fff6e6", palette.accents[1] as string, 0.3)) +
    rect(-50, -92, 100, 44, fade(palette.light, 0.85), `rx="3"`) +
    rect(-32, -78, 64, 3.6, palette.deep) +
    rect(-22, -66, 44, 2.6, fade(palette.deep, 0.6))
  );
};
