import { fade, mix, shade } from "./colour.ts";
import { type Person, tonesOf } from "./person.ts";
import { circle, many, path } from "./shapes.ts";
import type { Picture, Stage } from "./stage.ts";

/** One eye that looks a little towards the light; it blinks. */
export const eye = (stage: Stage, who: Person, side: number): Picture => {
  const { ink, palette } = stage;
  const { dim, dark, base } = tonesOf(stage, who);
  const size = who.woman ? 1.2 : 1.04;
  const almond = who.woman
    ? "M-29 5C-18 -16 14 -20 31 -4C16 12 -14 14 -29 5Z"
    : "M-28 4C-16 -13 13 -15 29 0C14 10 -13 12 -28 4Z";
  const clip = ink.clip(`<path d="${almond}"/>`);
  const iris = ink.radial([
    [0, shade(who.iris, -0.2)],
    [0.55, who.iris],
    [0.85, shade(who.iris, 0.12)],
    [1, shade(who.iris, -0.6)],
  ]);
  const white = mix(mix("#f3ece4", who.skin, 0.12), palette.deep, palette.dark ? 0.3 : 0.1);
  const look = who.light * 3 * side;
  const lash = who.woman ? 5.5 : 4;
  const open =
    path(almond, white) +
    `<g clip-path="${clip}">${circle(look, -3, 13.5, iris)}${circle(look, -3, 6.2, "#0d0a0c")}${path("M-34 6C-18 -20 14 -24 34 -6L34 -26H-34Z", fade(dark, 0.5))}</g>` +
    circle(look + who.light * side * 4.5, -8, 3.4, "#ffffff") +
    circle(look - who.light * side * 4, 3, 1.6, "#ffffffa0") +
    path(
      who.woman ? "M-31 6C-18 -18 14 -22 36 -10" : "M-30 5C-16 -15 13 -17 31 0",
      "none",
      `stroke="${mix(dark, "#1a1012", 0.65)}" stroke-width="${lash}" stroke-linecap="round"`,
    ) +
    path("M-26 7C-12 14 12 13 27 3", "none", `stroke="${fade(dark, 0.55)}" stroke-width="1.8"`);
  const shut =
    path(almond, base) +
    path(
      "M-28 4C-13 15 14 13 30 0",
      "none",
      `stroke="${mix(dark, "#1a1012", 0.5)}" stroke-width="4.5" stroke-linecap="round"`,
    );
  const lid = path(
    who.old
      ? "M-34 -4C-18 -24 16 -26 36 -2C18 -16 -14 -16 -34 -4Z"
      : "M-28 -9C-14 -22 14 -24 30 -10C14 -19 -12 -18 -28 -9Z",
    fade(dim, 0.9),
  );
  const bags = who.old
    ? path("M-26 14C-8 26 14 24 28 12", "none", `stroke="${fade(dark, 0.4)}" stroke-width="2.4"`)
    : "";
  const crows = who.old
    ? many(3, (i) =>
        path(`M38 ${-4 + i * 7}L${56 - i} ${-12 + i * 12}`, "none", `stroke="${fade(dark, 0.35)}" stroke-width="2"`),
      )
    : "";
  const hair = who.old ? mix(who.hair, dim, 0.25) : mix(who.hair, dark, 0.45);
  const brow = who.woman
    ? "M-34 -36C-20 -50 14 -56 42 -38C14 -48 -16 -43 -32 -31Z"
    : "M-38 -32C-24 -50 16 -54 44 -34C40 -28 36 -29 32 -31C12 -42 -18 -40 -34 -26Z";
  return (phase) => {
    const closed = phase > 0.55 && phase < 0.63;
    return `<g transform="translate(${side * 56} -18) scale(${(side * size).toFixed(2)} ${size})">${lid}${closed ? shut : open}${bags}${crows}${path(brow, hair)}</g>`;
  };
};
