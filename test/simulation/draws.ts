import type { Random } from "../../src/embedded/simulated/drawing/random.ts";
import type { Draws } from "../../src/ports.ts";
import type { Time } from "./time.ts";

/** Draws and ids that belong to the seed. Ids have the form of a UUIDv7, so that later ones sort behind. */
export const createDraws = (time: Time, random: Random): Draws => {
  let made = 0;
  return {
    random: random.next,
    id: () => {
      const ms = Math.floor(time.now()).toString(16).padStart(12, "0");
      const n = (++made).toString(16).padStart(12, "0");
      return `${ms.slice(0, 8)}-${ms.slice(8)}-7000-8000-${n}`;
    },
  };
};
