import { along, fade, mix } from "../drawing/colour.ts";
import { n } from "../drawing/ink.ts";
import { below, circle, path, profile, rect, smooth } from "../drawing/shapes.ts";
import { type Scene, sway } from "../drawing/stage.ts";

/** Sheets of cut paper, one above the other, each with its shadow. */
export const sheets: Scene = (stage) => {
  const { ink, palette, random, noise, width, height, unit } = stage;
  const tones = [palette.sky[0], ...palette.sky.slice(1), ...palette.accents.slice(0, 3)] as string[];
  const count = 8;
  const turn = random.between(-28, 28);
  const start = random.between(0, 50);
  const order = random.chance(0.5) ? [...tones] : [...tones].reverse();
  const list = Array.from({ length: count }, (_, i) => {
    const share = i / (count - 1);
    const base = -height * 0.12 + share * height * 1.06;
    const line = profile(
      -width * 0.5,
      width * 1.5,
      16,
      (x) => base + (noise.cloudy(start + i * 0.42 + (x / unit) * 1.15, i * 0.35, 2) - 0.5) * unit * 0.62,
    );
    const tone = along(order, share);
    const d = below(line, height * 2, true);
    return {
      share,
      shadow: ink.soft(
        `<g transform="rotate(${n(turn)} ${n(width / 2)} ${n(height / 2)}) translate(0 ${n(-unit * 0.016)})">${path(d, fade(palette.deep, 0.75))}</g>`,
        unit * 0.02,
        `opacity="0.8"`,
      ),
      body: `${path(
        d,
        ink.linear([
          [0, mix(tone, "#ffffff", 0.2)],
          [0.35, tone],
          [1, mix(tone, palette.deep, 0.2)],
        ]),
      )}<path d="${smooth(line)}" fill="none" stroke="${fade("#ffffff", 0.35)}" stroke-width="1.6"/>`,
    };
  });
  const orb = {
    x: width * random.between(0.3, 0.7),
    y: height * random.between(0.16, 0.32),
    r: unit * random.between(0.09, 0.13),
  };
  const sun = circle(
    orb.x,
    orb.y,
    orb.r,
    ink.linear([mix(palette.glow, "#ffffff", 0.5), palette.accents[1] as string]),
  );
  const back = rect(
    0,
    0,
    width,
    height,
    ink.linear([mix(order[0] as string, palette.light, 0.35), order[0] as string]),
  );
  return (phase) =>
    back +
    list
      .map(({ share, shadow, body }, i) => {
        const shift = sway(phase, share * 0.5) * unit * 0.016;
        return `${i === 2 ? sun : ""}<g transform="translate(${n(shift)} ${n(shift * 0.5)})">${shadow}<g transform="rotate(${n(turn)} ${n(width / 2)} ${n(height / 2)})">${body}</g></g>`;
      })
      .join("");
};
