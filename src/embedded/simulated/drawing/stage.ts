import type { Reading } from "../prompt/reading.ts";
import type { Ink } from "./ink.ts";
import type { Noise } from "./noise.ts";
import type { Palette } from "./palette.ts";
import type { Random } from "./random.ts";

/** All that a scene draws with. Units: the picture has an area of about 1024 × 1024, whatever its pixels. */
export type Stage = {
  readonly width: number;
  readonly height: number;
  /** The measure for the size of things: about 1024, less in a wide or tall picture. */
  readonly unit: number;
  readonly random: Random;
  readonly noise: Noise;
  readonly palette: Palette;
  readonly reading: Reading;
  readonly ink: Ink;
};

/**
 * A composed picture or a part of one. All that is random or costly is settled; `phase` (0 to 1, a loop)
 * only moves things, so that frame 0 of an animation follows its last frame without a jump.
 */
export type Picture = (phase: number) => string;

export type Scene = (stage: Stage) => Picture;

/** Back and forth once a loop: -1 to 1, starting anywhere. */
export const sway = (phase: number, start = 0): number => Math.sin((phase + start) * Math.PI * 2);

/** Forward once a loop and around: 0 to 1. */
export const cycle = (phase: number, start = 0): number => (((phase + start) % 1) + 1) % 1;
