import { along, fade, mix } from "./colour.ts";
import { n } from "./ink.ts";
import { circle, ellipse, path } from "./shapes.ts";
import { type Picture, type Stage, sway } from "./stage.ts";

/** Blades of grass from `level` down, far ones short; a few tones, one path each. They bend in the wind. */
export const grass = (stage: Stage, level: number, count: number, tones: readonly string[], tall: number): Picture => {
  const { random, width, height } = stage;
  const blades = Array.from({ length: count }, () => {
    const near = random.next() ** 0.9;
    return {
      x: random.between(-10, width + 10),
      y: level + near * (height - level) * 1.05,
      long: tall * (0.25 + near) * random.between(0.6, 1.3),
      lean: random.bell() * 0.5,
      beat: random.next(),
      tone: random.whole(0, tones.length - 1),
    };
  }).sort((a, b) => a.y - b.y);
  return (phase) => {
    const bodies = tones.map(() => "");
    for (const { x, y, long, lean, beat, tone } of blades) {
      const tip = x + (lean + sway(phase, beat * 0.4 + x / 1500) * 0.14) * long;
      const w = long * 0.055 + 0.5;
      bodies[tone] +=
        `M${n(x - w)} ${n(y)}Q${n(x)} ${n(y - long * 0.55)} ${n(tip)} ${n(y - long)}Q${n(x + w * 1.4)} ${n(y - long * 0.5)} ${n(x + w)} ${n(y)}Z`;
    }
    return bodies.map((d, i) => path(d, tones[i] as string)).join("");
  };
};

/** Wild flowers standing in the grass: stems with round, open or spiked heads. */
export const wildflowers = (stage: Stage, level: number, count: number, colours: readonly string[]): Picture => {
  const { random, width, height, palette } = stage;
  const stem = mix(palette.leaf[0] as string, palette.leaf[1] as string, 0.5);
  const list = Array.from({ length: count }, () => {
    const near = random.next() ** 0.8;
    return {
      x: random.between(0, width),
      y: level + near * (height - level),
      near,
      colour: random.pick(colours),
      kind: random.whole(0, 2),
      long: (14 + near * 74) * random.between(0.7, 1.2),
      lean: random.bell() * 0.25,
      beat: random.next(),
    };
  }).sort((a, b) => a.y - b.y);
  return (phase) =>
    list
      .map(({ x, y, near, colour, kind, long, lean, beat }) => {
        const tip = x + (lean + sway(phase, beat * 0.4 + x / 1500) * 0.1) * long;
        const top = y - long;
        const r = 2.4 + near * 10;
        const stalk = `<path d="M${n(x)} ${n(y)}Q${n(x)} ${n(y - long * 0.6)} ${n(tip)} ${n(top)}" fill="none" stroke="${stem}" stroke-width="${n(0.8 + near * 1.7)}"/>`;
        if (kind === 0) {
          return `${stalk}${path(`M${n(tip - r)} ${n(top - r * 0.5)}C${n(tip - r)} ${n(top + r * 0.9)} ${n(tip + r)} ${n(top + r * 0.9)} ${n(tip + r)} ${n(top - r * 0.5)}C${n(tip + r * 0.4)} ${n(top - r)} ${n(tip - r * 0.4)} ${n(top - r)} ${n(tip - r)} ${n(top - r * 0.5)}Z`, colour)}${ellipse(tip, top - r * 0.5, r * 0.95, r * 0.4, fade(mix(colour, "#ffffff", 0.4), 0.8))}`;
        }
        if (kind === 1) {
          const petals = Array.from(
            { length: 7 },
            (_, i) =>
              `<ellipse cx="${n(r * 0.75)}" rx="${n(r * 0.62)}" ry="${n(r * 0.3)}" fill="${i % 2 ? colour : mix(colour, "#ffffff", 0.25)}" transform="rotate(${n(i * 51.4)})"/>`,
          ).join("");
          return `${stalk}<g transform="translate(${n(tip)} ${n(top)}) scale(1 0.8)">${petals}${circle(0, 0, r * 0.36, "#f2b632")}</g>`;
        }
        return (
          stalk +
          Array.from({ length: 6 }, (_, i) =>
            ellipse(
              tip + ((i % 2) - 0.5) * r * 0.5,
              top + i * r * 0.55,
              r * 0.36,
              r * 0.42,
              along([mix(colour, "#ffffff", 0.3), colour], i / 5),
            ),
          ).join("")
        );
      })
      .join("");
};
