import { mix } from "./colour.ts";
import { many, type Point, path, straight } from "./shapes.ts";
import type { Stage } from "./stage.ts";

/** A fir standing on (`x`, `y`), `height` units tall, as one outline. */
export const fir = ({ random }: Stage, x: number, y: number, height: number): string => {
  const tiers = Math.max(5, Math.round(height / 11));
  const [left, right]: [Point[], Point[]] = [[], []];
  for (let i = 0; i <= tiers; i++) {
    const share = i / tiers;
    const half = height * 0.2 * share ** 0.9;
    const level = y - height * (1 - share * 0.93);
    const tip = () => half * random.between(0.82, 1.12);
    left.push([x - tip(), level + height * 0.025], [x - half * 0.52, level]);
    right.push([x + tip(), level + height * 0.025], [x + half * 0.52, level]);
  }
  const trunk: Point[] = [
    [x + height * 0.014, y - height * 0.07],
    [x + height * 0.014, y],
    [x - height * 0.014, y],
    [x - height * 0.014, y - height * 0.07],
  ];
  return `${straight([[x, y - height * 1.04], ...right, ...trunk, ...left.reverse()])}Z`;
};

/** A row of firs along `ground`, growing denser and taller in clumps. One path: cheap to draw. */
export const firs = (
  stage: Stage,
  ground: (x: number) => number,
  fill: string,
  { count, low, high }: { count: number; low: number; high: number },
): string => {
  const { random, width, noise } = stage;
  const start = random.between(0, 90);
  const d = many(count, () => {
    const x = random.between(-10, width + 10);
    const clump = noise.line(start + (x / width) * 5);
    if (clump < 0.34) return "";
    const height = low + (high - low) * clump * random.between(0.45, 1.1);
    return fir(stage, x, ground(x) + 4, height);
  });
  return path(d, fill);
};

/** A round tree: a trunk and a crown of leaf dabs, lit from the upper left. */
export const leafyTree = (stage: Stage, x: number, y: number, height: number, leaves: readonly string[]): string => {
  const { random, palette } = stage;
  const [w, crown] = [height * 0.036, height * 0.36];
  const bark = mix(palette.deep, leaves[0] as string, 0.25);
  const trunk =
    path(
      `M${x - w * 1.6} ${y}C${x - w * 0.6} ${y - height * 0.2} ${x - w} ${y - height * 0.35} ${x - w * 0.4} ${y - height * 0.6}L${x + w * 0.5} ${y - height * 0.6}C${x + w} ${y - height * 0.3} ${x + w * 0.5} ${y - height * 0.15} ${x + w * 1.8} ${y}Z`,
      bark,
    ) +
    many(5, (i) => {
      const side = i % 2 ? 1 : -1;
      const from = y - height * random.between(0.34, 0.5);
      return `<path d="M${x} ${from}Q${x + side * crown * 0.3} ${from - crown * 0.3} ${x + side * crown * random.between(0.5, 0.8)} ${from - crown * random.between(0.4, 0.8)}" fill="none" stroke="${bark}" stroke-width="${w * 0.6}"/>`;
    });
  const dabs = Array.from({ length: 420 }, () => {
    const angle = random.between(0, Math.PI * 2);
    const away = Math.sqrt(random.next());
    const lobe = 1 + 0.16 * Math.sin(angle * 5 + height) + 0.08 * Math.sin(angle * 9);
    const [dx, dy] = [Math.cos(angle) * away * crown * lobe, Math.sin(angle) * away * crown * 0.86 * lobe];
    const light = 0.5 - (dx * 0.45 + dy) / (crown * 2.1) + random.between(-0.22, 0.22);
    return { dx, dy, light, r: random.between(0.03, 0.075) * crown };
  }).sort((a, b) => a.light - b.light);
  return (
    trunk +
    dabs
      .map(({ dx, dy, light, r }) => {
        const tone = light < 0.34 ? leaves[0] : light < 0.68 ? leaves[1] : leaves[2];
        return `<ellipse cx="${(x + dx).toFixed(1)}" cy="${(y - height * 0.66 + dy).toFixed(1)}" rx="${(r * 1.3).toFixed(1)}" ry="${r.toFixed(1)}" fill="${tone}"/>`;
      })
      .join("")
  );
};
