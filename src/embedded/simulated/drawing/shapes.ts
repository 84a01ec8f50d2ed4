import { n } from "./ink.ts";

export type Point = readonly [number, number];

/** `M x y L …` through the points as they are. */
export const straight = (points: readonly Point[]): string =>
  points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${n(x)} ${n(y)}`).join("");

/** A smooth curve through the points (Catmull-Rom as Béziers); starts with `M`. */
export const smooth = (points: readonly Point[], closed = false): string => {
  const count = points.length;
  const at = (i: number): Point =>
    (closed ? points[(i + count) % count] : points[Math.max(0, Math.min(count - 1, i))]) as Point;
  const parts = [`M${n(at(0)[0])} ${n(at(0)[1])}`];
  for (let i = 0; i < (closed ? count : count - 1); i++) {
    const [before, from, to, after] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    parts.push(
      `C${n(from[0] + (to[0] - before[0]) / 6)} ${n(from[1] + (to[1] - before[1]) / 6)} ` +
        `${n(to[0] - (after[0] - from[0]) / 6)} ${n(to[1] - (after[1] - from[1]) / 6)} ${n(to[0])} ${n(to[1])}`,
    );
  }
  return closed ? `${parts.join("")}Z` : parts.join("");
};

export const path = (d: string, fill: string, more = ""): string => `<path d="${d}" fill="${fill}" ${more}/>`;

export const stroke = (d: string, colour: string, width: number, more = ""): string =>
  `<path d="${d}" fill="none" stroke="${colour}" stroke-width="${n(width)}" stroke-linecap="round" ${more}/>`;

export const ellipse = (x: number, y: number, rx: number, ry: number, fill: string, more = ""): string =>
  `<ellipse cx="${n(x)}" cy="${n(y)}" rx="${n(rx)}" ry="${n(ry)}" fill="${fill}" ${more}/>`;

export const circle = (x: number, y: number, r: number, fill: string, more = ""): string =>
  `<circle cx="${n(x)}" cy="${n(y)}" r="${n(r)}" fill="${fill}" ${more}/>`;

export const rect = (x: number, y: number, w: number, h: number, fill: string, more = ""): string =>
  `<rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" fill="${fill}" ${more}/>`;

/** A band from a line of points down to `bottom`. */
export const below = (points: readonly Point[], bottom: number, curved = false): string => {
  const [first, last] = [points[0] as Point, points[points.length - 1] as Point];
  return `${curved ? smooth(points) : straight(points)}L${n(last[0])} ${n(bottom)}L${n(first[0])} ${n(bottom)}Z`;
};

/** `count` + 1 points from `x0` to `x1` whose height is `y(x, share)`. */
export const profile = (x0: number, x1: number, count: number, y: (x: number, share: number) => number): Point[] =>
  Array.from({ length: count + 1 }, (_, i) => {
    const share = i / count;
    const x = x0 + (x1 - x0) * share;
    return [x, y(x, share)] as const;
  });

/** `count` bodies joined. */
export const many = (count: number, body: (index: number) => string): string =>
  Array.from({ length: Math.max(0, Math.round(count)) }, (_, i) => body(i)).join("");
