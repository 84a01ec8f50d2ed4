import { fade, mix, shade } from "./colour.ts";
import { n } from "./ink.ts";
import { type Person, tonesOf } from "./person.ts";
import { ellipse, many, path } from "./shapes.ts";
import type { Stage } from "./stage.ts";

/** Neck and shoulders in plain clothes; a wide knit collar when `knit`. */
export const bust = (stage: Stage, who: Person, cloth: string, knit: boolean): string => {
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
        `M${-380 * w} 1200C${-384 * w} 430 ${-300 * w} 340 ${-150 * w} 296C${-120 * w} 286 ${-104 * w} 260 ${-100 * w} 216C-60 262 60 262 ${100 * w} 216C${104 * w} 260 ${120 * w} 286 ${150 * w} 296C${300 * w} 340 ${384 * w} 430 ${380 * w} 1200Z`,
        wool,
      )
    : path(
        `M${-370 * w} 1200C${-374 * w} 430 ${-290 * w} 346 ${-140 * w} 296C${-110 * w} 330 -50 384 0 392C50 384 ${110 * w} 330 ${140 * w} 296C${290 * w} 346 ${374 * w} 430 ${370 * w} 1200Z`,
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
      `M${n(s * (150 + i * 34) * w)} ${n(352 + i * 16)}C${n(s * (190 + i * 26) * w)} 460 ${n(s * (170 + i * 30) * w)} 540 ${n(s * (200 + i * 22) * w)} 1200`,
      "none",
      `stroke="${fade(shade(cloth, -0.5), 0.3)}" stroke-width="9" stroke-linecap="round"`,
    );
  });
  return neck + under + body + folds + collar;
};
