import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { CUT, plant } from "../faults/triggers.ts";
import { FAULT_MS, underLoad } from "../faults/world.ts";

const EVERY_MS = 200;

describe("connections that are cut", () => {
  it("cost 503s at most when all of them go, again and again", () =>
    underLoad("all connections cut", async ({ sql }) => {
      for (const until = performance.now() + FAULT_MS; performance.now() < until; await wait(EVERY_MS)) {
        await sql`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name in ('darkroom-read', 'darkroom-write')`;
      }
    }));

  for (const [where, place] of [
    ["in its middle", "facts"],
    ["in COMMIT", "commit"],
  ] as const) {
    it(`cost 503s at most when every third commit is cut off ${where}`, () =>
      underLoad(`every third commit cut off ${where}`, async ({ sql }) => {
        const clear = await plant(sql, place, 3, CUT);
        await wait(FAULT_MS);
        await clear();
      }));
  }
});
