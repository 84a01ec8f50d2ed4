import { along, fade, mix } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { rect, smooth } from "../drawing/shapes.ts";
import { type Scene, sway } from "../drawing/stage.ts";

/** Strokes that follow an invisible current; their light runs along them. */
export const currents: Scene = (stage) => {
  const { ink, palette, random, noise, width, height, unit } = stage;
  const ground = palette.dark ? palette.deep : mix(palette.deep, palette.accents[2] as string, 0.25);
  const back = rect(
    0,
    0,
    width,
    height,
    ink.linear([mix(ground, palette.sky[0] as string, 0.4), mix(ground, "#000000", 0.3)], [0, 0, 1, 1]),
  );
  const turn = random.between(0, 6.3);
  const centres = Array.from({ length: 3 }, () => ({
    x: random.between(0.1, 0.9) * width,
    y: random.between(0.1, 0.9) * height,
    spin: random.chance(0.5) ? 1 : -1,
    reach: unit * random.between(0.18, 0.36),
  }));
  const angle = (x: number, y: number) => {
    let [dx, dy] = [
      Math.cos(turn + (noise.cloudy((x / unit) * 1.7, (y / unit) * 1.7, 2) - 0.5) * 5),
      Math.sin(turn + (noise.cloudy((x / unit) * 1.7, (y / unit) * 1.7, 2) - 0.5) * 5),
    ];
    for (const c of centres) {
      const [ox, oy] = [x - c.x, y - c.y];
      const pull = Math.exp(-(ox * ox + oy * oy) / (c.reach * c.reach)) * 2.6;
      const away = Math.hypot(ox, oy) + 1;
      dx += (-oy / away) * pull * c.spin;
      dy += (ox / away) * pull * c.spin;
    }
    return Math.atan2(dy, dx);
  };
  const colours = [
    palette.accents[0],
    palette.accents[1],
    palette.glow,
    palette.accents[2],
    palette.sky[2],
  ] as string[];
  const strokes = Array.from({ length: 520 }, () => {
    let [x, y] = [random.between(-0.05, 1.05) * width, random.between(-0.05, 1.05) * height];
    const share = noise.cloudy(9 + (x / unit) * 1.2, (y / unit) * 1.2, 2);
    const colour = mix(
      along(colours, Math.max(0, Math.min(1, (share - 0.2) * 1.7))),
      random.chance(0.15) ? "#ffffff" : ground,
      random.between(0, 0.3),
    );
    const points = Array.from({ length: random.whole(7, 15) }, () => {
      const a = angle(x, y);
      x += Math.cos(a) * 17;
      y += Math.sin(a) * 17;
      return [x, y] as const;
    });
    const wide = random.next() ** 2;
    return { d: smooth(points), colour, width: 2 + wide * 13, beat: random.next() };
  });
  return (phase) =>
    back +
    strokes
      .map(
        ({ d, colour, width: w, beat }) =>
          `<path d="${d}" fill="none" stroke="${fade(colour, 0.72 + 0.24 * sway(phase, beat))}" stroke-width="${n(w)}" stroke-linecap="round"/>`,
      )
      .join("");
};
