import type { Scene } from "../drawing/stage.ts";
import { fromAbove } from "./cup-above.ts";
import { fromTheSide } from "./cup-side.ts";

/** Coffee or tea: on a saucer from the side, or from above on a table. */
export const cup: Scene = (stage) =>
  stage.reading.things.has("topview") || (!stage.reading.things.has("sideview") && stage.random.chance(0.35))
    ? fromAbove(stage)
    : fromTheSide(stage);
