import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRegistry } from "../../machines/registry.ts";
import { defaultPolicy } from "../../machines/policy.ts";
import { createSweep } from "../../src/actors/sweep.ts";
import { createTimers } from "../../src/actors/timers.ts";
import type { Query } from "../../src/db/queries.ts";
import { Problem } from "../../src/errors.ts";
import { createLog } from "../../src/log.ts";
import { createVirtualClock } from "../streams/clock.ts";
import { until } from "../streams/until.ts";

const PAGE = 500;
const id = (n: number) => `00000000-0000-0000-0000-${String(n).padStart(12, "0")}`;

describe("the first sweep of a node alone", () => {
  it("goes on where it was when the database was too busy for it", async () => {
    const clock = createVirtualClock();
    const interrupted = Array.from({ length: PAGE + 20 }, (_, n) => id(n + 1));
    let refusals = 1;
    const query = (async (name: string, params: readonly unknown[] = []) => {
      if (name !== "interrupted") return [];
      const [, after, limit] = params as [Date, string, number];
      if (after !== id(0) && refusals-- > 0) throw new Problem("unavailable", "The database is busy");
      return interrupted
        .filter((each) => each > after)
        .slice(0, limit)
        .map((each) => ({ id: each }));
    }) as unknown as Query;
    const woken: string[] = [];
    const sweep = createSweep({
      query,
      clock,
      timers: createTimers(clock, () => {}),
      registry: createRegistry(defaultPolicy),
      alone: true,
      graceMs: 0,
      idempotencyTtlMs: 1000,
      watchdogMs: 1000,
      wake: (actor) => void woken.push(actor),
      offer: () => {},
      pinned: () => [],
      admit: async () => {},
      log: createLog("silent"),
    });
    await sweep.start();
    assert.equal(woken.length, PAGE, "it has begun, and the node is up");
    clock.advance(1000);
    await until(() => woken.length === interrupted.length);
    assert.deepEqual(woken, interrupted, "each once");
    await sweep.close();
  });
});
