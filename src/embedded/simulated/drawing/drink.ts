import { fade, shade } from "./colour.ts";
import { n } from "./ink.ts";
import { ellipse, many, path } from "./shapes.ts";
import { type Picture, type Stage, sway } from "./stage.ts";

/** The colours of the drink that is asked for. */
export const drinkOf = ({ reading }: Stage) =>
  reading.things.has("tea")
    ? { dark: "#7a3f12", mid: "#b5671f", foam: "#e3a653" }
    : { dark: "#2c160c", mid: "#5a3018", foam: "#c8935f" };

/** Three threads of steam that rise and fade. */
export const steam = (stage: Stage, x: number, y: number, size: number): Picture => {
  const { ink, palette } = stage;
  const paint = ink.linear([
    [0, fade(palette.light, 0)],
    [0.45, fade(palette.light, 0.42)],
    [1, fade(palette.light, 0.05)],
  ]);
  return (phase) =>
    many(3, (i) => {
      const px = x + (i - 1) * size * 0.2;
      const w = sway(phase, i * 0.37) * size * 0.1;
      const bend = size * (0.14 + i * 0.03) * (i % 2 ? -1 : 1);
      return path(
        `M${n(px)} ${n(y)}C${n(px + bend + w)} ${n(y - size * 0.3)} ${n(px - bend - w)} ${n(y - size * 0.6)} ${n(px + bend * 0.5 + w)} ${n(y - size)}C${n(px - bend * 0.4 - w)} ${n(y - size * 0.62)} ${n(px + bend * 1.5 + w)} ${n(y - size * 0.3)} ${n(px + size * 0.07)} ${n(y)}Z`,
        paint,
      );
    });
};

/** A roasted bean. */
export const bean = (x: number, y: number, size: number, turn: number, tone: string): string =>
  `<g transform="translate(${n(x)} ${n(y)}) rotate(${n(turn)}) scale(${size.toFixed(2)})">${ellipse(1, 4, 14, 8, "#00000040")}${ellipse(0, 0, 14, 9, tone)}${path("M-13 0C-5 -5 5 5 13 0", "none", `stroke="${shade(tone, -0.5)}" stroke-width="2.2"`)}${ellipse(-4, -4, 5, 2, "#ffffff30")}</g>`;
