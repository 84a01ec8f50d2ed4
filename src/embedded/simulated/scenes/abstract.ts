import type { Scene } from "../drawing/stage.ts";
import { circles } from "./circles.ts";
import { currents } from "./currents.ts";
import { sheets } from "./sheets.ts";
import { tiles } from "./tiles.ts";

/** Form without a subject: tiles, discs, cut paper or currents; also what is drawn for a prompt that names nothing known. */
export const abstract: Scene = (stage) => {
  const { things } = stage.reading;
  if (things.has("rectangles")) return tiles(stage);
  if (things.has("circles")) return circles(stage);
  if (things.has("swirls")) return currents(stage);
  return stage.random.pick([tiles, circles, sheets, currents])(stage);
};
