import { fade, mix, shade } from "./colour.ts";
import { eye } from "./eye.ts";
import { n } from "./ink.ts";
import { type Person, tonesOf } from "./person.ts";
import { ellipse, path } from "./shapes.ts";
import { type Picture, type Stage, sway } from "./stage.ts";

/** Outlines of a head seen from the front: the face is about 390 units tall around (0, 0). */
export const faceOutline = ({ woman }: Person): string =>
  woman
    ? "M-124 -40C-132 -134 -82 -190 0 -192C82 -190 132 -134 124 -40C126 24 116 74 90 116C64 156 34 180 0 182C-34 180 -64 156 -90 116C-116 74 -126 24 -124 -40Z"
    : "M-128 -40C-132 -130 -82 -190 0 -192C82 -190 132 -130 128 -40C130 28 124 76 100 124C78 166 44 194 0 196C-44 194 -78 166 -100 124C-124 76 -130 28 -128 -40Z";

/** The face: planes of light and shadow, eyes, nose, mouth, and lines for the old. */
export const face = (stage: Stage, who: Person): Picture => {
  const { ink, palette } = stage;
  const { light } = who;
  const { lit, base, dim, dark } = tonesOf(stage, who);
  const outline = faceOutline(who);
  const clip = ink.clip(`<path d="${outline}"/>`);
  const across: readonly [number, number, number, number] = light < 0 ? [0, 0.3, 1, 0.6] : [1, 0.3, 0, 0.6];
  const skin = ink.linear(
    [
      [0, lit],
      [0.4, base],
      [0.78, dim],
      [1, who.woman ? mix(dim, dark, 0.5) : dark],
    ],
    across,
  );
  const flip = (body: string) => `<g transform="scale(${-light} 1)">${body}</g>`;
  const blob = (x: number, y: number, rx: number, ry: number, colour: string, strength: number) =>
    ellipse(
      x,
      y,
      rx,
      ry,
      ink.radial([
        [0, fade(colour, strength)],
        [0.55, fade(colour, strength * 0.55)],
        [1, fade(colour, 0)],
      ]),
    );
  const blush = mix("#d8604f", base, 0.35);
  // Drawn for light from the left, mirrored when it comes from the right.
  const planes = flip(
    path(
      "M20 -196C46 -150 30 -96 36 -66C24 -50 20 -30 16 0C22 30 36 52 30 70C22 84 14 88 8 92C26 104 40 116 34 132C30 146 22 152 24 164C30 182 10 196 0 198H150V-200Z",
      fade(dark, who.woman ? 0.09 : 0.17),
    ) +
      path(
        "M72 -196C98 -120 92 -60 96 -10C92 40 70 70 76 104C78 130 56 170 30 200H160V-200Z",
        fade(dark, who.woman ? 0.14 : 0.24),
      ),
  );
  const modelling =
    blob(-56, -22, 50, 36, dim, 0.62) +
    blob(56, -22, 50, 36, dim, 0.62) +
    blob(-74, 56, 54, 42, blush, who.old ? 0.28 : 0.34) +
    blob(74, 56, 54, 42, blush, 0.24) +
    blob(light * 62, 34, 46, 26, lit, 0.75) +
    blob(light * 40, -118, 80, 48, lit, 0.6) +
    blob(light * 8, 168, 34, 22, lit, 0.45) +
    blob(0, 150, 40, 12, dim, 0.5) +
    blob(0, 205, 130, 44, dark, 0.6);
  const fine = who.woman ? 0.74 : 1;
  const nose = `<g transform="translate(0 ${n((1 - fine) * 62)}) scale(${fine})">${
    flip(
      path("M10 -34C16 -10 30 28 36 52C40 72 22 80 6 78C0 60 4 10 10 -34Z", fade(dim, who.woman ? 0.5 : 0.8)) +
        path("M-4 -30C-8 0 -14 30 -12 52C-10 62 2 62 4 50C4 20 2 -10 -4 -30Z", fade(lit, 0.85)) +
        ellipse(-4, 48, 7, 12, fade("#ffffff", palette.dark ? 0.18 : 0.32)),
    ) +
    path(
      "M-30 66C-24 58 -14 62 -6 74C-14 76 -24 76 -30 66ZM30 66C24 58 14 62 6 74C14 76 24 76 30 66Z",
      fade(dark, 0.85),
    ) +
    path(
      "M-36 58C-42 72 -30 80 -22 77M36 58C42 72 30 80 22 77",
      "none",
      `stroke="${fade(dark, who.woman ? 0.22 : 0.5)}" stroke-width="3" stroke-linecap="round"`,
    )
  }</g>`;
  const lip = mix(
    mix(who.woman ? "#b8443f" : "#a4564a", who.skin, who.woman ? 0.22 : 0.5),
    palette.deep,
    palette.dark ? 0.35 : 0.12,
  );
  const wide = who.woman ? 41 : 48;
  const mouth =
    path(
      `M-${wide} 113C-28 103 -12 97 0 102C12 97 28 103 ${wide} 113C24 119 -24 119 -${wide} 113Z`,
      shade(lip, -0.16),
    ) +
    path(
      `M-${wide} 113C-24 121 24 121 ${wide} 113C32 ${who.woman ? 144 : 135} -32 ${who.woman ? 144 : 135} -${wide} 113Z`,
      lip,
    ) +
    path(
      `M-${wide + 5} 110C-26 121 -10 115 0 119C10 115 26 121 ${wide + 5} 110`,
      "none",
      `stroke="${mix(dark, "#2a1012", 0.6)}" stroke-width="3.2" stroke-linecap="round"`,
    ) +
    ellipse(light * 10, 126, 15, 3.6, fade("#ffffff", palette.dark ? 0.18 : 0.36));
  const lines = who.old
    ? path(
        "M-44 70C-62 88 -68 104 -66 124M44 70C62 88 68 104 66 124M-70 -118C-30 -128 30 -128 70 -118M-60 -96C-26 -104 26 -104 60 -96M-8 -62L-10 -40M8 -62L10 -40",
        "none",
        `stroke="${fade(dark, 0.36)}" stroke-width="3.2" stroke-linecap="round"`,
      )
    : path(
        "M-46 72C-56 84 -60 94 -60 104M46 72C56 84 60 94 60 104",
        "none",
        `stroke="${fade(dark, 0.16)}" stroke-width="3" stroke-linecap="round"`,
      );
  const ear = (side: number) =>
    `<g transform="scale(${side} 1)">${path("M120 -34C146 -54 164 -26 154 6C150 30 140 52 122 48Z", side === light ? lit : dim)}${path("M126 -22C142 -32 150 -16 144 4C140 18 134 28 126 30", "none", `stroke="${fade(dark, 0.55)}" stroke-width="4" stroke-linecap="round"`)}</g>`;
  const eyes = [eye(stage, who, -1), eye(stage, who, 1)];
  const rim = path(
    outline,
    "none",
    `stroke="${fade(mix(palette.accents[1] as string, palette.glow, 0.5), palette.dark ? 0.55 : 0.3)}" stroke-width="7"`,
  );
  return (phase) =>
    `${ear(-1)}${ear(1)}${path(outline, skin)}<g clip-path="${clip}">${planes}${modelling}${rim}</g>${nose}${mouth}${lines}${eyes.map((draw) => draw(phase)).join("")}`;
};

/** A head moves as if it breathed. */
export const breathe = (phase: number, body: string): string =>
  `<g transform="translate(0 ${n(sway(phase) * 2.5)}) rotate(${n(sway(phase, 0.2) * 0.7)})">${body}</g>`;
