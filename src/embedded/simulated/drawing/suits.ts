import { fade, mix, shade } from "./colour.ts";
import { n } from "./ink.ts";
import { circle, ellipse, many, path, rect } from "./shapes.ts";
import { type Picture, type Stage, sway } from "./stage.ts";

const metal = ({ ink, palette }: Stage, tone: string, light: number): string =>
  ink.linear(
    [
      [0, mix(shade(tone, 0.45), palette.glow, 0.3)],
      [0.35, tone],
      [0.75, shade(tone, -0.35)],
      [1, mix(shade(tone, -0.6), palette.deep, 0.4)],
    ],
    light < 0 ? [0, 0, 1, 0.4] : [1, 0, 0, 0.4],
  );

/** A space suit; the visor mirrors a horizon and the stars. */
export const astronaut = (stage: Stage, light: number): Picture => {
  const { ink, palette, random } = stage;
  const white = mix("#eceae6", palette.haze, palette.dark ? 0.28 : 0.12);
  const cloth = metal(stage, white, light);
  const visor = ink.linear([
    [0, mix(palette.deep, palette.sky[0] as string, 0.5)],
    [0.42, palette.sky[Math.max(0, palette.sky.length - 2)] as string],
    [0.56, mix(palette.sky[palette.sky.length - 1] as string, palette.glow, 0.4)],
    [0.58, mix(palette.deep, palette.haze, 0.4)],
    [1, palette.deep],
  ]);
  const clip = ink.clip(`<ellipse cx="0" cy="-6" rx="168" ry="150"/>`);
  const dots = many(46, () =>
    circle(
      random.between(-165, 165),
      random.between(-150, -10),
      random.between(0.8, 2.6),
      fade(palette.glow, random.between(0.4, 1)),
    ),
  );
  const world = circle(
    light * 70,
    -60,
    34,
    ink.radial(
      [
        [0, mix(palette.accents[1] as string, "#ffffff", 0.4)],
        [0.7, palette.accents[1] as string],
        [1, shade(palette.accents[1] as string, -0.6)],
      ],
      light < 0 ? 0.3 : 0.7,
      0.3,
      0.8,
    ),
  );
  const sun = circle(
    light * 104,
    -70,
    60,
    ink.radial([
      [0, "#ffffff"],
      [0.15, fade(palette.glow, 0.9)],
      [1, fade(palette.glow, 0)],
    ]),
  );
  const body =
    path("M-400 1200C-410 430 -300 330 -160 300L-120 214H120L160 300C300 330 410 430 400 1200Z", cloth) +
    many(4, (i) =>
      path(
        `M${-150 - i * 6} ${304 + i * 26}C-70 ${352 + i * 26} 70 ${352 + i * 26} ${150 + i * 6} ${304 + i * 26}`,
        "none",
        `stroke="${fade(shade(white, -0.5), 0.35)}" stroke-width="7"`,
      ),
    ) +
    rect(-120, 404, 240, 150, metal(stage, shade(white, -0.14), light), `rx="22"`) +
    many(3, (i) =>
      circle(
        -66 + i * 66,
        446,
        17,
        [palette.accents[0], palette.accents[1], palette.accents[4]][i] as string,
        `stroke="${shade(white, -0.5)}" stroke-width="5"`,
      ),
    ) +
    rect(-90, 490, 180, 34, fade(palette.deep, 0.65), `rx="8"`) +
    path(
      "M-300 372C-330 450 -340 550 -336 1200M300 372C330 450 340 550 336 1200",
      "none",
      `stroke="${fade(palette.accents[0] as string, 0.85)}" stroke-width="20"`,
    );
  const ring =
    ellipse(0, 224, 168, 42, metal(stage, mix("#9aa0a8", palette.haze, 0.3), light)) +
    ellipse(0, 216, 150, 32, palette.deep);
  const helmet =
    circle(0, 0, 232, cloth) +
    ellipse(0, -6, 188, 170, metal(stage, mix("#8b9098", palette.haze, 0.3), light)) +
    ellipse(0, -6, 168, 150, visor);
  const joints =
    circle(-214, 40, 26, metal(stage, mix("#8b9098", palette.haze, 0.3), light)) +
    circle(214, 40, 26, mix("#6b7078", palette.deep, 0.3));
  const gleam = path(
    "M-132 -60C-118 -110 -70 -140 -20 -146C-70 -124 -104 -90 -118 -40Z",
    "#ffffff70",
    light > 0 ? `transform="scale(-1 1)"` : "",
  );
  return (phase) =>
    `${body}${ring}${helmet}<g clip-path="${clip}"><g transform="translate(${n(sway(phase) * 8)} 0)">${dots}${world}${sun}</g></g>${gleam}${joints}`;
};

