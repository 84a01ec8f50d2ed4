import { bust } from "../drawing/bust.ts";
import { cloudRaster } from "../drawing/clouds.ts";
import { fade, mix, shade } from "../drawing/colour.ts";
import { breathe, face } from "../drawing/face.ts";
import { beard, hair } from "../drawing/hair.ts";
import { crown, pointedHat, spectacles, woolCap } from "../drawing/headwear.ts";
import { n } from "../drawing/ink.ts";
import type { Person } from "../drawing/person.ts";
import { circle, ellipse, rect } from "../drawing/shapes.ts";
import { stars } from "../drawing/sky.ts";
import { type Picture, type Scene, type Stage, sway } from "../drawing/stage.ts";
import { astronaut, robot } from "../drawing/suits.ts";
import { weather } from "../drawing/weather.ts";

const SKINS = ["#f0c9a6", "#e0ac84", "#c98d63", "#a06a45", "#7b4a30", "#5a3524"] as const;
const HAIRS = ["#2a1c18", "#4a2f22", "#6e4526", "#a9713a", "#d3a860", "#8a3b22"] as const;

/** A wall out of focus, with light behind the head. */
const backdrop = (stage: Stage, light: number): Picture => {
  const { ink, palette, random, width, height, unit } = stage;
  const far = mix(palette.sky[1] as string, palette.deep, palette.dark ? 0.35 : 0.18);
  const wall = rect(
    0,
    0,
    width,
    height,
    ink.linear([
      [0, mix(far, palette.deep, 0.25)],
      [0.6, mix(far, palette.haze, 0.45)],
      [1, mix(far, palette.deep, 0.5)],
    ]),
  );
  const paint = ink.raster(
    cloudRaster(stage, {
      cover: 0.8,
      stretch: 1.1,
      lit: mix(palette.haze, palette.glow, 0.35),
      dark: mix(palette.haze, palette.deep, 0.4),
      opacity: 0.38,
      grain: 5,
    }),
    -20,
    -20,
    width + 40,
    height + 40,
  );
  const glow = ellipse(
    width / 2 - light * unit * 0.16,
    height * 0.42,
    unit * 0.56,
    unit * 0.56,
    ink.radial([
      [0, fade(mix(palette.glow, palette.haze, 0.2), 0.85)],
      [0.5, fade(palette.haze, 0.4)],
      [1, fade(palette.haze, 0)],
    ]),
  );
  const orb = ink.radial([
    [0, fade(palette.glow, 0.22)],
    [0.85, fade(palette.glow, 0.3)],
    [1, fade(palette.glow, 0)],
  ]);
  const lights = Array.from({ length: 16 }, () => ({
    x: random.between(0, width),
    y: random.between(0, height * 0.8),
    r: unit * random.between(0.015, 0.06),
    beat: random.next(),
    o: random.between(0.2, 0.75),
  }));
  return (phase) =>
    wall +
    paint +
    glow +
    lights.map(({ x, y, r, beat, o }) => circle(x + sway(phase, beat) * 5, y, r, orb, `opacity="${n(o)}"`)).join("");
};

/** Someone who looks at you: a person, an astronaut or a robot, in the light that the prompt asks for. */
export const portrait: Scene = (stage) => {
  const { palette, random, reading, width, height, unit, ink } = stage;
  const { things } = reading;
  const light = random.chance(0.5) ? 1 : -1;
  const back = backdrop(stage, light);
  const night = things.has("astronaut") ? stars(stage, height, 0.9) : () => "";
  const falling = weather(stage);
  const s = ((unit / 1024) * 1.3).toFixed(3);
  const place = (y: number, body: string) =>
    `<g transform="translate(${n(width / 2)} ${n(height * y)}) scale(${s})">${body}</g>`;
  const edge = rect(
    0,
    0,
    width,
    height,
    ink.radial(
      [
        [0.45, fade(palette.deep, 0)],
        [1, fade(palette.deep, 0.62)],
      ],
      0.5,
      0.45,
      0.78,
    ),
  );
  if (things.has("astronaut") || things.has("robot")) {
    const suit = things.has("astronaut") ? astronaut(stage, light) : robot(stage, light);
    return (phase) => back(phase) + night(phase) + place(0.43, breathe(phase, suit(phase))) + edge + falling(phase);
  }
  const bearded = things.has("beard") || (things.has("pointedHat") && !things.has("woman"));
  const woman = things.has("woman") || (!bearded && !things.has("crown") && random.chance(0.5));
  const old = things.has("old");
  const who: Person = {
    woman,
    old,
    light: light as 1 | -1,
    skin: random.pick(SKINS.slice(0, bearded ? 3 : 6)),
    hair: old ? random.pick(["#d9d6d0", "#b5b2ae", "#efece6"]) : random.pick(HAIRS),
    iris: random.pick(["#5f86a8", "#6a8a5a", "#7a5230", "#3f2a1c"]),
  };
  const cloth = mix(
    reading.colour ?? (bearded ? "#27384f" : (random.pick(palette.accents.slice(0, 4)) as string)),
    palette.deep,
    palette.dark ? 0.4 : 0.2,
  );
  const torso = bust(stage, who, cloth, bearded || random.chance(0.35));
  const { behind, before } = hair(stage, who);
  const features = face(stage, who);
  const whiskers = bearded ? beard(stage, who) : "";
  const hat = things.has("pointedHat")
    ? pointedHat(stage, who)
    : things.has("cap")
      ? woolCap(stage, who, mix(shade(cloth, -0.1), palette.accents[0] as string, 0.12))
      : things.has("crown")
        ? crown(stage, who)
        : "";
  const centre = things.has("pointedHat") ? 0.53 : 0.44;
  const lenses = things.has("glasses") ? spectacles(stage) : "";
  return (phase) =>
    back(phase) +
    place(centre, `${behind}${torso}${breathe(phase, `${features(phase)}${whiskers}${before}${hat}${lenses}`)}`) +
    edge +
    falling(phase);
};
