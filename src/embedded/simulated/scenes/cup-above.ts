import { fade, mix, shade } from "../drawing/colour.ts";
import { bean, drinkOf, steam } from "../drawing/drink.ts";
import { n } from "../drawing/ink.ts";
import { circle, ellipse, many, path, rect } from "../drawing/shapes.ts";
import type { Scene, Stage } from "../drawing/stage.ts";

/** Latte art: a rosette of ever smaller leaves. */
const rosette = (stage: Stage, r: number): string => {
  const { ink } = stage;
  const milk = ink.linear(["#fdf3e2", "#ecd2a8"]);
  const leaves = many(6, (i) => {
    const [y, w, h] = [r * (0.42 - i * 0.17), r * (0.6 - i * 0.075), r * 0.15];
    return path(
      `M0 ${n(y + h * 1.5)}C${n(-w * 0.6)} ${n(y + h * 1.2)} ${n(-w * 1.15)} ${n(y + h * 0.2)} ${n(-w * 0.95)} ${n(y - h * 0.7)}C${n(-w * 0.6)} ${n(y + h * 0.2)} ${n(-w * 0.3)} ${n(y + h * 0.5)} 0 ${n(y + h * 0.5)}C${n(w * 0.3)} ${n(y + h * 0.5)} ${n(w * 0.6)} ${n(y + h * 0.2)} ${n(w * 0.95)} ${n(y - h * 0.7)}C${n(w * 1.15)} ${n(y + h * 0.2)} ${n(w * 0.6)} ${n(y + h * 1.2)} 0 ${n(y + h * 1.5)}Z`,
      milk,
    );
  });
  return `${leaves}${path(`M0 ${n(-r * 0.42)}C${n(-r * 0.3)} ${n(-r * 0.78)} ${n(-r * 0.04)} ${n(-r * 0.76)} 0 ${n(-r * 0.62)}C${n(r * 0.04)} ${n(-r * 0.76)} ${n(r * 0.3)} ${n(-r * 0.78)} 0 ${n(-r * 0.42)}Z`, milk)}<path d="M0 ${n(r * 0.7)}V${n(-r * 0.45)}" stroke="${fade("#8a5226", 0.55)}" stroke-width="${n(r * 0.022)}"/>`;
};

