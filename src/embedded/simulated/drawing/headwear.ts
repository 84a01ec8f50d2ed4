import { fade, mix, shade } from "./colour.ts";
import { n } from "./ink.ts";
import { litAcross, type Person } from "./person.ts";
import { circle, ellipse, many, path, rect } from "./shapes.ts";
import type { Stage } from "./stage.ts";

/** A knitted cap pulled over the hair. */
export const woolCap = (stage: Stage, who: Person, colour: string): string => {
  const { ink, palette } = stage;
  const paint = ink.linear(
    [
      [0, mix(shade(colour, 0.2), palette.glow, 0.3)],
      [0.4, colour],
      [1, mix(shade(colour, -0.5), palette.deep, 0.35)],
    ],
    litAcross(who),
  );
  const dome = path("M-150 -120C-156 -250 -80 -306 0 -308C80 -306 156 -250 150 -120Z", paint);
  const ribs = many(15, (i) => {
    const x = (i - 7) * 20;
    return path(
      `M${n(x)} -120C${n(x * 1.04)} -210 ${n(x * 0.6)} -280 ${n(x * 0.16)} -306`,
      "none",
      `stroke="${fade(shade(colour, -0.5), 0.42)}" stroke-width="5"`,
    );
  });
  const brim = path(
    "M-158 -92C-162 -128 -158 -150 -150 -156C-90 -184 90 -184 150 -156C158 -150 162 -128 158 -92C90 -124 -90 -124 -158 -92Z",
    paint,
  );
  const knit = many(23, (i) => {
    const x = (i - 11) * 13.6;
    const y = -132 - 27 * Math.cos((i - 11) / 7.6);
    return path(
      `M${n(x)} ${n(y - 20)}V${n(y + 26)}`,
      "none",
      `stroke="${fade(shade(colour, -0.5), 0.5)}" stroke-width="4.5" stroke-linecap="round"`,
    );
  });
  return (
    dome +
    ribs +
    brim +
    path("M-158 -92C-90 -124 90 -124 158 -92", "none", `stroke="${fade(palette.deep, 0.5)}" stroke-width="5"`) +
    knit
  );
};

/** The hat of those who do magic. */
export const pointedHat = (stage: Stage, who: Person): string => {
  const { ink, palette, random } = stage;
  const cloth = mix(palette.accents[2] as string, palette.deep, 0.45);
  const paint = ink.linear(
    [
      [0, mix(shade(cloth, 0.2), palette.glow, 0.3)],
      [0.4, cloth],
      [1, mix(shade(cloth, -0.5), palette.deep, 0.4)],
    ],
    litAcross(who),
  );
  const tip = random.chance(0.5) ? 60 : -60;
  const stars = many(9, () => {
    const [y, r] = [random.between(-380, -190), random.between(3, 8)];
    const x = random.bell() * (440 + y) * 0.2;
    return path(
      `M${n(x)} ${n(y - r)}L${n(x + r * 0.3)} ${n(y - r * 0.3)}L${n(x + r)} ${n(y)}L${n(x + r * 0.3)} ${n(y + r * 0.3)}L${n(x)} ${n(y + r)}L${n(x - r * 0.3)} ${n(y + r * 0.3)}L${n(x - r)} ${n(y)}L${n(x - r * 0.3)} ${n(y - r * 0.3)}Z`,
      palette.glow,
    );
  });
  return (
    path(
      `M-128 -146C-96 -250 -60 -340 ${-10 + tip * 0.3} -420C${tip * 0.5} -440 ${tip} -436 ${tip * 1.3} -400C${tip * 0.8} -410 ${30 + tip * 0.2} -380 44 -350C70 -290 104 -220 128 -146C60 -176 -60 -176 -128 -146Z`,
      paint,
    ) +
    stars +
    path(
      "M-130 -150C-60 -184 60 -184 130 -150L136 -124C60 -160 -60 -160 -136 -124Z",
      mix(palette.accents[1] as string, palette.deep, 0.2),
    ) +
    path(
      "M-236 -98C-190 -150 -110 -158 0 -158C110 -158 190 -150 236 -98C150 -132 70 -138 0 -138C-70 -138 -150 -132 -236 -98Z",
      paint,
    )
  );
};

/** A crown with stones. */
export const crown = (stage: Stage, who: Person): string => {
  const { ink, palette } = stage;
  const gold = ink.linear(
    [
      [0, "#fff0b8"],
      [0.3, "#e9b93f"],
      [0.65, "#a8741c"],
      [1, "#5e3d10"],
    ],
    litAcross(who),
  );
  const gem = (x: number, y: number, r: number, colour: string) =>
    ellipse(
      x,
      y,
      r,
      r * 1.2,
      ink.radial(
        [
          [0, mix(colour, "#ffffff", 0.7)],
          [0.5, colour],
          [1, shade(colour, -0.5)],
        ],
        0.4,
        0.3,
        0.8,
      ),
    );
  return (
    path("M-132 -168C-60 -202 60 -202 132 -168L150 -310L88 -244L46 -334L0 -254L-46 -334L-88 -244L-150 -310Z", gold) +
    path("M-132 -168C-60 -202 60 -202 132 -168L134 -190C60 -224 -60 -224 -134 -190Z", "#fff3c866") +
    [-150, -46, 46, 150].map((x, i) => circle(x, i % 3 ? -334 : -310, 11, gold)).join("") +
    gem(0, -222, 12, palette.accents[0] as string) +
    gem(-70, -212, 9, palette.accents[2] as string) +
    gem(70, -212, 9, palette.accents[2] as string)
  );
};

/** Round glasses. */
export const spectacles = ({ palette }: Stage): string => {
  const frame = mix(palette.deep, "#1a1414", 0.5);
  return (
    [-1, 1]
      .map(
        (side) =>
          rect(side * 56 - 46, -54, 92, 74, fade(palette.light, 0.1), `rx="32" stroke="${frame}" stroke-width="7"`) +
          path(
            `M${side * 56 - 22} -38L${side * 56 + 4} -42`,
            "none",
            `stroke="#ffffff90" stroke-width="5" stroke-linecap="round"`,
          ) +
          path(`M${side * 102} -26L${side * 132} -32`, "none", `stroke="${frame}" stroke-width="7"`),
      )
      .join("") + path("M-12 -26C-6 -36 6 -36 12 -26", "none", `stroke="${frame}" stroke-width="7"`)
  );
};
