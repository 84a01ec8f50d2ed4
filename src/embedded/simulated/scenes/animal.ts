import { branchBird, owl } from "../drawing/birds.ts";
import { along, fade, mix } from "../drawing/colour.ts";
import { grass, wildflowers } from "../drawing/grass.ts";
import { n } from "../drawing/ink.ts";
import { circle, ellipse, path, rect } from "../drawing/shapes.ts";
import { type Species, sitter } from "../drawing/sitter.ts";
import { stars } from "../drawing/sky.ts";
import { type Picture, type Scene, type Stage, sway } from "../drawing/stage.ts";
import { weather } from "../drawing/weather.ts";
import { windowScene } from "./window.ts";

const coats = {
  cat: ["#d98a45", "#4b4a52", "#b7aa9b", "#e9e2d6", "#8d8f98"],
  dog: ["#c8935a", "#8a5a3c", "#e0cfb0", "#5b4a44"],
  rabbit: ["#b79b80", "#d9cdbd", "#8d8379"],
} as const;

const speciesOf = ({ reading, random }: Stage): Species => {
  const { things, colour } = reading;
  if (things.has("fox"))
    return { fur: "#d9682a", belly: "#f6e9d8", ears: "pointed", snout: 1, tail: "bushy", eyes: "#c9902f", mask: true };
  if (things.has("rabbit"))
    return {
      fur: colour ?? random.pick(coats.rabbit),
      belly: "#efe6da",
      ears: "long",
      snout: 0,
      tail: "none",
      eyes: "#5a3a24",
    };
  if (things.has("dog"))
    return {
      fur: colour ?? random.pick(coats.dog),
      belly: "#f0e4d2",
      ears: "floppy",
      snout: 1,
      tail: "short",
      eyes: "#5a3820",
    };
  const fur = colour ?? random.pick(coats.cat);
  return {
    fur,
    belly: fur === "#26262c" ? "#3a3a44" : "#f4ecdf",
    ears: "pointed",
    snout: 0,
    tail: "slim",
    eyes: random.pick(["#8fae3f", "#d8a52f", "#5fa6b8"]),
    stripes: fur !== "#26262c" && fur !== "#efeae2" && random.chance(0.75),
  };
};

/** A place out of doors, out of focus but for the ground in front. */
const outdoors = (stage: Stage): { back: Picture; front: Picture; ground: number } => {
  const { ink, palette, random, reading, width, height, unit } = stage;
  const winter = reading.season === "winter";
  const ground = height * 0.82;
  const dim = palette.dark ? 0.55 : 0.1;
  const leaf = (share: number) =>
    mix(winter ? mix(palette.light, palette.haze, 0.5) : along(palette.leaf, share), palette.deep, dim);
  const back = rect(
    0,
    0,
    width,
    height,
    ink.linear([
      mix(palette.sky[1] as string, leaf(0.4), 0.25),
      mix(palette.sky[palette.sky.length - 1] as string, leaf(0.9), 0.3),
      leaf(0.35),
    ]),
  );
  const shapes = Array.from({ length: 34 }, (_, i) => {
    const near = i / 33;
    const x = random.between(-0.05, 1.05) * width;
    const w = unit * random.between(0.02, 0.05);
    if (i % 3 === 0)
      return rect(x, -20, w, ground + 20, mix(mix(palette.deep, leaf(0), 0.4), palette.haze, 0.62 - near * 0.4));
    return ellipse(
      x,
      ground - unit * random.between(-0.02, 0.42) * (1 - near * 0.5),
      unit * random.between(0.08, 0.2),
      unit * random.between(0.06, 0.14),
      fade(mix(leaf(random.next()), palette.haze, 0.5 - near * 0.3), 0.75),
    );
  }).join("");
  const soft = ink.soft(shapes, 14);
  const glow = ellipse(
    width * random.between(0.25, 0.75),
    height * 0.28,
    unit * 0.5,
    unit * 0.42,
    ink.radial([fade(palette.glow, 0.85), fade(palette.glow, 0)]),
  );
  const orb = ink.radial([
    [0, fade(palette.glow, 0.2)],
    [0.82, fade(palette.glow, 0.3)],
    [0.94, fade(palette.glow, 0.45)],
    [1, fade(palette.glow, 0)],
  ]);
  const bokeh = Array.from({ length: 26 }, () => ({
    x: random.between(0, width),
    y: random.between(0.05, 0.75) * height,
    r: unit * random.between(0.012, 0.05),
    beat: random.next(),
    opacity: random.between(0.25, 0.8),
  }));
  const earth = path(
    `M-10 ${n(ground - unit * 0.03)}Q${n(width / 2)} ${n(ground - unit * 0.075)} ${n(width + 10)} ${n(ground - unit * 0.02)}V${n(height + 10)}H-10Z`,
    ink.linear([mix(leaf(0.7), palette.glow, 0.2), mix(leaf(0.1), palette.deep, 0.5)]),
  );
  const tones = [mix(leaf(0.05), palette.deep, 0.3), leaf(0.45), mix(leaf(0.95), palette.glow, 0.15)];
  const lawn = winter ? () => "" : grass(stage, ground + unit * 0.06, 240, tones, 60);
  const flowers =
    winter || palette.dark ? () => "" : wildflowers(stage, ground + unit * 0.06, 12, palette.accents.slice(0, 3));
  const night = palette.dark ? stars(stage, height * 0.45, 0.6) : () => "";
  const falling = weather(stage);
  return {
    ground,
    back: (phase) =>
      back +
      night(phase) +
      glow +
      soft +
      bokeh
        .map(({ x, y, r, beat, opacity }) => circle(x + sway(phase, beat) * 4, y, r, orb, `opacity="${n(opacity)}"`))
        .join("") +
      earth,
    front: (phase) => lawn(phase) + flowers(phase) + falling(phase),
  };
};

/** An animal that looks at you: on a window sill, in the grass, or on a branch. */
export const animal: Scene = (stage) => {
  const { reading, width, height, unit, random } = stage;
  const { things, setting } = reading;
  const light = random.chance(0.5) ? 1 : -1;
  const bird = things.has("owl") ? owl : things.has("bird") ? branchBird : null;
  const inside =
    setting === "room" ||
    (!bird && setting === null && (things.has("cat") || things.has("dog")) && !reading.season && random.chance(0.6));
  if (bird) {
    const { back, front } = outdoors(stage);
    const perched = bird(stage, width / 2, height * 0.66, unit * 0.0021);
    return (phase) => back(phase) + perched(phase) + front(phase);
  }
  const size = (unit / 1024) * (inside ? 1.7 : 1.85);
  const species = speciesOf(stage);
  if (inside) {
    const { back, front, sill } = windowScene(stage);
    const body = sitter(stage, species, width * random.between(0.44, 0.56), sill, size, light);
    return (phase) => back(phase) + body(phase) + front(phase);
  }
  const { back, front, ground } = outdoors(stage);
  const body = sitter(stage, species, width * random.between(0.45, 0.55), ground + unit * 0.06, size, light);
  return (phase) => back(phase) + body(phase) + front(phase);
};
