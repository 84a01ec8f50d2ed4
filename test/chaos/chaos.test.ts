import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { tableOf } from "./report.ts";
import { type Run, runChaos, tell } from "./run.ts";

/** `CLUSTER_RUNS=20` makes it long: as many seeds, from `CLUSTER_SEED` on, with `CLUSTER_SECONDS` of faults each. */
const RUNS = Number(process.env.CLUSTER_RUNS ?? 1);
const FIRST = Number(process.env.CLUSTER_SEED ?? 1);
const SECONDS = Number(process.env.CLUSTER_SECONDS ?? 25);

describe("three nodes that are killed, stopped and cut off", () => {
  const runs: Run[] = [];
  for (let seed = FIRST; seed < FIRST + RUNS; seed++) {
    it(`lose and double nothing (seed ${seed})`, { timeout: 300_000 + SECONDS * 1000 }, async () => {
      const run = await runChaos(seed, SECONDS);
      runs.push(run);
      console.log(tableOf([run]));
      assert.ok(run.violations.length === 0, tell(run));
    });
  }

  it("were struck as often as planned", () => {
    console.log(tableOf(runs));
    assert.equal(runs.length, RUNS);
  });
});
