import { fade, mix, shade } from "./colour.ts";
import { n } from "./ink.ts";
import { ellipse, path, rect } from "./shapes.ts";
import { type Picture, type Stage, sway } from "./stage.ts";

/** A gabled house on (`x`, `y`), `size` wide: front, side, roof (with snow in winter), lit windows, smoke. */
export const house = (stage: Stage, x: number, y: number, size: number, near: number): Picture => {
  const { ink, palette, random } = stage;
  const winter = stage.reading.season === "winter" || stage.reading.weather === "snow";
  const flip = random.chance(0.5) ? -1 : 1;
  const wall = mix(
    mix(random.pick(["#8a5a44", "#6b4a3e", "#a47551", "#75685c", "#9c6b4f"]), palette.deep, palette.dark ? 0.5 : 0.12),
    palette.haze,
    (1 - near) * 0.45,
  );
  const side = shade(wall, -0.28);
  const roof = winter
    ? mix(palette.light, palette.haze, palette.dark ? 0.3 : 0.08)
    : mix(
        mix(palette.accents[0] as string, "#7a3b2e", 0.55),
        palette.haze,
        (1 - near) * 0.4 + (palette.dark ? 0.2 : 0),
      );
  const roofPaint = ink.linear([shade(roof, 0.15), mix(roof, palette.haze, 0.45)]);
  const [f, d, h, g] = [size * 0.46, size * 0.54, size * random.between(0.34, 0.44), size * random.between(0.36, 0.46)];
  const lamp = mix("#ffc45e", palette.glow, 0.2);
  const lit = ink.radial([shade(lamp, 0.45), lamp]);
  const halo = ink.radial([fade(lamp, palette.dark ? 0.5 : 0.15), fade(lamp, 0)]);
  const pane = (wx: number, wy: number, w: number, tall: number) => {
    const on = palette.dark || random.chance(0.4);
    return (
      rect(
        wx,
        wy,
        w,
        tall,
        on ? lit : mix(palette.deep, palette.sky[1] as string, 0.4),
        `stroke="${shade(wall, -0.45)}" stroke-width="${n(size * 0.012)}"`,
      ) +
      path(
        `M${n(wx + w / 2)} ${n(wy)}v${n(tall)}M${n(wx)} ${n(wy + tall / 2)}h${n(w)}`,
        "none",
        `stroke="${shade(wall, -0.45)}" stroke-width="${n(size * 0.011)}"`,
      )
    );
  };
  const o = size * 0.05;
  const body =
    path(`M${f} 0H${f + d}V${-h}H${f}Z`, side) +
    path(`M0 0V${-h}L${f / 2} ${-h - g}L${f} ${-h}V0Z`, ink.linear([shade(wall, 0.08), shade(wall, -0.12)])) +
    path(
      `M${f / 2} ${-h - g - o * 0.5}L${f / 2 + d + o} ${-h - g - o * 0.5}L${f + d + o} ${-h + o * 0.7}L${f + o * 0.8} ${-h + o * 0.9}Z`,
      roofPaint,
    ) +
    path(
      `M${-o} ${-h + o}L${f / 2} ${-h - g - o}L${f + o} ${-h + o}L${f + o * 0.2} ${-h + o * 0.9}L${f / 2} ${-h - g + o * 1.1}L${-o * 0.2} ${-h + o}Z`,
      shade(roof, winter ? 0.25 : -0.15),
    ) +
    pane(f * 0.16, -h * 0.82, f * 0.24, h * 0.36) +
    rect(f * 0.58, -h * 0.64, f * 0.24, h * 0.64, mix(palette.accents[0] as string, palette.deep, 0.55)) +
    pane(f * 0.4, -h - g * 0.45, f * 0.2, g * 0.26) +
    pane(f + d * 0.16, -h * 0.76, d * 0.24, h * 0.34) +
    pane(f + d * 0.6, -h * 0.76, d * 0.24, h * 0.34);
  const cx = f / 2 + d * 0.55;
  const chimney =
    rect(cx, -h - g - size * 0.13, size * 0.075, size * 0.2, shade(wall, -0.2)) +
    (winter ? rect(cx - 1, -h - g - size * 0.15, size * 0.09, size * 0.03, roof) : "");
  const glow =
    ellipse(f * 0.45, -h * 0.3, size * 0.6, size * 0.45, halo) +
    ellipse(size * 0.5, size * 0.06, size * 0.75, size * 0.13, halo);
  const puff = ink.radial([fade(palette.light, 0.3), fade(palette.light, 0)]);
  const smokes = random.chance(0.7);
  return (phase) => {
    let smoke = "";
    for (let i = 0; smokes && i < 7; i++) {
      const rise = (i + phase) / 7;
      const px = cx + size * 0.04 + Math.sin(rise * 5 + x) * size * 0.07 * rise * 2 + rise * size * 0.16;
      smoke += ellipse(
        px,
        -h - g - size * 0.16 - rise * size * 0.62,
        size * (0.035 + rise * 0.09),
        size * (0.035 + rise * 0.075),
        puff,
        `opacity="${n(Math.sin(Math.PI * Math.min(1, rise * 1.02)) * 1)}"`,
      );
    }
    const flicker = 0.92 + 0.08 * sway(phase * 2, x / 100);
    return `<g transform="translate(${n(flip < 0 ? x + size : x)} ${n(y)}) scale(${flip} 1)">${smoke}${chimney}${body}<g opacity="${flicker.toFixed(2)}">${glow}</g></g>`;
  };
};
