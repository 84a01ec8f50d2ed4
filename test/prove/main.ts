/**
 * `npm run prove`: the long forms of the tests and benches, or only those named: `npm run prove -- chaos`.
 * `PROVE_KILLS` is how often each of them kills (200).
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { BENCHES } from "../bench/benches.ts";
import { type Entry, named, runAll } from "./run-all.ts";
import { untilSignal } from "./until-signal.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);
const KILLS = process.env.PROVE_KILLS ?? "200";
const test = (file: string): Entry["command"] => [process.execPath, "test", "--timeout", "7200000", file];
const program = (file: string): Entry["command"] => [process.execPath, fileURLToPath(new URL(file, import.meta.url))];

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
    name: "cluster",
    command: test("test/chaos/chaos.test.ts"),
    env: { CLUSTER_RUNS: "20", CLUSTER_SECONDS: "30" },
    figures: /^ *(?:seed|\d+|all) {2}.*$/,
  },
  {
    name: "failover",
    command: test("test/chaos/failover.test.ts"),
    env: { FAILOVER_JOBS: "3000" },
    figures: /^failover: (.*)$/,
  },
  {
    name: "relay",
    command: test("test/chaos/relay-outage.test.ts"),
    env: { OUTAGE_S: "30" },
    figures: /^outage: (.*)$/,
  },
  {
    name: "nats",
    command: program("nats.ts"),
    figures: /^nats: (.*)$/,
  },
  {
    name: "minio",
    command: program("minio.ts"),
    figures: /^minio: (.*)$/,
  },
  {
    name: "postgres",
    command: test("test/e2e/postgres-faults"),
    env: { FAULT_SECONDS: "8" },
    figures: /^(.* requests, \d+ taken, .*)$/,
  },
  {
    name: "rolling",
    command: test("test/chaos/rolling.test.ts"),
    env: { ROLLING_ROUNDS: "10" },
    figures: /^rolling: (.*)$/,
  },
  {
    name: "proxy",
    command: test("test/deploy/proxy.test.ts"),
    env: { PROXY_ROUNDS: "20" },
    figures: /^proxy: (.*)$/,
  },
  {
    name: "image",
    command: program("image.ts"),
    figures: /^image: (.*)$/,
  },
  {
    name: "compose",
    command: program("compose.ts"),
    figures: /^((?:docker-compose\.yml|Dockerfile) is valid.*)$/,
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
