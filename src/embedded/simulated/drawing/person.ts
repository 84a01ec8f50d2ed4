import { mix, shade } from "./colour.ts";
import type { Stage } from "./stage.ts";

/** Who is drawn. Colours are `#rrggbb`; `light` is the side the light comes from, -1 left or 1 right. */
export type Person = { woman: boolean; old: boolean; skin: string; hair: string; iris: string; light: 1 | -1 };

/** Skin tones of a face under coloured light. */
export const tonesOf = ({ palette }: Stage, { skin }: Person) => ({
  lit: mix(mix(skin, "#fff1de", 0.24), palette.glow, 0.24),
  base: mix(skin, palette.glow, 0.06),
  dim: mix(shade(skin, -0.3), palette.deep, palette.dark ? 0.42 : 0.24),
  dark: mix(shade(skin, -0.48), palette.deep, 0.48),
});

/** The line of a gradient that runs from the lit side to the dark one. */
export const litAcross = ({ light }: Person): readonly [number, number, number, number] =>
  light < 0 ? [0, 0, 1, 0.35] : [1, 0, 0, 0.35];
