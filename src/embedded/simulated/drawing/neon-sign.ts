import { fade, mix } from "./colour.ts";
import type { Project } from "./perspective.ts";
import { ellipse, rect } from "./shapes.ts";
import { type Picture, type Stage, sway } from "./stage.ts";

/** A sign that stands out from the wall, glowing; strokes stand for letters. */
export const sign = (
  stage: Stage,
  project: Project,
  side: number,
): { z: number; draw: Picture; x: number; colour: string } => {
  const { palette, random, ink } = stage;
  const z = 1.15 + random.next() ** 1.3 * 4.2;
  const colour = random.pick(palette.accents.slice(0, 4));
  const upright = random.chance(0.65);
  const [w, h] = upright ? [0.13, random.between(0.4, 0.75)] : [random.between(0.28, 0.4), 0.17];
  const y = random.between(0.45, 1.35);
  const [x0, y0] = project(side * (1 - (side > 0 ? w : 0)), y + h, z);
  const [x1, y1] = project(side * (1 - (side > 0 ? w : 0)) + w, y, z);
  const [left, top, wide, tall] = [Math.min(x0, x1), y0, Math.abs(x1 - x0), y1 - y0];
  const halo = ink.radial([fade(colour, 0.55), fade(colour, 0)]);
  const stroke = Math.max(1.4, wide * (upright ? 0.07 : 0.035));
  const cells = upright ? Math.round(tall / (wide * 0.95)) : Math.round(wide / (tall * 0.85));
  let glyphs = "";
  for (let i = 0; i < cells; i++) {
    const size = (upright ? wide : tall) * 0.6;
    const cx = upright ? left + wide / 2 : left + ((i + 0.5) / cells) * wide;
    const cy = upright ? top + ((i + 0.5) / cells) * tall : top + tall / 2;
    for (let k = 0; k < 4; k++) {
      const [a, b] = [(random.next() - 0.5) * size, (random.next() - 0.5) * size];
      glyphs += random.chance(0.5)
        ? `M${(cx - size / 2).toFixed(1)} ${(cy + a).toFixed(1)}h${size.toFixed(1)}`
        : `M${(cx + b).toFixed(1)} ${(cy - size / 2).toFixed(1)}v${size.toFixed(1)}`;
    }
  }
  const beat = random.chance(0.3) ? random.next() : -1;
  const draw: Picture = (phase) => {
    const on = beat < 0 ? 1 : 0.7 + 0.3 * sway(phase * 2, beat);
    return (
      `<g opacity="${on.toFixed(2)}">` +
      ellipse(left + wide / 2, top + tall / 2, wide * 0.9 + tall * 0.35, tall * 0.95 + wide * 0.3, halo) +
      rect(
        left,
        top,
        wide,
        tall,
        fade(mix(stage.palette.deep, colour, 0.14), 0.94),
        `stroke="${colour}" stroke-width="${stroke.toFixed(1)}" rx="${(stroke * 1.5).toFixed(1)}"`,
      ) +
      `<path d="${glyphs}" fill="none" stroke="${mix(colour, "#ffffff", 0.55)}" stroke-width="${stroke.toFixed(1)}" stroke-linecap="round"/></g>`
    );
  };
  return { z, draw, x: left + wide / 2, colour };
};
