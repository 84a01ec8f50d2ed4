import { fade, mix, shade } from "./colour.ts";
import { n } from "./ink.ts";
import { litAcross, type Person } from "./person.ts";
import { circle, many, path } from "./shapes.ts";
import type { Stage } from "./stage.ts";

const locks = (stage: Stage, who: Person) => {
  const { ink, palette } = stage;
  const tone = mix(who.hair, palette.deep, palette.dark ? 0.35 : 0.1);
  const paint = ink.linear(
    [
      [0, mix(shade(tone, 0.24), palette.glow, 0.32)],
      [0.4, tone],
      [1, mix(shade(tone, -0.5), palette.deep, 0.3)],
    ],
    litAcross(who),
  );
  return { tone, paint };
};

/** Fine strands along curves that run between two guide lines. */
const strands = (
  { random }: Stage,
  tone: string,
  glow: string,
  count: number,
  curve: (t: number, jitter: number) => string,
): string =>
  many(count, () => {
    const t = random.next();
    const bright = random.chance(0.42);
    return path(
      curve(t, random.bell()),
      "none",
      `stroke="${fade(bright ? mix(shade(tone, 0.3), glow, 0.4) : shade(tone, -0.4), bright ? 0.34 : 0.42)}" stroke-width="${n(random.between(1.4, 3.6))}" stroke-linecap="round"`,
    );
  });

export type Hair = { behind: string; before: string };

/** Hair as two layers, behind the head and before it. */
export const hair = (stage: Stage, who: Person): Hair => {
  const { palette, random } = stage;
  const { tone, paint } = locks(stage, who);
  if (!who.woman) {
    const short = path(
      "M-136 -10C-162 -140 -122 -240 4 -242C122 -240 162 -140 136 -10C128 -30 130 -74 116 -104C104 -150 50 -172 -16 -166C-76 -158 -108 -138 -116 -100C-128 -74 -128 -34 -136 -10Z",
      paint,
    );
    const comb = strands(stage, tone, palette.glow, 84, (t, j) => {
      const x = -118 + t * 236;
      const line = -164 + (Math.abs(x + 10) / 126) ** 2.4 * 78;
      return `M${n(-52 + t * 40)} ${n(-234 + t * 6)}C${n(-40 + x * 0.5)} ${n(-232)} ${n(x * 1.02)} ${n(-206 + Math.abs(x) * 0.2)} ${n(x)} ${n(line + j * 5)}`;
    });
    return { behind: "", before: short + comb };
  }
  if (random.chance(0.35) || who.old) {
    const bun =
      circle(0, -262, 62, paint) +
      strands(
        stage,
        tone,
        palette.glow,
        26,
        (t, j) =>
          `M${n(-50 + t * 100)} -${n(300 - Math.abs(t - 0.5) * 50)}Q${n(j * 40)} -262 ${n(50 - t * 100)} -${n(224 + j * 8)}`,
      );
    const cap = path(
      "M-134 0C-164 -150 -110 -240 0 -240C110 -240 164 -150 134 0C130 -60 118 -110 84 -138C50 -160 -50 -160 -84 -138C-118 -110 -130 -60 -134 0Z",
      paint,
    );
    const comb = strands(stage, tone, palette.glow, 60, (t, j) => {
      const x = -118 + t * 236;
      return `M${n(x * 1.04)} ${n(-120 + Math.abs(x) * 0.5)}C${n(x)} -190 ${n(x * 0.5)} -226 ${n(x * 0.2 + j * 6)} -238`;
    });
    return { behind: bun, before: cap + comb };
  }
  const behind = path(
    "M-150 -60C-176 -206 -92 -252 0 -252C92 -252 176 -206 156 -60C184 60 210 190 186 330C120 372 -120 372 -186 330C-210 190 -184 60 -150 -60Z",
    paint,
  );
  const fall = strands(stage, tone, palette.glow, 80, (t, j) => {
    const s = t < 0.5 ? -1 : 1;
    const k = t < 0.5 ? t * 2 : (t - 0.5) * 2;
    return `M${n(s * (120 + k * 26))} ${n(-90)}C${n(s * (150 + k * 22))} 40 ${n(s * (128 + k * 50 + j * 14))} 170 ${n(s * (120 + k * 60 + j * 8))} 336`;
  });
  const before =
    path(
      "M-14 -206C-66 -196 -112 -140 -124 -40C-130 30 -134 80 -118 170C-176 90 -188 -60 -160 -140C-132 -226 -60 -254 4 -250C76 -254 144 -218 160 -120C184 -40 172 90 122 170C134 80 128 30 122 -40C108 -140 60 -192 -14 -206Z",
      paint,
    ) +
    strands(stage, tone, palette.glow, 84, (t, j) => {
      const s = t < 0.45 ? -1 : 1;
      const k = t < 0.45 ? t / 0.45 : (t - 0.45) / 0.55;
      return `M${n(-8 + j * 8)} ${n(-212 - k * 34)}C${n(s * (70 + k * 20))} ${n(-210 - k * 10)} ${n(s * (126 + k * 24))} -120 ${n(s * (130 + k * 30))} -10C${n(s * (140 + k * 24))} 50 ${n(s * (140 + k * 20))} 100 ${n(s * (122 + k * 12 + j * 6))} 158`;
    });
  return { behind: behind + fall, before };
};

/** A full beard with its moustache; the lower lip shows. */
export const beard = (stage: Stage, who: Person): string => {
  const { palette } = stage;
  const { tone, paint } = locks(stage, who);
  const mass = path(
    "M-130 -8C-140 90 -128 176 -84 236C-52 280 -22 296 0 300C22 296 52 280 84 236C128 176 140 90 130 -8C124 30 112 64 92 78C64 92 40 74 0 86C-40 74 -64 92 -92 78C-112 64 -124 30 -130 -8ZM-36 118C-20 112 20 112 36 118C26 138 -26 138 -36 118Z",
    paint,
    `fill-rule="evenodd"`,
  );
  const flow = strands(stage, tone, palette.glow, 150, (t, j) => {
    const x = -116 + t * 232;
    const top = Math.abs(x) < 44 ? 142 : 60 + (1 - Math.abs(x) / 116) * 46;
    return `M${n(x)} ${n(top + j * 12)}C${n(x * 1.06)} ${n(top + 60)} ${n(x * 0.9)} ${n(180)} ${n(x * 0.55 + j * 12)} ${n(232 + (1 - Math.abs(x) / 116) * 56 + j * 14)}`;
  });
  const moustache = path(
    "M0 82C-22 72 -64 82 -92 128C-60 132 -22 122 0 106C22 122 60 132 92 128C64 82 22 72 0 82Z",
    paint,
  );
  const whisk = strands(stage, tone, palette.glow, 44, (t) => {
    const s = t < 0.5 ? -1 : 1;
    const k = t < 0.5 ? t * 2 : (t - 0.5) * 2;
    return `M${n(s * 4)} ${n(84 + k * 16)}Q${n(s * 46)} ${n(82 + k * 26)} ${n(s * (70 + k * 18))} ${n(118 + k * 8)}`;
  });
  return mass + flow + moustache + whisk;
};
