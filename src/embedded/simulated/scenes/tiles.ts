import { cloudRaster } from "../drawing/clouds.ts";
import { fade, mix, shade } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { circle, many, path, rect } from "../drawing/shapes.ts";
import { type Picture, type Scene, type Stage, sway } from "../drawing/stage.ts";

type Tile = (stage: Stage, size: number, colours: readonly string[]) => Picture;

const still =
  (body: string): Picture =>
  () =>
    body;

/** Figures of the Bauhaus, each on a square from (0, 0) to (`size`, `size`). */
const TILES: readonly Tile[] = [
  (_, s, [, b, c]) =>
    still(
      path(`M0 0H${s}A${s} ${s} 0 0 1 0 ${s}Z`, b ?? "") +
        path(`M0 0H${s / 2}A${s / 2} ${s / 2} 0 0 1 0 ${s / 2}Z`, c ?? ""),
    ),
  (_, s, [, b, c]) =>
    (phase) =>
      circle(s / 2, s / 2, s * (0.4 + 0.015 * sway(phase)), b ?? "") +
      circle(s / 2, s / 2, s * (0.18 + 0.03 * sway(phase, 0.5)), c ?? ""),
  (_, s, [, b, c]) =>
    still(
      path(`M0 0A${s / 2} ${s / 2} 0 0 0 ${s} 0Z`, b ?? "") +
        path(`M0 ${s}A${s / 2} ${s / 2} 0 0 1 ${s} ${s}Z`, c ?? ""),
    ),
  (_, s, [, b]) => still(many(5, (i) => rect(0, (i * s) / 5, s, s / 10, b ?? ""))),
  (_, s, [, b, c]) =>
    still(
      path(`M0 ${s}L${s / 2} 0L${s} ${s}Z`, b ?? "") +
        path(`M${s * 0.25} ${s}L${s / 2} ${s / 2}L${s * 0.75} ${s}Z`, c ?? ""),
    ),
  (_, s, [a, b, c]) =>
    still(
      many(4, (i) =>
        path(
          `M0 0H${n(s * (1 - i * 0.25))}A${n(s * (1 - i * 0.25))} ${n(s * (1 - i * 0.25))} 0 0 1 0 ${n(s * (1 - i * 0.25))}Z`,
          [b, a, c, a][i] ?? "",
        ),
      ),
    ),
  (_, s, [, b, c]) => still(rect(0, 0, s / 2, s / 2, b ?? "") + rect(s / 2, s / 2, s / 2, s / 2, c ?? "")),
  (_, s, [, b, c]) =>
    still(
      many(16, (i) =>
        circle(
          ((i % 4) + 0.5) * (s / 4),
          (Math.floor(i / 4) + 0.5) * (s / 4),
          s * 0.07,
          (i + Math.floor(i / 4)) % 3 ? (b ?? "") : (c ?? ""),
        ),
      ),
    ),
  (_, s, [, b, c]) =>
    (phase) =>
      `<g transform="rotate(${n(sway(phase) * 6)} ${s / 2} ${s / 2})">${path(`M${s / 2} ${s * 0.06}A${s * 0.44} ${s * 0.44} 0 0 1 ${s / 2} ${s * 0.94}Z`, b ?? "")}${path(`M${s / 2} ${s * 0.06}A${s * 0.44} ${s * 0.44} 0 0 0 ${s / 2} ${s * 0.94}Z`, c ?? "")}</g>`,
  (_, s, [, b]) => still(path(`M0 0H${s}L0 ${s}Z`, b ?? "")),
  (_, s, [, b, c]) =>
    still(
      path(`M0 ${s / 2}Q${s / 4} 0 ${s / 2} ${s / 2}T${s} ${s / 2}V${s}H0Z`, b ?? "") +
        path(`M0 ${s * 0.75}Q${s / 4} ${s / 4} ${s / 2} ${s * 0.75}T${s} ${s * 0.75}V${s}H0Z`, c ?? ""),
    ),
];

/** A wall of geometric tiles, some of them large, printed on paper. */
export const tiles: Scene = (stage) => {
  const { ink, palette, random, width, height } = stage;
  const columns = random.whole(4, 5);
  const size = width / columns;
  const rows = Math.ceil(height / size);
  const ground = mix(palette.light, palette.accents[4] as string, 0.3);
  const colours = [
    ...palette.accents.slice(0, 4),
    palette.deep,
    ground,
    mix(palette.accents[2] as string, palette.light, 0.45),
  ];
  const taken = new Set<number>();
  const list: { x: number; y: number; s: number; turn: number; back: string; draw: Picture }[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (taken.has(row * columns + column)) continue;
      const large =
        column < columns - 1 && row < rows - 1 && !taken.has(row * columns + column + 1) && random.chance(0.22);
      if (large) for (const k of [1, columns, columns + 1]) taken.add(row * columns + column + k);
      const back = random.pick(colours);
      const others = colours.filter((colour) => colour !== back);
      const b = random.pick(others);
      const c = random.pick(others.filter((colour) => colour !== b));
      const s = large ? size * 2 : size;
      list.push({
        x: column * size,
        y: row * size,
        s,
        turn: random.whole(0, 3) * 90,
        back,
        draw: random.pick(TILES)(stage, s, [back, b, c]),
      });
    }
  }
  const [narrow, wide] = [size, size * 2].map((s) => ink.clip(`<rect width="${n(s)}" height="${n(s)}"/>`));
  const worn = ink.raster(
    cloudRaster(stage, {
      cover: 0.85,
      stretch: 1,
      lit: shade(ground, 0.5),
      dark: shade(palette.deep, 0.1),
      opacity: 0.16,
      grain: 8,
    }),
    -20,
    -20,
    width + 40,
    height + 40,
  );
  const sheen = rect(
    0,
    0,
    width,
    height,
    ink.linear([fade("#ffffff", 0.16), fade("#ffffff", 0), fade(palette.deep, 0.22)], [0, 0, 1, 1]),
  );
  return (phase) =>
    list
      .map(
        ({ x, y, s, turn, back, draw }) =>
          `<g transform="translate(${n(x)} ${n(y)}) rotate(${turn} ${n(s / 2)} ${n(s / 2)})">${rect(-0.5, -0.5, s + 1, s + 1, back)}<g clip-path="${s > size ? wide : narrow}">${draw(phase)}</g></g>`,
      )
      .join("") +
    worn +
    sheen;
};
