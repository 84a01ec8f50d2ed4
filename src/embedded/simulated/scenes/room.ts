import { fade, mix } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { ellipse, many, path } from "../drawing/shapes.ts";
import { type Picture, type Scene, sway } from "../drawing/stage.ts";
import { windowScene } from "./window.ts";

/** The window, with a steaming cup where an animal might have sat. */
export const room: Scene = (stage) => {
  const { ink, palette, width, unit } = stage;
  const { back, front, sill } = windowScene(stage);
  const [x, s] = [width * 0.5, unit * 0.13];
  const china = mix(palette.light, palette.accents[0] as string, 0.12);
  const paint = ink.linear(
    [
      [0, china],
      [0.6, mix(china, palette.haze, 0.4)],
      [1, mix(china, palette.deep, 0.45)],
    ],
    [0, 0, 1, 0],
  );
  const mug =
    ellipse(x, sill + 2, s * 0.6, s * 0.09, fade(palette.deep, 0.35)) +
    `<path d="M${n(x + s * 0.4)} ${n(sill - s * 0.65)}c${n(s * 0.4)} ${n(-s * 0.05)} ${n(s * 0.38)} ${n(s * 0.5)} ${n(-s * 0.04)} ${n(s * 0.45)}" fill="none" stroke="${mix(china, palette.deep, 0.3)}" stroke-width="${n(s * 0.09)}"/>` +
    path(
      `M${n(x - s * 0.44)} ${n(sill - s * 0.8)}H${n(x + s * 0.44)}C${n(x + s * 0.44)} ${n(sill - s * 0.2)} ${n(x + s * 0.36)} ${n(sill)} ${n(x + s * 0.2)} ${n(sill)}H${n(x - s * 0.2)}C${n(x - s * 0.36)} ${n(sill)} ${n(x - s * 0.44)} ${n(sill - s * 0.2)} ${n(x - s * 0.44)} ${n(sill - s * 0.8)}Z`,
      paint,
    ) +
    ellipse(
      x,
      sill - s * 0.8,
      s * 0.44,
      s * 0.08,
      mix("#4a2c1c", palette.deep, 0.3),
      `stroke="${china}" stroke-width="3"`,
    );
  const vapour = ink.linear([fade(palette.light, 0), fade(palette.light, 0.4), fade(palette.light, 0)]);
  const steam: Picture = (phase) =>
    many(3, (i) => {
      const [px, w] = [x + (i - 1) * s * 0.2, sway(phase, i * 0.3) * s * 0.14];
      return `<path d="M${n(px)} ${n(sill - s * 0.9)}C${n(px + s * 0.2 + w)} ${n(sill - s * 1.2)} ${n(px - s * 0.25 - w)} ${n(sill - s * 1.5)} ${n(px + w)} ${n(sill - s * 1.9)}C${n(px - s * 0.12 - w)} ${n(sill - s * 1.5)} ${n(px + s * 0.32 + w)} ${n(sill - s * 1.2)} ${n(px)} ${n(sill - s * 0.9)}Z" fill="${vapour}"/>`;
    });
  return (phase) => back(phase) + steam(phase) + mug + front(phase);
};
