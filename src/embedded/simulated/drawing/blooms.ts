import { along, fade, mix, shade } from "./colour.ts";
import { n } from "./ink.ts";
import { circle, ellipse, many, path } from "./shapes.ts";
import type { Stage } from "./stage.ts";

/** A flower head around (0, 0) with a radius of about 100 units, in shades of `colour`. */
export type Bloom = (stage: Stage, colour: string) => string;

const petal = (long: number, wide: number) =>
  `M0 0C${n(-wide)} ${n(-long * 0.35)} ${n(-wide * 0.9)} ${n(-long * 0.95)} 0 ${n(-long)}C${n(wide * 0.9)} ${n(-long * 0.95)} ${n(wide)} ${n(-long * 0.35)} 0 0Z`;

/** Rings of ruffled petals, deepest in the middle. */
export const peony: Bloom = ({ ink, random, palette }, colour) => {
  const rings = [
    [100, 11],
    [84, 10],
    [66, 9],
    [48, 7],
    [30, 6],
    [16, 4],
  ] as const;
  return rings
    .map(([long, count], ring) => {
      const tone = mix(mix(colour, "#ffffff", 0.24 - ring * 0.04), shade(colour, -0.2), ring * 0.08);
      const paint = ink.linear([mix(tone, "#ffffff", 0.18), tone, mix(shade(tone, -0.2), palette.deep, 0.05)]);
      const turn = random.between(0, 360);
      return many(count, (i) => {
        const l = long * random.between(0.9, 1.08);
        const w = (long * 2.7) / count;
        return `<path d="M0 0C${n(-w)} ${n(-l * 0.4)} ${n(-w * 1.15)} ${n(-l * 0.9)} ${n(-w * 0.35)} ${n(-l * 0.97)}Q0 ${n(-l * 0.88)} ${n(w * 0.35)} ${n(-l)}C${n(w * 1.15)} ${n(-l * 0.9)} ${n(w)} ${n(-l * 0.4)} 0 0Z" fill="${paint}" transform="rotate(${n(turn + (i * 360) / count + random.bell() * 5)})"/>`;
      });
    })
    .join("");
};

/** Long white or coloured rays around a golden eye. */
export const daisy: Bloom = ({ ink, random }, colour) => {
  const paint = ink.linear([mix(colour, "#ffffff", 0.35), shade(colour, -0.14)]);
  const back = ink.linear([shade(colour, -0.05), shade(colour, -0.3)]);
  const ring = (fill: string, count: number, long: number, turn: number) =>
    many(
      count,
      (i) =>
        `<path d="${petal(long * random.between(0.92, 1.05), 15)}" fill="${fill}" transform="rotate(${n(turn + (i * 360) / count)})"/>`,
    );
  const eye = ink.radial([
    [0, "#ffdf6b"],
    [0.7, "#eaa71f"],
    [1, "#9a6410"],
  ]);
  return (
    ring(back, 15, 98, 12) +
    ring(paint, 15, 92, 0) +
    circle(0, 0, 29, eye) +
    many(26, (i) =>
      circle(Math.cos(i * 2.4) * Math.sqrt(i) * 5, Math.sin(i * 2.4) * Math.sqrt(i) * 5, 2.2, "#b8790f90"),
    )
  );
};

/** Four broad silky petals around a dark heart. */
export const poppy: Bloom = ({ ink, random }, colour) => {
  const paint = ink.radial(
    [
      [0, shade(colour, -0.5)],
      [0.3, shade(colour, -0.12)],
      [0.8, colour],
      [1, mix(colour, "#ffffff", 0.28)],
    ],
    0.5,
    1,
    1.05,
  );
  const leaf = (turn: number, size: number) =>
    `<path d="M0 0C${-96 * size} ${-26 * size} ${-92 * size} ${-104 * size} ${-30 * size} ${-100 * size}Q0 ${-90 * size} ${26 * size} ${-102 * size}C${92 * size} ${-100 * size} ${98 * size} ${-26 * size} 0 0Z" fill="${paint}" transform="rotate(${n(turn)})"/>`;
  const turn = random.between(0, 90);
  return (
    [0, 180, 90, 270].map((a, i) => leaf(turn + a + random.bell() * 10, i < 2 ? 1 : 0.9)).join("") +
    circle(0, 0, 19, "#2a2230") +
    many(18, (i) => circle(Math.cos(i) * (24 + (i % 3) * 5), Math.sin(i) * (24 + (i % 3) * 5), 2.6, "#2a2230")) +
    circle(0, 0, 9, "#7d8a52")
  );
};

/** A tulip from the side, its cup upwards. */
export const tulip: Bloom = ({ ink }, colour) => {
  const outer = ink.linear([mix(colour, "#ffffff", 0.32), colour, shade(colour, -0.32)]);
  const inner = ink.linear([colour, shade(colour, -0.45)]);
  return (
    path("M-46 -70C-30 -98 -20 -112 -12 -116C4 -100 22 -112 30 -114C40 -100 46 -80 48 -66L30 40H-30Z", inner) +
    path("M-62 -92C-84 -30 -70 46 -4 66C-10 10 -26 -50 -62 -92Z", outer) +
    path("M62 -92C84 -30 70 46 4 66C10 10 26 -50 62 -92Z", outer) +
    path(
      "M0 -104C-46 -50 -44 42 0 68C44 42 46 -50 0 -104Z",
      ink.linear([
        [0, mix(colour, "#ffffff", 0.45)],
        [0.45, mix(colour, "#ffffff", 0.08)],
        [1, shade(colour, -0.25)],
      ]),
    ) +
    path("M0 -88C-4 -40 -4 10 0 56", "none", `stroke="${fade(shade(colour, -0.3), 0.4)}" stroke-width="3"`)
  );
};

/** A branch of small round leaves that ends at (0, 0) and comes from `long` units below. */
export const sprig = ({ random }: Stage, long: number, tones: readonly string[]): string => {
  const bend = random.bell() * long * 0.2;
  return (
    `<path d="M0 0Q${n(bend)} ${n(long * 0.5)} ${n(bend * 0.3)} ${n(long)}" fill="none" stroke="${tones[0]}" stroke-width="4"/>` +
    many(11, (i) => {
      const share = i / 11;
      const [x, y, side] = [2 * bend * share * (1 - share), long * share * 0.85, i % 2 ? 1 : -1];
      const r = 13 + share * 15;
      return `<ellipse cx="${n(side * r)}" rx="${n(r)}" ry="${n(r * 0.62)}" fill="${along(tones, random.next())}" transform="translate(${n(x)} ${n(y)}) rotate(${n(-side * 28)})"/>`;
    })
  );
};

/** Tiny buds on thin stalks. */
export const spray = ({ random, palette }: Stage, colour: string, long: number): string =>
  many(13, () => {
    const [x, y] = [random.bell() * 60, random.between(-60, 40)];
    return `<path d="M${n(x)} ${n(y)}Q${n(x * 0.3)} ${n(y + 60)} 0 ${n(long)}" fill="none" stroke="${mix(palette.leaf[1] as string, palette.deep, 0.2)}" stroke-width="1.6"/>${circle(x, y, random.between(6, 11), mix(colour, "#ffffff", random.between(0.1, 0.6)))}${ellipse(x - 2, y - 2, 3, 2, "#ffffffa0")}`;
  });
