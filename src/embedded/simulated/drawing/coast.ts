import { fade, mix, shade } from "./colour.ts";
import { below, circle, ellipse, many, path, profile } from "./shapes.ts";
import { type Picture, type Stage, sway } from "./stage.ts";

/** A sailing boat on the water at (`x`, `y`), `size` units tall, with its reflection; it rocks. */
export const boat = (stage: Stage, x: number, y: number, size: number): Picture => {
  const { ink, palette, random } = stage;
  const back = random.chance(0.5) ? 1 : -1;
  const cloth = mix(palette.light, palette.glow, 0.3);
  const main = ink.linear([cloth, mix(cloth, palette.haze, 0.55)], back > 0 ? [0, 0, 1, 0] : [1, 0, 0, 0]);
  const jib = ink.linear([mix(cloth, palette.haze, 0.2), mix(cloth, random.pick(palette.accents), 0.35)]);
  const hull = mix(palette.deep, random.pick(palette.accents), 0.22);
  const beat = random.next();
  const body =
    path("M-42 -4C-30 10 26 12 44 -9C20 -6 -20 -4 -42 -4Z", hull) +
    path("M-40 -5C-20 -4 20 -6 43 -10L43 -7C20 -3 -20 -1 -39 -2Z", fade(palette.light, 0.5)) +
    path("M2 -8C34 -24 34 -66 1 -112Z", main) +
    path("M-3 -10C-24 -16 -36 -20 -38 -14C-22 -36 -10 -66 -3 -98Z", jib) +
    `<path d="M0 -4V-114" stroke="${palette.deep}" stroke-width="1.6"/>`;
  return (phase) => {
    const scale = size / 112;
    const tilt = sway(phase, beat) * 2.2;
    const bob = sway(phase, beat + 0.2) * size * 0.018;
    return (
      `<g transform="translate(${x.toFixed(1)} ${(y + bob).toFixed(1)}) scale(${(scale * back).toFixed(3)} ${(-scale * 0.62).toFixed(3)})" opacity="0.28">${body}</g>` +
      ellipse(x, y + size * 0.05, size * 0.42, size * 0.03, fade(palette.deep, 0.3)) +
      `<g transform="translate(${x.toFixed(1)} ${(y + bob).toFixed(1)}) rotate(${tilt.toFixed(2)}) scale(${(scale * back).toFixed(3)} ${scale.toFixed(3)})">${body}</g>`
    );
  };
};

/** A lighthouse on a rock at the horizon; its beam turns. */
export const lighthouse = (stage: Stage, level: number): Picture => {
  const { ink, palette, random, width, unit, noise } = stage;
  const right = random.chance(0.5);
  const x = width * (right ? 0.8 : 0.2);
  const rock = profile(
    x - unit * 0.2,
    x + unit * 0.2,
    24,
    (_, share) => level + 6 - Math.sin(share * Math.PI) ** 0.7 * unit * (0.04 + 0.045 * noise.cloudy(share * 6, 4, 3)),
  );
  const [base, tall, wide] = [level - unit * 0.065, unit * 0.23, unit * 0.026];
  const top = base - tall;
  const paint = ink.linear(
    [
      [0, shade(palette.light, -0.06)],
      [0.55, mix(palette.light, palette.haze, 0.4)],
      [1, mix(palette.deep, palette.haze, 0.35)],
    ],
    [0, 0, 1, 0],
  );
  const red = mix(palette.accents[0] as string, palette.deep, 0.15);
  const tower = path(`M${x - wide} ${base}L${x - wide * 0.6} ${top}H${x + wide * 0.6}L${x + wide} ${base}Z`, paint);
  const bands = many(2, (i) => {
    const [a, b] = [0.25 + i * 0.36, 0.41 + i * 0.36];
    const half = (share: number) => wide * (0.6 + 0.4 * share);
    return path(
      `M${x - half(a)} ${top + tall * a}H${x + half(a)}L${x + half(b)} ${top + tall * b}H${x - half(b)}Z`,
      fade(red, 0.8),
    );
  });
  const lamp =
    `<rect x="${x - wide * 0.5}" y="${top - wide * 1.1}" width="${wide}" height="${wide * 1.1}" fill="${palette.glow}"/>` +
    path(`M${x - wide * 0.75} ${top - wide}L${x} ${top - wide * 2}L${x + wide * 0.75} ${top - wide}Z`, palette.deep) +
    `<rect x="${x - wide * 0.85}" y="${top - wide * 0.12}" width="${wide * 1.7}" height="${wide * 0.3}" fill="${palette.deep}"/>`;
  const beam = ink.linear([fade(palette.glow, 0.55), fade(palette.glow, 0)], right ? [1, 0, 0, 0] : [0, 0, 1, 0]);
  const side = right ? -1 : 1;
  const halo = ink.radial([fade(palette.glow, 0.9), fade(palette.glow, 0)]);
  return (phase) => {
    const rise = sway(phase) * unit * 0.05;
    const y = top - wide * 0.55;
    const shaft = path(
      `M${x} ${y - 2}L${x + side * unit * 0.7} ${y - unit * 0.09 + rise}V${y + unit * 0.07 + rise}L${x} ${y + 2}Z`,
      beam,
      `opacity="${palette.dark ? 0.8 : 0.4}"`,
    );
    return (
      path(below(rock, level + 8, true), mix(palette.deep, palette.haze, 0.18)) +
      shaft +
      tower +
      bands +
      lamp +
      circle(x, y, wide * 2.6, halo)
    );
  };
};

