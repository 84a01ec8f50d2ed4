/**
 * `npm run prove`: the long forms of the tests and benches, or only those named: `npm run prove -- chaos`.
 * `PROVE_KILLS` is how often each of them kills (200).
 */
import process from "node:process";
import { BENCHES } from "../bench/benches.ts";
import { type Entry, named, runAll } from "./run-all.ts";
import { untilSignal } from "./until-signal.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);
const KILLS = process.env.PROVE_KILLS ?? "200";
const test = (file: string): Entry["command"] => [process.execPath, "test", "--timeout", "7200000", file];

const ENTRIES: readonly Entry[] = [
  {
    name: "crash",
    command: test("test/e2e/crash.test.ts"),
    env: { CRASH_KILLS: KILLS },
    figures: /^crash: (.*)$/,
  },
  {
    name: "chaos",
    command: test("test/chaos/submit.test.ts"),
    env: { CHAOS_KILLS: KILLS },
    figures: /^\s*(?:provider|higgsfield|replicate|fal) .*$/,
  },
  {
    name: "failover",
    command: test("test/chaos/failover.test.ts"),
    env: { FAILOVER_JOBS: "3000" },
    figures: /^failover: (.*)$/,
  },
  {
    name: "rolling",
    command: test("test/chaos/rolling.test.ts"),
    env: { ROLLING_ROUNDS: "10" },
    figures: /^rolling: (.*)$/,
  },
  {
    name: "simulation",
    command: test("test/simulation/simulation.test.ts"),
    env: { SIMULATION_JOBS: "10000", SIMULATION_SEEDS: "3" },
    figures: /^(seed \d+: .*)$/,
  },
  ...BENCHES,
];

try {
  const passed = await runAll(named(ENTRIES, process.argv.slice(2)), say, untilSignal());
  process.exitCode = passed ? 0 : 1;
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}
