import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { tableOf } from "./report.ts";
import { type Run, runChaos, tell } from "./run.ts";

/** `CLUSTER_RUNS=20` makes it long: as many seeds, from `CLUSTER_SEED` on, with `CLUSTER_SECONDS` of faults each. */
const RUNS = Number(process.env.CLUSTER_RUNS ?? 1);
const FIRST = Number(process.env.CLUSTER_SEED ?? 1);
const SECONDS = Number(process.env.CLUSTER_SECONDS ?? 20);
const SECONDS_A_KILL = 4;

describe("three nodes that are killed, stopped and cut off", () => {
  const limits = { timeout: 300_000 + SECONDS * 1000 };
  const runs: Run[] = [];

  for (let seed = FIRST; seed < FIRST + RUNS; seed++) {
    it(`lose nothing and do nothing twice (seed ${seed})`, limits, async () => {
      console.log(`CLUSTER_SEED=${seed} CLUSTER_SECONDS=${SECONDS} …`);
      const run = await runChaos(seed, SECONDS);
      runs.push(run);
      assert.ok(run.violations.length === 0, tell(run));
    });
  }

  it("were really struck, and often", () => {
    console.log(tableOf(runs));
    assert.equal(runs.length, RUNS);
    for (const { struck, seed } of runs) {
      const { kills, pauses, cuts, restarts } = struck;
      assert.ok(kills >= SECONDS / SECONDS_A_KILL, `seed ${seed}: ${kills} kills`);
      assert.ok(pauses > 0 && cuts > 0 && restarts > 0, `seed ${seed}: ${JSON.stringify(struck)}`);
    }
  });
});
