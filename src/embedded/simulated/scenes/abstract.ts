import { cloudRaster } from "../drawing/clouds.ts";
import { along, fade, mix, shade } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { below, circle, many, path, profile, rect, smooth } from "../drawing/shapes.ts";
import { type Scene, type Stage, sway } from "../drawing/stage.ts";
import { tiles } from "./tiles.ts";

const paper = (stage: Stage): string => {
  const { ink, palette, width, height } = stage;
  const base = palette.dark
    ? mix(palette.deep, palette.sky[1] as string, 0.45)
    : mix(palette.light, palette.accents[4] as string, 0.4);
  return (
    rect(
      0,
      0,
      width,
      height,
      ink.linear(
        [
          [0, shade(base, 0.06)],
          [1, shade(base, -0.07)],
        ],
        [0, 0, 1, 1],
      ),
    ) +
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

/** Sheets of cut paper, one above the other, each with its shadow. */
const sheets: Scene = (stage) => {
  const { ink, palette, random, noise, width, height, unit } = stage;
  const tones = [palette.sky[0], ...palette.sky.slice(1), ...palette.accents.slice(0, 3)] as string[];
  const count = 8;
  const turn = random.between(-28, 28);
  const start = random.between(0, 50);
  const order = random.chance(0.5) ? [...tones] : [...tones].reverse();
  const list = Array.from({ length: count }, (_, i) => {
    const share = i / (count - 1);
    const base = -height * 0.12 + share * height * 1.06;
    const line = profile(
      -width * 0.5,
      width * 1.5,
      16,
      (x) => base + (noise.cloudy(start + i * 0.42 + (x / unit) * 1.15, i * 0.35, 2) - 0.5) * unit * 0.62,
    );
    const tone = along(order, share);
    const d = below(line, height * 2, true);
    return {
      share,
      shadow: ink.soft(
        `<g transform="rotate(${n(turn)} ${n(width / 2)} ${n(height / 2)}) translate(0 ${n(-unit * 0.016)})">${path(d, fade(palette.deep, 0.75))}</g>`,
        unit * 0.02,
        `opacity="0.8"`,
      ),
      body:
        path(
          d,
          ink.linear([
            [0, mix(tone, "#ffffff", 0.2)],
            [0.35, tone],
            [1, mix(tone, palette.deep, 0.2)],
          ]),
        ) + `<path d="${smooth(line)}" fill="none" stroke="${fade("#ffffff", 0.35)}" stroke-width="1.6"/>`,
    };
  });
  const orb = {
    x: width * random.between(0.3, 0.7),
    y: height * random.between(0.16, 0.32),
    r: unit * random.between(0.09, 0.13),
  };
  const sun = circle(
    orb.x,
    orb.y,
    orb.r,
    ink.linear([
      [0, mix(palette.glow, "#ffffff", 0.5)],
      [1, palette.accents[1] as string],
    ]),
  );
  const back = rect(
    0,
    0,
    width,
    height,
    ink.linear([
      [0, mix(order[0] as string, palette.light, 0.35)],
      [1, order[0] as string],
    ]),
  );
  return (phase) =>
    back +
    list
      .map(({ share, shadow, body }, i) => {
        const shift = sway(phase, share * 0.5) * unit * 0.016;
        return `${i === 2 ? sun : ""}<g transform="translate(${n(shift)} ${n(shift * 0.5)})">${shadow}<g transform="rotate(${n(turn)} ${n(width / 2)} ${n(height / 2)})">${body}</g></g>`;
      })
      .join("");
};

/** Glassy discs, rings and lines in balance, after Kandinsky. */
const circles: Scene = (stage) => {
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

/** Strokes that follow an invisible current; their light runs along them. */
const currents: Scene = (stage) => {
  const { ink, palette, random, noise, width, height, unit } = stage;
  const ground = palette.dark ? palette.deep : mix(palette.deep, palette.accents[2] as string, 0.25);
  const back = rect(
    0,
    0,
    width,
    height,
    ink.linear(
      [
        [0, mix(ground, palette.sky[0] as string, 0.4)],
        [1, mix(ground, "#000000", 0.3)],
      ],
      [0, 0, 1, 1],
    ),
  );
  const turn = random.between(0, 6.3);
  const centres = Array.from({ length: 3 }, () => ({
    x: random.between(0.1, 0.9) * width,
    y: random.between(0.1, 0.9) * height,
    spin: random.chance(0.5) ? 1 : -1,
    reach: unit * random.between(0.18, 0.36),
  }));
  const angle = (x: number, y: number) => {
    let [dx, dy] = [
      Math.cos(turn + (noise.cloudy((x / unit) * 1.7, (y / unit) * 1.7, 2) - 0.5) * 5),
      Math.sin(turn + (noise.cloudy((x / unit) * 1.7, (y / unit) * 1.7, 2) - 0.5) * 5),
    ];
    for (const c of centres) {
      const [ox, oy] = [x - c.x, y - c.y];
      const pull = Math.exp(-(ox * ox + oy * oy) / (c.reach * c.reach)) * 2.6;
      const away = Math.hypot(ox, oy) + 1;
      dx += (-oy / away) * pull * c.spin;
      dy += (ox / away) * pull * c.spin;
    }
    return Math.atan2(dy, dx);
  };
  const colours = [
    palette.accents[0],
    palette.accents[1],
    palette.glow,
    palette.accents[2],
    palette.sky[2],
  ] as string[];
  const strokes = Array.from({ length: 520 }, () => {
    let [x, y] = [random.between(-0.05, 1.05) * width, random.between(-0.05, 1.05) * height];
    const share = noise.cloudy(9 + (x / unit) * 1.2, (y / unit) * 1.2, 2);
    const colour = mix(
      along(colours, Math.max(0, Math.min(1, (share - 0.2) * 1.7))),
      random.chance(0.15) ? "#ffffff" : ground,
      random.between(0, 0.3),
    );
    const points = Array.from({ length: random.whole(7, 15) }, () => {
      const a = angle(x, y);
      x += Math.cos(a) * 17;
      y += Math.sin(a) * 17;
      return [x, y] as const;
    });
    const wide = random.next() ** 2;
    return { d: smooth(points), colour, width: 2 + wide * 13, beat: random.next() };
  });
  return (phase) =>
    back +
    strokes
      .map(
        ({ d, colour, width: w, beat }) =>
          `<path d="${d}" fill="none" stroke="${fade(colour, 0.72 + 0.24 * sway(phase, beat))}" stroke-width="${n(w)}" stroke-linecap="round"/>`,
      )
      .join("");
};

/** Form without a subject: tiles, discs, cut paper or currents; also what is drawn for a prompt that names nothing known. */
export const abstract: Scene = (stage) => {
  const { things } = stage.reading;
  if (things.has("rectangles")) return tiles(stage);
  if (things.has("circles")) return circles(stage);
  if (things.has("swirls")) return currents(stage);
  return stage.random.pick([tiles, circles, sheets, currents])(stage);
};
