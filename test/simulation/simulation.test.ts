/**
 * Machines, dispatch, commits, relay and feeds as they are, on virtual time, from one seed. A failure prints the seed
 * and the story of the first job that broke a law; `SIMULATION_SEED=… SIMULATION_JOBS=…` replays it exactly.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import process from "node:process";
import { lineOf } from "./report.ts";
import { type Report, simulate } from "./simulation.ts";

const JOBS = Number(process.env.SIMULATION_JOBS ?? 60);
const SEEDS = Number(process.env.SIMULATION_SEEDS ?? (process.env.SIMULATION_SEED ? 1 : 6));
const FIRST = Number(process.env.SIMULATION_SEED ?? 1);
/** A boundary that was reached so often without a crash would be luck beyond belief. */
const OFTEN = 2_000;
/** Seeds of different climates: alone or not, hard on the database, hard on the nodes. */
const seeds = Array.from({ length: SEEDS }, (_, n) => FIRST + n);

const run = async (seed: number): Promise<Report> => {
  const began = performance.now();
  try {
    const report = await simulate({ seed, jobs: JOBS });
    console.info(lineOf(report, performance.now() - began));
    return report;
  } catch (error) {
    console.error(`SIMULATION_SEED=${seed} SIMULATION_JOBS=${JOBS} replays this`);
    throw error;
  }
};

describe("jobs in a world where everything goes wrong", () => {
  const reports: Report[] = [];
  for (const seed of seeds) {
    it(`break no law (seed ${seed})`, { timeout: 3_600_000 }, async () => {
      const report = await run(seed);
      reports.push(report);
      assert.equal(report.jobs, JOBS);
    });
  }

  it("come to every kind of end", () => {
    const ends = new Set(reports.flatMap((report) => Object.keys(report.ends)));
    assert.deepEqual([...ends].sort(), ["CANCELED", "FAILED", "SUCCEEDED", "TIMEOUT"]);
  });

  it("see a crash at every step: wherever nodes came often, one died", () => {
    for (const { reached, crashedAt, seed } of reports) {
      const spared = [...reached].filter(([at, times]) => times > OFTEN && !crashedAt.has(at));
      assert.deepEqual(spared, [], `seed ${seed}`);
    }
  });
});

describe("a seed", () => {
  it("comes to the same when it is replayed, event by event", async () => {
    const [once, twice, another] = [
      await simulate({ seed: 11, jobs: 40 }),
      await simulate({ seed: 11, jobs: 40 }),
      await simulate({ seed: 12, jobs: 40 }),
    ];
    assert.deepEqual(twice, once);
    assert.notEqual(another.hash, once.hash);
  });
});
