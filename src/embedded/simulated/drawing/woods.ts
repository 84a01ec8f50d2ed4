import { mix, shade } from "./colour.ts";
import { n } from "./ink.ts";
import { type Point, path, smooth } from "./shapes.ts";
import type { Stage } from "./stage.ts";

/** One tree trunk from the ground to beyond the upper edge, with a few boughs. */
export const trunk = (
  stage: Stage,
  x: number,
  foot: number,
  wide: number,
  tone: string,
  lit: string,
  side: number,
): string => {
  const { random, ink } = stage;
  const bend = random.bell() * wide * 1.4;
  const [l, r] = [x - wide / 2, x + wide / 2];
  const flare = wide * 0.75;
  const outline =
    `M${n(l - flare)} ${n(foot + wide * 0.25)}C${n(l)} ${n(foot - wide * 0.3)} ${n(l + bend * 0.3)} ${n(foot * 0.6)} ${n(l + bend + wide * 0.14)} -20` +
    `H${n(r + bend - wide * 0.14)}C${n(r + bend * 0.3)} ${n(foot * 0.6)} ${n(r)} ${n(foot - wide * 0.3)} ${n(r + flare)} ${n(foot + wide * 0.25)}Z`;
  const paint = ink.linear(
    [
      [0, side > 0 ? tone : lit],
      [0.35, tone],
      [0.75, shade(tone, -0.2)],
      [1, side > 0 ? lit : shade(tone, -0.25)],
    ],
    [0, 0, 1, 0],
  );
  let boughs = "";
  for (let i = 0; i < 3; i++) {
    const [y, way, long] = [
      foot * random.between(0.08, 0.5),
      random.chance(0.5) ? 1 : -1,
      wide * random.between(2.2, 4.5),
    ];
    const [bx, rise, thick] = [x + bend * 0.6, long * random.between(0.3, 0.7), wide * 0.13];
    boughs += `M${n(bx)} ${n(y + thick)}Q${n(bx + way * long * 0.5)} ${n(y - long * 0.1)} ${n(bx + way * long)} ${n(y - rise)}Q${n(bx + way * long * 0.45)} ${n(y - long * 0.22)} ${n(bx)} ${n(y - thick)}Z`;
  }
  return path(boughs, tone) + path(outline, paint);
};

/** Leaves in clumps along the upper edge; nearer layers have larger ones. */
export const canopy = (stage: Stage, bottom: number, leaf: number, count: number, tones: readonly string[]): string => {
  const { random, width, noise } = stage;
  const start = random.between(0, 60);
  const bodies = tones.map(() => "");
  for (let i = 0; i < count; i++) {
    const x = random.between(-20, width + 20);
    const reach = bottom * (0.35 + 0.75 * noise.cloudy(start + (x / width) * 6, 2, 2));
    const y = random.next() ** 0.8 * reach - 12;
    const pick = Math.min(tones.length - 1, Math.floor(random.next() * tones.length * (0.55 + (y / bottom) * 0.6)));
    const r = leaf * random.between(0.6, 1.4);
    const a = random.between(0, 6.28);
    const [dx, dy] = [Math.cos(a) * r, Math.sin(a) * r * 0.7];
    bodies[pick] +=
      `M${n(x - dx)} ${n(y - dy)}Q${n(x - dy)} ${n(y + dx)} ${n(x + dx)} ${n(y + dy)}Q${n(x + dy)} ${n(y - dx)} ${n(x - dx)} ${n(y - dy)}Z`;
  }
  return bodies.map((d, i) => path(d, tones[i] as string)).join("");
};

/** A path that winds from the lower edge to the light between the trees. */
export const walk = (stage: Stage, horizon: number, far: number, colour: string): string => {
  const { random, width, height, ink, palette } = stage;
  const [swing, middle] = [random.chance(0.5) ? 1 : -1, width * random.between(0.42, 0.58)];
  const [left, right]: [Point[], Point[]] = [[], []];
  for (let i = 0; i <= 10; i++) {
    const share = i / 10;
    const y = horizon + (height + 20 - horizon) * share ** 1.7;
    const x = far + (middle - far) * share + swing * Math.sin(share * Math.PI * 1.25) * width * 0.1 * (0.25 + share);
    const half = width * (0.012 + 0.2 * share ** 1.5);
    left.push([x - half, y]);
    right.push([x + half, y]);
  }
  const d = `${smooth(left)}L${right
    .reverse()
    .map(([x, y]) => `${n(x)} ${n(y)}`)
    .join("L")}Z`;
  return path(
    d,
    ink.linear([
      [0, mix(colour, palette.glow, 0.55)],
      [0.4, colour],
      [1, mix(colour, palette.deep, 0.45)],
    ]),
  );
};
