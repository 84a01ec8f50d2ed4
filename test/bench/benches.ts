import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Entry } from "../prove/run-all.ts";
import { denoBinary, denoTask } from "../support/deno.ts";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const program = (name: string): Entry["command"] => [process.execPath, path(name)];
/** On Deno, with its memory set as for Darkroom itself. */
const onDeno = (name: string): Entry["command"] => {
  const [memory = ""] = /--v8-flags=\S+/.exec(denoTask("start")) ?? [];
  return [denoBinary(), "run", "-A", "--no-check", memory, path(name)];
};

/** Every bench, in its long form. */
export const BENCHES: readonly Entry[] = [
  { name: "ingest", command: program("ingest.ts"), env: { BENCH_MB: "500" }, figures: /^ingest: (.*)$/ },
  { name: "large", command: program("s3-large.ts"), env: { BENCH_MB: "2000" }, figures: /^large: (.*)$/ },
  { name: "ingest-deno", command: onDeno("ingest.ts"), env: { BENCH_MB: "500" }, figures: /^ingest: (.*)$/ },
  {
    name: "polls",
    command: program("poll-strategy.ts"),
    env: { BENCH_JOBS: "3000" },
    figures: /^(?:distribution|image|video|bimodal) .*$/,
  },
];

/** What makes each of them short; a bench that is not here has no short form, and the check would not run it. */
const SHORT: Record<string, Record<string, string>> = {
  ingest: { BENCH_MB: "50" },
  large: { BENCH_MB: "200" },
  "ingest-deno": { BENCH_MB: "50" },
  polls: { BENCH_JOBS: "1000" },
};

/** The same benches on a small scale: whether they still work, and still hold what they promise. */
export const SHORT_BENCHES: readonly Entry[] = BENCHES.flatMap((bench) => {
  const env = SHORT[bench.name];
  return env ? [{ ...bench, env: { ...bench.env, ...env }, limitMs: 120_000 }] : [];
});
