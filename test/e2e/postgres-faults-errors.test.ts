import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { type Place, plant, raise } from "../faults/triggers.ts";
import { FAULT_MS, underLoad } from "../faults/world.ts";

/** Longer than anyone is kept waiting. */
const FULL_MS = Math.max(FAULT_MS, 5_000);

const CASES: { what: string; place: Place; nth: number; codes: string[]; ms?: number }[] = [
  { what: "deadlocks in two of three commits", place: "actors", nth: 3, codes: ["40P01"] },
  { what: "a full disk", place: "facts", nth: 1, codes: ["53100"], ms: FULL_MS },
  {
    what: "every second commit refused for the moment",
    place: "facts",
    nth: 2,
    codes: ["53200", "55P03", "57014", "40001"],
  },
];

describe("a PostgreSQL that cannot do it now", () => {
  for (const { what, place, nth, codes, ms = FAULT_MS } of CASES) {
    it(`costs 503s at most: ${what}`, () =>
      underLoad(what, async ({ sql }) => {
        const clear = await plant(sql, place, nth, raise(...codes));
        await wait(ms);
        await clear();
      }));
  }
});