/** A palm leaning over the water; `lean` 1 is to the right. Its fronds move in the wind. */
export const palm = (stage: Stage, x: number, y: number, tall: number, lean: number): Picture => {
  const { palette, random } = stage;
  const dark = mix(palette.deep, palette.leaf[0] as string, 0.4);
  const [tx, ty] = [x + lean * tall * 0.28, y - tall];
  const w = tall * 0.022;
  const trunk = path(
    `M${x - w * 1.5} ${y}C${x + lean * tall * 0.02} ${y - tall * 0.4} ${x + lean * tall * 0.1} ${y - tall * 0.7} ${tx - w * 0.5} ${ty}L${tx + w * 0.7} ${ty}C${x + lean * tall * 0.14} ${y - tall * 0.7} ${x + lean * tall * 0.07} ${y - tall * 0.4} ${x + w * 1.5} ${y}Z`,
    shade(dark, 0.06),
  );
  const fronds = Array.from({ length: 11 }, (_, i) => ({
    angle: -200 + i * 22 + random.between(-6, 6),
    long: tall * random.between(0.3, 0.42),
    beat: random.next(),
    tone: mix(dark, palette.leaf[1] as string, random.between(0, 0.5)),
  }));
  return (phase) =>
    trunk +
    fronds
      .map(({ angle, long, beat, tone }) => {
        const droop = long * 0.32;
        const leaf = many(9, (k) => {
          const share = (k + 1) / 9;
          const [px, py] = [long * share, -Math.sin(share * 2.2) * long * 0.16 + droop * share ** 2];
          const size = long * 0.24 * Math.sin(share * 2.6 + 0.35);
          return `M${px.toFixed(1)} ${py.toFixed(1)}l${(size * 0.5).toFixed(1)} ${(size * 0.9).toFixed(1)}l${(-size * 0.75).toFixed(1)} ${(-size * 0.75).toFixed(1)}Z`;
        });
        const flip = Math.cos((angle * Math.PI) / 180) < 0 ? -1 : 1;
        const turn = flip < 0 ? angle + 180 : angle;
        const d = `M0 0Q${long * 0.5} ${-long * 0.24} ${long} ${droop - long * 0.13}Q${long * 0.5} ${-long * 0.13} 0 ${long * 0.035}Z${leaf}`;
        return `<g transform="translate(${tx.toFixed(1)} ${ty.toFixed(1)}) rotate(${((turn + sway(phase, beat) * 3) * 1).toFixed(1)}) scale(${flip} 1)"><path d="${d}" fill="${tone}"/></g>`;
      })
      .join("");
};
