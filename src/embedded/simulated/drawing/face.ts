import { fade, mix, shade } from "./colour.ts";
import { n } from "./ink.ts";
import { circle, ellipse, many, path } from "./shapes.ts";
import { type Picture, type Stage, sway } from "./stage.ts";

/** Who is drawn. Colours are `#rrggbb`; `light` is the side the light comes from, -1 left or 1 right. */
export type Sitter = { woman: boolean; old: boolean; skin: string; hair: string; iris: string; light: 1 | -1 };

/** Outlines of a head seen from the front: the face is about 390 units tall around (0, 0). */
export const faceOutline = ({ woman }: Sitter): string =>
  woman
    ? "M-124 -40C-132 -134 -82 -190 0 -192C82 -190 132 -134 124 -40C126 24 116 74 90 116C64 156 34 180 0 182C-34 180 -64 156 -90 116C-116 74 -126 24 -124 -40Z"
    : "M-128 -40C-132 -130 -82 -190 0 -192C82 -190 132 -130 128 -40C130 28 124 76 100 124C78 166 44 194 0 196C-44 194 -78 166 -100 124C-124 76 -130 28 -128 -40Z";

/** Skin tones of a face under coloured light. */
const tonesOf = ({ palette }: Stage, { skin }: Sitter) => ({
  lit: mix(mix(skin, "#fff1de", 0.24), palette.glow, 0.24),
  base: mix(skin, palette.glow, 0.06),
  dim: mix(shade(skin, -0.3), palette.deep, palette.dark ? 0.42 : 0.24),
  dark: mix(shade(skin, -0.48), palette.deep, 0.48),
});

/** One eye that looks a little towards the light; it blinks. */
const eye = (stage: Stage, who: Sitter, side: number): Picture => {
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

/** The face: planes of light and shadow, eyes, nose, mouth, and lines for the old. */
export const face = (stage: Stage, who: Sitter): Picture => {
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

/** Neck and shoulders in plain clothes; a wide knit collar when `knit`. */
export const bust = (stage: Stage, who: Sitter, cloth: string, knit: boolean): string => {
  const { ink } = stage;
  const { lit, base, dim, dark } = tonesOf(stage, who);
  const { light } = who;
  const across: readonly [number, number, number, number] = light < 0 ? [0, 0, 1, 0.3] : [1, 0, 0, 0.3];
  const w = who.woman ? 0.82 : 1;
  const neck = path(
    `M${-82 * w} 90C${-76 * w} 190 ${-84 * w} 250 ${-150 * w} 300H${150 * w}C${84 * w} 250 ${76 * w} 190 ${82 * w} 90Z`,
    ink.linear(
      [
        [0, lit],
        [0.45, base],
        [0.8, dim],
        [1, dark],
      ],
      across,
    ),
  );
  const under = ellipse(
    0,
    178,
    108 * w,
    66,
    ink.radial([
      [0, fade(dark, 0.95)],
      [0.6, fade(dark, 0.6)],
      [1, fade(dark, 0)],
    ]),
  );
  const wool = ink.linear(
    [
      [0, mix(cloth, stage.palette.glow, 0.28)],
      [0.4, cloth],
      [1, mix(shade(cloth, -0.45), stage.palette.deep, 0.3)],
    ],
    across,
  );
  const body = knit
    ? path(
        `M${-380 * w} 640C${-384 * w} 430 ${-300 * w} 340 ${-150 * w} 296C${-120 * w} 286 ${-104 * w} 260 ${-100 * w} 216C-60 262 60 262 ${100 * w} 216C${104 * w} 260 ${120 * w} 286 ${150 * w} 296C${300 * w} 340 ${384 * w} 430 ${380 * w} 640Z`,
        wool,
      )
    : path(
        `M${-370 * w} 640C${-374 * w} 430 ${-290 * w} 346 ${-140 * w} 296C${-110 * w} 330 -50 384 0 392C50 384 ${110 * w} 330 ${140 * w} 296C${290 * w} 346 ${374 * w} 430 ${370 * w} 640Z`,
        wool,
      );
  const collar = knit
    ? path(
        `M${-104 * w} 206C-70 262 70 262 ${104 * w} 206C${112 * w} 236 ${118 * w} 268 ${150 * w} 292C90 350 -90 350 ${-150 * w} 292C${-118 * w} 268 ${-112 * w} 236 ${-104 * w} 206Z`,
        wool,
      ) +
      many(17, (i) => {
        const x = (i - 8) * 14 * w;
        return path(
          `M${n(x * 0.92)} ${n(236 + 26 * Math.cos((i - 8) / 5.4))}L${n(x * 1.16)} ${n(292 + 42 * Math.cos((i - 8) / 5.8))}`,
          "none",
          `stroke="${fade(shade(cloth, -0.5), 0.5)}" stroke-width="4" stroke-linecap="round"`,
        );
      })
    : path(
        `M${-150 * w} 292C${-110 * w} 330 -50 386 0 394C50 386 ${110 * w} 330 ${150 * w} 292L${132 * w} 282C${100 * w} 320 46 368 0 374C-46 368 ${-100 * w} 320 ${-132 * w} 282Z`,
        shade(cloth, 0.12),
      );
  const folds = many(5, (i) => {
    const s = i % 2 ? 1 : -1;
    return path(
      `M${n(s * (150 + i * 34) * w)} ${n(352 + i * 16)}C${n(s * (190 + i * 26) * w)} 460 ${n(s * (170 + i * 30) * w)} 540 ${n(s * (200 + i * 22) * w)} 640`,
      "none",
      `stroke="${fade(shade(cloth, -0.5), 0.3)}" stroke-width="9" stroke-linecap="round"`,
    );
  });
  return neck + under + body + folds + collar;
};

/** A head moves as if it breathed. */
export const breathe = (phase: number, body: string): string =>
  `<g transform="translate(0 ${n(sway(phase) * 2.5)}) rotate(${n(sway(phase, 0.2) * 0.7)})">${body}</g>`;
