import { cloudRaster } from "../drawing/clouds.ts";
import { along, fade, mix, shade } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { circle, ellipse, path, rect } from "../drawing/shapes.ts";
import { stars } from "../drawing/sky.ts";
import { sphereRaster } from "../drawing/sphere.ts";
import { type Picture, type Scene, type Stage, sway } from "../drawing/stage.ts";

/** Thin rings around (0, 0): the far half or the near half. */
const rings = (stage: Stage, radius: number) => {
  const { palette, random } = stage;
  const count = 34;
  const bands = Array.from({ length: count }, (_, i) => {
    const share = i / (count - 1);
    const gap = Math.abs(share - 0.62) < 0.035;
    const tone = along([palette.haze, palette.light, palette.accents[1] as string, palette.glow], random.next());
    return {
      r: radius * (1.35 + share * 0.95),
      tone,
      opacity: gap ? 0.03 : random.between(0.18, 0.72) * Math.sin(Math.PI * (0.12 + share * 0.82)),
    };
  });
  const wide = (radius * 0.98) / count;
  const half = (sweep: 0 | 1) =>
    bands
      .map(
        ({ r, tone, opacity }) =>
          `<path d="M${n(-r)} 0A${n(r)} ${n(r * 0.26)} 0 0 ${sweep} ${n(r)} 0" fill="none" stroke="${fade(tone, opacity)}" stroke-width="${n(wide)}"/>`,
      )
      .join("");
  return { far: half(1), near: half(0) };
};

const rocket = ({ palette, ink, random, width, height, unit }: Stage): Picture => {
  const [x, y, s] = [width * random.between(0.2, 0.34), height * random.between(0.62, 0.74), unit * 0.0011];
  const steel = ink.linear(
    [
      [0, "#ffffff"],
      [0.55, mix(palette.light, palette.haze, 0.5)],
      [1, palette.deep],
    ],
    [0, 0, 1, 0],
  );
  const flame = ink.linear([
    [0, "#ffffff"],
    [0.25, palette.glow],
    [0.6, fade(palette.accents[0] as string, 0.7)],
    [1, fade(palette.accents[0] as string, 0)],
  ]);
  const body =
    path("M-24 40L-52 86L-22 72ZM24 40L52 86L22 72Z", mix(palette.accents[0] as string, palette.deep, 0.25)) +
    path("M0 -100C34 -60 34 20 22 74H-22C-34 20 -34 -60 0 -100Z", steel) +
    circle(0, -28, 13, mix(palette.deep, palette.sky[1] as string, 0.5), `stroke="${palette.haze}" stroke-width="5"`);
  return (phase) => {
    const burn = 1 + 0.12 * sway(phase * 3);
    return `<g transform="translate(${n(x + sway(phase) * 6)} ${n(y - sway(phase, 0.25) * 8)}) rotate(38) scale(${s.toFixed(2)})"><path d="M-18 72C-26 ${n(150 * burn)} -6 ${n(250 * burn)} 0 ${n(330 * burn)}C6 ${n(250 * burn)} 26 ${n(150 * burn)} 18 72Z" fill="${flame}"/>${body}</g>`;
  };
};

