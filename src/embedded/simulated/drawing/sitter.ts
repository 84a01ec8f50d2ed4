import { fade, mix, shade } from "./colour.ts";
import { n } from "./ink.ts";
import { circle, ellipse, many, path } from "./shapes.ts";
import { type Picture, type Stage, sway } from "./stage.ts";

/** What tells one sitting animal from another. Colours are `#rrggbb`. */
export type Species = {
  fur: string;
  belly: string;
  ears: "pointed" | "floppy" | "long";
  /** Length of the snout: 0 is flat like a cat's. */
  snout: number;
  tail: "slim" | "bushy" | "none" | "short";
  eyes: string;
  stripes?: boolean;
  mask?: boolean;
};

const mirrored = (d: string, fill: string, more = "") =>
  `${path(d, fill, more)}<g transform="scale(-1 1)">${path(d, fill, more)}</g>`;

const EARS = {
  pointed: [
    "M-56 -222C-66 -258 -64 -294 -56 -308C-38 -298 -20 -280 -10 -258Z",
    "M-50 -232C-56 -258 -55 -280 -51 -291C-40 -283 -29 -271 -22 -257Z",
  ],
  floppy: [
    "M-40 -256C-78 -262 -92 -224 -84 -176C-80 -160 -64 -164 -58 -182C-54 -204 -44 -226 -30 -240Z",
    "M-60 -240C-76 -232 -80 -204 -78 -184C-70 -188 -66 -214 -54 -232Z",
  ],
  long: [
    "M-36 -248C-52 -292 -56 -352 -40 -376C-22 -370 -10 -300 -8 -254Z",
    "M-33 -262C-42 -300 -44 -340 -37 -358C-27 -346 -19 -300 -17 -264Z",
  ],
} as const;

const TAILS = {
  slim: (wag: number) =>
    `<path d="M54 -16C112 -12 ${n(134 + wag)} -38 ${n(120 + wag)} -74C${n(116 + wag)} -92 ${n(128 + wag * 1.6)} -108 ${n(142 + wag * 2)} -104" fill="none" stroke-width="23" stroke-linecap="round"`,
  bushy: (wag: number) =>
    `<path d="M50 -18C104 14 ${n(168 + wag)} -24 ${n(158 + wag)} -92C${n(154 + wag)} -124 ${n(128 + wag)} -132 ${n(122 + wag)} -96C116 -66 92 -54 56 -52Z" stroke-width="1"`,
  short: () => `<path d="M58 -24C82 -30 88 -10 70 -4Z" stroke-width="12" stroke-linejoin="round"`,
  none: () => "",
} as const;

/**
 * An animal that sits facing the eye, about 300 units tall at `scale` 1, standing on (`x`, `y`). `light` is the side
 * that the light comes from (-1 left, 1 right); it blinks, breathes and moves its tail.
 */
