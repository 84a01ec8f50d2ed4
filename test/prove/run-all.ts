import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";

/** One long program: a proof or a measurement. */
export type Entry = {
  name: string;
  command: readonly [string, ...string[]];
  env?: Record<string, string>;
  /** Lines of its output that say how it went; it fails when it says none. What is captured is what is shown. */
  figures: RegExp;
  /** It is killed, and has failed, after so long. Default two hours. */
  limitMs?: number;
};

type Run = { name: string; seconds: number; failure: string | null; figures: string[] };

const LIMIT_MS = 2 * 3600_000;
/** What `bun test` says of tests that did not run. A proof that skipped something has proved nothing. */
const SKIPPED = /^ *[1-9]\d* (skip|todo)\b/;

type Say = (line: string) => void;

const run = ({ name, command, env, figures, limitMs = LIMIT_MS }: Entry, say: Say, signal: AbortSignal) =>
  new Promise<Run>((resolve) => {
    const started = performance.now();
    const found: string[] = [];
    let failure: string | null = null;
    const [program, ...args] = command;
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    const timer = setTimeout(() => {
      failure = `not done in ${Math.round(limitMs / 1000)} s`;
      child.kill("SIGKILL");
    }, limitMs);
    const stop = () => {
      failure = "stopped";
      child.kill("SIGTERM");
    };
    signal.addEventListener("abort", stop, { once: true });
    const hear = (line: string) => {
      say(line);
      const [whole, part] = figures.exec(line) ?? [];
      if (whole !== undefined) found.push((part ?? whole).trimEnd());
      if (SKIPPED.test(line)) failure ??= "it skipped something";
    };
    for (const output of [child.stdout, child.stderr]) createInterface({ input: output }).on("line", hear);
    child.once("error", (error) => {
      failure = error.message;
    });
    child.once("close", (code, killedBy) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      if (code !== 0) failure ??= code === null ? `ended by ${killedBy}` : `exit code ${code}`;
      if (found.length === 0) failure ??= "it gave no figures";
      resolve({ name, seconds: (performance.now() - started) / 1000, failure, figures: found });
    });
  });

const table = (runs: readonly Run[]): string[] => {
  const rows = runs.flatMap(({ name, seconds, failure, figures }) => {
    const outcome = failure === null ? "passed" : `FAILED: ${failure}`;
    return [
      [name, seconds.toFixed(1), outcome, figures[0] ?? ""],
      ...figures.slice(1).map((line) => ["", "", "", line]),
    ];
  });
  const all = [["name", "seconds", "outcome", "figures"], ...rows];
  const widths = [0, 1, 2].map((n) => Math.max(...all.map((row) => row[n]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, n) => cell.padEnd(widths[n] ?? 0))
      .join("  ")
      .trimEnd(),
  );
};

/**
 * Runs the entries one after another, each in a process of its own, whatever became of the ones before, and says all
 * that they say. Then one table, and a last line that counts like a test runner's. Resolves to whether all passed.
 * When the signal aborts, the one that runs is stopped and has failed, and so have those that were to come.
 */
export const runAll = async (entries: readonly Entry[], say: Say, signal: AbortSignal): Promise<boolean> => {
  const runs: Run[] = [];
  for (const entry of entries) {
    say(`── ${entry.name}`);
    runs.push(
      signal.aborted
        ? { name: entry.name, seconds: 0, failure: "stopped", figures: [] }
        : await run(entry, say, signal),
    );
  }
  const failed = runs.filter(({ failure }) => failure !== null).length;
  for (const line of ["", ...table(runs), ""]) say(line);
  say(`${failed === 0 ? "ok" : "FAILED"} | ${runs.length - failed} passed | ${failed} failed`);
  return runs.length > 0 && failed === 0;
};

/** The entries of these names, all of them for none. Throws for a name that there is not. */
export const named = (entries: readonly Entry[], names: readonly string[]): readonly Entry[] => {
  const unknown = names.filter((name) => !entries.some((entry) => entry.name === name));
  if (unknown.length > 0) {
    const known = entries.map(({ name }) => name).join(", ");
    throw new Error(`there is no ${unknown.join(", ")} to prove; there are ${known}`);
  }
  return names.length === 0 ? entries : entries.filter(({ name }) => names.includes(name));
};