/** Deep space: nebulae, stars, and a planet that turns in the light of a sun outside the picture. */
export const space: Scene = (stage) => {
  const { ink, palette, random, reading, width, height, unit } = stage;
  const night = mix(palette.deep, "#02030a", 0.5);
  const back = rect(
    0,
    0,
    width,
    height,
    ink.linear([night, mix(night, palette.sky[1] as string, 0.4), night], [0, 0, 1, 1]),
  );
  const [first, second] = [
    palette.accents[random.whole(1, 2)] as string,
    palette.accents[random.whole(0, 4)] as string,
  ];
  const reach = Math.hypot(width, height) * 1.1;
  const nebula = (colour: string, other: string, opacity: number, turn: number) => {
    const look = { lit: mix(colour, "#ffffff", 0.15), dark: mix(other, night, 0.5), opacity };
    const gas = cloudRaster(stage, { cover: 0.75, stretch: 1.5, grain: 2.8, ...look });
    const cloud = ink.raster(gas, -reach / 2, -reach / 2, reach, reach);
    return `<g transform="translate(${n(width / 2)} ${n(height / 2)}) rotate(${n(turn)})">${cloud}</g>`;
  };
  const mist =
    nebula(first, palette.sky[2] as string, 0.5, random.between(-40, 40)) +
    nebula(second, first, 0.34, random.between(40, 120));
  const field = stars(stage, height * 1.6, 0.75);
  const flare = ink.radial([
    [0, "#ffffff"],
    [0.1, fade("#ffffff", 0.8)],
    [0.3, fade(palette.glow, 0.22)],
    [1, fade(palette.glow, 0)],
  ]);
  const bright = Array.from({ length: 9 }, () => {
    const [x, y, r] = [random.between(0, width), random.between(0, height), random.between(8, 26)];
    return (
      circle(x, y, r, flare) +
      ellipse(x, y, r * 1.9, r * 0.045, fade(palette.glow, 0.75)) +
      ellipse(x, y, r * 0.045, r * 1.9, fade(palette.glow, 0.75))
    );
  }).join("");
  const radius = unit * random.between(0.21, 0.27);
  const centre = { x: width * random.between(0.46, 0.62), y: height * random.between(0.44, 0.54) };
  const tones = [
    palette.deep,
    palette.accents[3] as string,
    palette.accents[0] as string,
    palette.accents[1] as string,
    palette.light,
  ];
  const globe = ink.raster(
    sphereRaster(stage, {
      tones: tones.map((tone) => mix(tone, palette.haze, 0.22)),
      banded: reading.things.has("rings") || random.chance(0.6),
      light: [-0.62, -0.5, 0.6],
      rim: mix(palette.glow, first, 0.3),
    }),
    -radius * 1.04,
    -radius * 1.04,
    radius * 2.08,
    radius * 2.08,
  );
  const halo = circle(
    0,
    0,
    radius * 1.5,
    ink.radial([
      [0.5, fade(first, 0.42)],
      [0.75, fade(first, 0.12)],
      [1, fade(first, 0)],
    ]),
    `transform="translate(${n(-radius * 0.07)} ${n(-radius * 0.07)})"`,
  );
  const ring = reading.things.has("rings") || random.chance(0.4) ? rings(stage, radius) : null;
  const tilt = random.between(-26, -14);
  const moons = Array.from({ length: random.whole(1, 2) }, (_, i) => {
    const r = radius * random.between(0.1, 0.19);
    const far = radius * random.between(1.7, 2.3);
    const angle = (i ? 0.75 : -0.62) + random.bell() * 0.25 + Math.PI * (i ? 0.9 : 0);
    const body = ink.raster(
      sphereRaster(stage, {
        tones: [shade(palette.haze, -0.4), palette.haze, palette.light],
        banded: false,
        light: [-0.62, -0.5, 0.6],
        rim: palette.light,
        pixels: 64,
      }),
      -r * 1.04,
      -r * 1.04,
      r * 2.08,
      r * 2.08,
    );
    return { x: Math.cos(angle) * far, y: Math.sin(angle) * far * 0.75, body };
  });
  const ship = reading.things.has("rocket") ? rocket(stage) : () => "";
  return (phase) =>
    back +
    mist +
    field(phase) +
    bright +
    `<g transform="translate(${n(centre.x + sway(phase) * 5)} ${n(centre.y + sway(phase, 0.25) * 5)})">` +
    moons
      .map(
        ({ x, y, body }) =>
          `<g transform="translate(${n(x + sway(phase) * 12)} ${n(y + sway(phase, 0.25) * 4)})">${body}</g>`,
      )
      .join("") +
    halo +
    (ring ? `<g transform="rotate(${n(tilt)})">${ring.far}</g>` : "") +
    globe +
    (ring ? `<g transform="rotate(${n(tilt)})">${ring.near}</g>` : "") +
    "</g>" +
    ship(phase);
};