export const sitter = (stage: Stage, species: Species, x: number, y: number, scale: number, light: number): Picture => {
  const { ink, palette } = stage;
  const tint = palette.dark ? 0.42 : 0.12;
  const fur = mix(species.fur, palette.deep, tint);
  const belly = mix(species.belly, palette.deep, tint * 0.8);
  const across: readonly [number, number, number, number] = light < 0 ? [0, 0, 1, 0.3] : [1, 0, 0, 0.3];
  const coat = ink.linear(
    [
      [0, mix(shade(fur, 0.16), palette.glow, 0.22)],
      [0.4, fur],
      [1, mix(shade(fur, -0.42), palette.deep, 0.25)],
    ],
    across,
  );
  const bib = ink.linear([mix(belly, palette.glow, 0.2), mix(belly, palette.deep, 0.35)], across);
  const rim = fade(mix(palette.glow, palette.light, 0.4), 0.75);
  const iris = ink.radial([
    [0, shade(species.eyes, 0.35)],
    [0.7, species.eyes],
    [1, shade(species.eyes, -0.4)],
  ]);
  const line = shade(fur, -0.6);
  const [outerEar, innerEar] = EARS[species.ears];
  const body = "M-72 0C-96 -58 -82 -122 -50 -162C-30 -182 30 -182 50 -162C82 -122 96 -58 72 0Z";
  const cheeks = species.snout > 0 ? 46 : 60;
  const head = `M-${cheeks} -208C-64 -246 -32 -266 0 -266C32 -266 64 -246 ${cheeks} -208C${cheeks - 2} -176 ${28 + (1 - species.snout) * 6} -150 0 -${150 - species.snout * 10}C-${28 + (1 - species.snout) * 6} -150 -${cheeks - 2} -176 -${cheeks} -208Z`;
  const outline = path(body, rim) + path(head, rim) + mirrored(outerEar, rim);
  const legs =
    mirrored("M-34 -104C-42 -60 -38 -24 -42 -8C-42 4 -6 4 -6 -8L-4 -100Z", coat) +
    mirrored("M-42 -8C-44 5 -4 5 -5 -8C-14 -15 -34 -15 -42 -8Z", bib);
  const haunches =
    mirrored("M-48 -76C-92 -80 -104 -20 -84 -2H-46C-38 -28 -38 -56 -48 -76Z", coat) +
    mirrored("M-96 -4C-98 -18 -58 -18 -54 -3C-60 3 -90 3 -96 -4Z", bib);
  const chest = path("M-30 -164C-46 -122 -34 -76 0 -62C34 -76 46 -122 30 -164Z", bib, `opacity="0.9"`);
  const nose = -186 + species.snout * 12;
  const muzzle =
    species.snout > 0
      ? path(
          `M-34 -206C-38 -176 -20 ${nose + 32} 0 ${nose + 34}C20 ${nose + 32} 38 -176 34 -206C20 -190 10 -214 0 -226C-10 -214 -20 -190 -34 -206Z`,
          bib,
        )
      : mirrored("M0 -188C-12 -192 -30 -180 -26 -166C-20 -156 -4 -160 0 -168Z", bib);
  const mask = species.mask
    ? mirrored(
        "M-10 -220C-26 -244 -56 -236 -58 -206C-50 -188 -34 -184 -24 -196C-16 -204 -12 -210 -10 -220Z",
        mix(belly, fur, 0.15),
      )
    : "";
  const face =
    path(
      `M-${9 + species.snout * 4} ${nose - 6}C-4 ${nose - 10} 4 ${nose - 10} ${9 + species.snout * 4} ${nose - 6}C6 ${nose + 5 + species.snout * 4} -6 ${nose + 5 + species.snout * 4} -${9 + species.snout * 4} ${nose - 6}Z`,
      species.snout > 0 ? "#241c1c" : mix("#d98c86", palette.deep, tint),
    ) +
    `<path d="M0 ${nose + 3}V${nose + 11}M0 ${nose + 11}C-5 ${nose + 19} -16 ${nose + 18} -18 ${nose + 11}M0 ${nose + 11}C5 ${nose + 19} 16 ${nose + 18} 18 ${nose + 11}" fill="none" stroke="${line}" stroke-width="2.4" stroke-linecap="round"/>`;
  const whiskers =
    species.ears === "floppy"
      ? ""
      : many(6, (i) => {
          const [side, k] = [i % 2 ? 1 : -1, Math.floor(i / 2) - 1];
          return `<path d="M${side * 22} ${nose + 4 + k * 5}Q${side * 58} ${nose - 2 + k * 9} ${side * 92} ${nose + 6 + k * 16}" fill="none" stroke="${fade(palette.light, 0.65)}" stroke-width="1.3"/>`;
        });
  const stripes = species.stripes
    ? `<g fill="none" stroke="${fade(shade(fur, -0.45), 0.75)}" stroke-width="6" stroke-linecap="round"><path d="M0 -262V-236M-16 -260L-12 -238M16 -260L12 -238M-58 -212L-40 -208M58 -212L40 -208M-54 -196L-40 -196M54 -196L40 -196M-78 -64L-54 -70M-82 -44L-56 -50M78 -64L54 -70M82 -44L56 -50M-66 -120L-46 -112M66 -120L46 -112"/></g>`
    : "";
  const wide = species.snout > 0 ? 23 : 27;
  const tall = species.ears === "long" || species.ears === "floppy" ? 12 : 11;
  const slit = species.ears === "pointed" && species.snout === 0 ? (palette.dark ? 7 : 3.4) : 7.5;
  const eye = (side: number) =>
    ellipse(side * wide, -212, 15, tall + 1.5, line) +
    ellipse(side * wide, -212, 13, tall, iris) +
    ellipse(side * wide, -212, slit, tall * 0.88, "#0c0a0d") +
    circle(side * wide - light * -3.5, -216, 3.2, "#ffffff");
  const lids = path(
    `M-${wide + 16} -213Q-${wide} -226 -${wide - 15} -211Q-${wide} -206 -${wide + 16} -213ZM${wide + 16} -213Q${wide} -226 ${wide - 15} -211Q${wide} -206 ${wide + 16} -213Z`,
    fur,
  );
  return (phase) => {
    const wag = sway(phase) * 9;
    const tail = TAILS[species.tail](wag);
    const breath = 1 + 0.008 * sway(phase, 0.3);
    const blink = phase > 0.78 && phase < 0.86;
    return (
      `<g transform="translate(${n(x)} ${n(y)}) scale(${scale.toFixed(3)} ${(scale * breath).toFixed(3)})">` +
      ellipse(0, 0, 112, 12, fade(palette.deep, 0.45)) +
      (tail
        ? `${tail} stroke="${fur}" fill="${species.tail === "slim" ? "none" : coat}"/>`.replace('fill="none" ', "")
        : "") +
      `<g transform="translate(${n(light * 3.5)} -2.5)">${outline}</g>` +
      path(body, coat) +
      haunches +
      chest +
      legs +
      mirrored(outerEar, coat) +
      mirrored(innerEar, mix(mix("#d98c86", fur, 0.4), palette.deep, tint)) +
      path(head, coat) +
      mask +
      muzzle +
      stripes +
      eye(-1) +
      eye(1) +
      (blink ? lids : "") +
      face +
      whiskers +
      "</g>"
    );
  };
};
