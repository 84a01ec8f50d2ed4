import { cloudRaster } from "../drawing/clouds.ts";
import { fade, mix, shade } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { circle, many, path, rect } from "../drawing/shapes.ts";
import { type Scene, type Stage, sway } from "../drawing/stage.ts";

const paper = (stage: Stage): string => {
  const { ink, palette, width, height } = stage;
  const base = palette.dark
    ? mix(palette.deep, palette.sky[1] as string, 0.45)
    : mix(palette.light, palette.accents[4] as string, 0.4);
  return (
    rect(0, 0, width, height, ink.linear([shade(base, 0.06), shade(base, -0.07)], [0, 0, 1, 1])) +
    ink.raster(
      cloudRaster(stage, {
        cover: 0.9,
        stretch: 1,
        lit: shade(base, 0.2),
        dark: shade(base, -0.16),
        opacity: 0.35,
        grain: 7,
      }),
      -30,
      -30,
      width + 60,
      height + 60,
    )
  );
};

/** Glassy discs, rings and lines in balance, after Kandinsky. */
export const circles: Scene = (stage) => {
  const { ink, palette, random, width, height, unit } = stage;
  const back = paper(stage);
  const colours = palette.accents;
  const glass = (colour: string) =>
    ink.radial(
      [
        [0, fade(mix(colour, "#ffffff", 0.55), 0.95)],
        [0.55, fade(colour, 0.9)],
        [1, fade(shade(colour, -0.25), 0.95)],
      ],
      0.36,
      0.3,
      0.8,
    );
  const big = Array.from({ length: 12 }, (_, i) => {
    const r =
      unit * (i < 2 ? random.between(0.17, 0.25) : i < 6 ? random.between(0.07, 0.13) : random.between(0.02, 0.06));
    const [x, y] = [random.between(0.12, 0.88) * width, random.between(0.12, 0.88) * height];
    const colour = colours[i % colours.length] as string;
    const aura = random.chance(0.5) ? circle(0, 0, r * 1.34, fade(colour, 0.22)) : "";
    const inner = random.chance(0.6)
      ? circle(r * 0.12, r * 0.1, r * random.between(0.35, 0.62), fade(random.pick(colours), 0.8)) +
        circle(r * 0.12, r * 0.1, r * 0.2, palette.deep)
      : "";
    const ringed = random.chance(0.4)
      ? many(3, (k) =>
          circle(
            0,
            0,
            r * (1.14 + k * 0.13),
            "none",
            `stroke="${palette.deep}" stroke-opacity="0.7" stroke-width="${n(1.4 + (k % 2) * 2)}"`,
          ),
        )
      : "";
    return { x, y, beat: random.next(), r, body: aura + circle(0, 0, r, glass(colour)) + inner + ringed };
  }).sort((a, b) => b.r - a.r);
  const shadow = ink.soft(
    big.map(({ x, y, r }) => circle(x + r * 0.2, y + r * 0.26, r, fade(palette.deep, 0.45))).join(""),
    unit * 0.018,
  );
  const lines = many(9, () => {
    const [x, y, a, l] = [
      random.between(0, width),
      random.between(0, height),
      random.between(-1.2, 0.6),
      unit * random.between(0.4, 1.1),
    ];
    return `<path d="M${n(x)} ${n(y)}l${n(Math.cos(a) * l)} ${n(Math.sin(a) * l)}" stroke="${fade(palette.deep, 0.85)}" stroke-width="${n(random.between(1.2, 5))}"/>`;
  });
  const checks = (() => {
    const [x, y, s, a] = [
      random.between(0.1, 0.7) * width,
      random.between(0.1, 0.7) * height,
      unit * 0.032,
      random.between(-30, 30),
    ];
    return `<g transform="translate(${n(x)} ${n(y)}) rotate(${n(a)})">${many(20, (i) => rect((i % 5) * s, Math.floor(i / 5) * s, s, s, (i + Math.floor(i / 5)) % 2 ? palette.deep : (colours[i % colours.length] as string)))}</g>`;
  })();
  const arcs = many(4, () => {
    const [x, y, r] = [
      random.between(0.1, 0.9) * width,
      random.between(0.1, 0.9) * height,
      unit * random.between(0.1, 0.3),
    ];
    const w = random.between(3, 20);
    return `<path d="M${n(x - r)} ${n(y)}A${n(r)} ${n(r)} 0 0 1 ${n(x + r)} ${n(y)}" fill="none" stroke="${fade(random.pick(colours), 0.9)}" stroke-width="${n(w)}" transform="rotate(${n(random.between(0, 360))} ${n(x)} ${n(y)})"/>`;
  });
  const wedge = path(
    `M${n(width * random.between(0.1, 0.4))} ${n(height * 0.1)}L${n(width * random.between(0.5, 0.95))} ${n(height * random.between(0.3, 0.5))}L${n(width * random.between(0.1, 0.5))} ${n(height * 0.95)}Z`,
    fade(colours[3] as string, 0.55),
  );
  return (phase) =>
    back +
    wedge +
    shadow +
    arcs +
    lines +
    checks +
    big
      .map(
        ({ x, y, beat, body }) =>
          `<g transform="translate(${n(x + sway(phase, beat) * 9)} ${n(y + sway(phase, beat + 0.25) * 9)})">${body}</g>`,
      )
      .join("");
};