/** A friendly machine with lit eyes. */
export const robot = (stage: Stage, light: number): Picture => {
  const { ink, palette, reading, random } = stage;
  const shell = mix(
    reading.colour ?? random.pick(["#c9ccd2", "#d8cfc0", palette.accents[3] as string]),
    palette.haze,
    0.15,
  );
  const plate = metal(stage, shell, light);
  const dark = metal(stage, mix("#3a3f48", palette.deep, 0.4), light);
  const glow = palette.accents[1] as string;
  const lamp = ink.radial([
    [0, "#ffffff"],
    [0.4, mix(glow, "#ffffff", 0.35)],
    [1, glow],
  ]);
  const halo = ink.radial([fade(glow, 0.8), fade(glow, 0)]);
  const body =
    path("M-380 1200C-384 440 -300 352 -170 322H170C300 352 384 440 380 1200Z", plate) +
    rect(-150, 400, 300, 200, dark, `rx="34"`) +
    many(5, (i) =>
      rect(
        -118 + i * 52,
        440 + (i % 2) * 40,
        28,
        100 - (i % 2) * 40,
        fade(i % 2 ? glow : (palette.accents[0] as string), 0.75),
        `rx="8"`,
      ),
    ) +
    circle(-300, 430, 58, dark) +
    circle(300, 430, 58, dark) +
    circle(-300, 430, 34, plate) +
    circle(300, 430, 34, plate);
  const neck = many(5, (i) => rect(-70 + i * 3, 196 + i * 27, 140 - i * 6, 22, dark, `rx="11"`));
  const head =
    rect(-190, -190, 380, 386, plate, `rx="104"`) +
    rect(-150, -112, 300, 186, dark, `rx="84"`) +
    rect(-216, -70, 40, 120, dark, `rx="18"`) +
    rect(176, -70, 40, 120, dark, `rx="18"`) +
    path(
      "M-150 -160C-110 -184 -40 -188 10 -186C-50 -174 -110 -160 -150 -130Z",
      "#ffffff80",
      light > 0 ? `transform="scale(-1 1)"` : "",
    ) +
    many(7, (i) => rect(-60 + i * 18, 112, 9, 44, fade(palette.deep, 0.55), `rx="4"`)) +
    circle(-160, 150, 7, fade(palette.deep, 0.5)) +
    circle(160, 150, 7, fade(palette.deep, 0.5));
  return (phase) => {
    const blink = phase > 0.5 && phase < 0.57 ? 0.12 : 1;
    const pulse = 0.8 + 0.2 * sway(phase);
    const eyes = [-1, 1]
      .map(
        (side) =>
          circle(side * 70, -20, 92, halo, `opacity="${n(pulse)}"`) + ellipse(side * 70, -20, 38, 38 * blink, lamp),
      )
      .join("");
    return `${body}${neck}<g transform="rotate(${n(sway(phase, 0.2) * 1.5)})">${path("M-4 -190V-262H4V-190Z", dark)}${circle(0, -272, 18, lamp)}${circle(0, -272, 56, halo)}${head}${eyes}</g>`;
  };
};