/** A cup from above on a wooden table, with a spoon and biscuits. */
export const fromAbove: Scene = (stage) => {
  const { ink, palette, random, reading, width, height, unit } = stage;
  const drink = drinkOf(stage);
  const wood = mix(mix("#a8744a", palette.deep, palette.dark ? 0.6 : 0.16), palette.haze, 0.22);
  const planks = many(6, (i) => {
    const y = (height / 6) * i;
    const tone = mix(wood, random.chance(0.5) ? palette.deep : palette.glow, random.between(0.02, 0.14));
    const grain = many(9, () => {
      const gy = y + random.between(6, height / 6 - 6);
      return `<path d="M0 ${n(gy)}C${n(width * 0.3)} ${n(gy + random.bell() * 9)} ${n(width * 0.7)} ${n(gy + random.bell() * 9)} ${n(width)} ${n(gy)}" fill="none" stroke="${fade(shade(wood, -0.35), 0.16)}" stroke-width="${n(random.between(0.8, 2.6))}"/>`;
    });
    return rect(0, y, width, height / 6 + 1, tone) + grain + rect(0, y, width, 2.5, fade(shade(wood, -0.6), 0.6));
  });
  const side = random.chance(0.5) ? 1 : -1;
  const [x, y, r] = [width * 0.5 - side * unit * 0.03, height * 0.5, unit * 0.2];
  const china = reading.colour ?? mix(palette.light, random.pick(palette.accents), 0.08);
  const bowl = ink.radial(
    [
      [0, shade(china, -0.1)],
      [0.8, china],
      [1, mix(china, palette.deep, 0.22)],
    ],
    0.45,
    0.42,
    0.6,
  );
  const shadow = ink.soft(
    ellipse(x - side * unit * 0.06, y + unit * 0.055, r * 1.66, r * 1.62, fade(palette.deep, 0.65)),
    unit * 0.02,
  );
  const inner = ink.soft(
    ellipse(x - side * unit * 0.025, y + unit * 0.025, r * 1.1, r * 1.1, fade(palette.deep, 0.55)),
    unit * 0.014,
  );
  const brew = ink.radial([
    [0, drink.foam],
    [0.55, mix(drink.foam, drink.mid, 0.45)],
    [0.9, drink.mid],
    [1, drink.dark],
  ]);
  const handle = `<g transform="rotate(${side > 0 ? 24 : 156} ${n(x)} ${n(y)})">${rect(x + r * 0.94, y - r * 0.13, r * 0.5, r * 0.26, mix(china, palette.deep, 0.1), `rx="${n(r * 0.12)}"`)}${rect(x + r * 0.94, y - r * 0.1, r * 0.44, r * 0.09, fade("#ffffff", 0.55), `rx="${n(r * 0.04)}"`)}</g>`;
  const cup =
    circle(x, y, r, china) +
    circle(x, y, r * 0.985, "none", `stroke="#ffffff" stroke-opacity="0.75" stroke-width="${n(r * 0.035)}"`) +
    circle(x, y, r * 0.89, mix(china, palette.deep, 0.42)) +
    circle(x, y, r * 0.86, brew);
  const art = reading.things.has("tea")
    ? circle(x - r * 0.2, y - r * 0.25, r * 0.3, fade("#ffffff", 0.14))
    : `<g transform="translate(${n(x)} ${n(y)}) rotate(${n(side * -18)})">${rosette(stage, r * 0.82)}</g>`;
  const spoon = `<g transform="translate(${n(x + side * r * 1.12)} ${n(y + r * 0.75)}) rotate(${n(side * -34)})">${ellipse(0, -r * 0.42, r * 0.15, r * 0.24, mix("#d9d6d0", palette.haze, 0.3))}${ellipse(-r * 0.03, -r * 0.44, r * 0.09, r * 0.17, "#ffffff90")}${rect(-r * 0.035, -r * 0.2, r * 0.07, r * 1.05, mix("#c9c6c0", palette.haze, 0.3), `rx="${n(r * 0.03)}"`)}</g>`;
  const biscuits = many(3, (i) => {
    const [bx, by, br] = [x + side * (r * 1.9 - i * r * 0.2), y - r * (1.5 - i * 0.42), r * 0.36];
    return (
      circle(bx - side * 5, by + 8, br, fade(palette.deep, 0.35)) +
      circle(
        bx,
        by,
        br,
        ink.radial([
          [0, "#e8bd7d"],
          [0.8, "#d09a54"],
          [1, "#a8713a"],
        ]),
      ) +
      many(8, (k) =>
        circle(
          bx + Math.cos(k * 2.4 + i) * br * 0.55 * Math.sqrt((k + 1) / 8),
          by + Math.sin(k * 2.4 + i) * br * 0.55 * Math.sqrt((k + 1) / 8),
          br * 0.1,
          "#4a2815",
        ),
      )
    );
  });
  const beans = many(16, () =>
    bean(
      x - side * r * random.between(1.5, 2.6),
      y + r * random.between(-1.9, 2.2),
      1.3,
      random.between(0, 360),
      mix("#4a2815", palette.deep, random.between(0, 0.4)),
    ),
  );
  const leaf = ink.soft(
    many(
      9,
      (i) =>
        `<path d="M0 0Q${n(unit * 0.13)} ${n(-unit * 0.05)} ${n(unit * 0.27)} 0Q${n(unit * 0.13)} ${n(unit * 0.05)} 0 0Z" transform="translate(${n(side > 0 ? -20 + i * 34 : width + 20 - i * 34)} ${n(i * 22 - 30)}) rotate(${n(side > 0 ? 62 - i * 9 : 118 + i * 9)})" fill="${fade(palette.deep, 0.6)}"/>`,
    ),
    10,
    `opacity="0.5"`,
  );
  const light = ellipse(
    width * (side > 0 ? 1 : 0),
    0,
    unit * 0.95,
    unit * 0.9,
    ink.radial([fade(palette.glow, 0.55), fade(palette.glow, 0)]),
  );
  const dusk = ellipse(
    width * (side > 0 ? 0 : 1),
    height,
    unit * 0.8,
    unit * 0.8,
    ink.radial([fade(palette.deep, 0.5), fade(palette.deep, 0)]),
  );
  const vapour = steam(stage, x, y, r * 1.5);
  return (phase) =>
    planks +
    beans +
    shadow +
    circle(x, y, r * 1.55, bowl) +
    circle(x, y, r * 1.53, "none", `stroke="#ffffff" stroke-opacity="0.5" stroke-width="4"`) +
    circle(x, y, r * 1.12, fade(mix(china, palette.deep, 0.3), 0.35)) +
    inner +
    handle +
    cup +
    art +
    spoon +
    biscuits +
    light +
    dusk +
    leaf +
    vapour(phase);
};
