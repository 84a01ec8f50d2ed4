import { fatesOf } from "./checker-bills.ts";
import type { Run } from "./run.ts";

/** One line of the table. `gaps` and `duplicates` are what clients and consumers got before they ignored anything. */
const COLUMNS = [
  ...["seed", "jobs", "kills", "pauses", "cuts", "restarts", "lost answers", "facts", "watchers", "reconnects"],
  ...["bills", "adopted", "orphans", "unknown", "doubles", "gaps", "duplicates", "settle s", "violations"],
] as const;

const count = <T>(all: readonly T[], fits: (one: T) => boolean) => all.filter(fits).length;

const rowOf = ({ seed, struck, evidence, violations, settledMs }: Run): string[] => {
  const { jobs, facts, watched, heard, bills } = evidence;
  const fates = fatesOf(evidence).map(({ fate }) => fate);
  const attempts = new Set(bills.map(({ attempt }) => attempt));
  const again = watched.reduce((sum, { seen }) => sum + seen.length - new Set(seen.map(({ seq }) => seq)).size, 0);
  const reheard = heard.length - new Set(heard.map(({ id }) => id)).size;
  return [
    ...[seed, jobs.length, struck.kills, struck.pauses, struck.cuts, struck.restarts, struck.lostAnswers],
    ...[facts.length, watched.length],
    watched.reduce((sum, { connections }) => sum + connections - 1, 0),
    bills.length,
    ...(["adopted", "orphan", "unknown"] as const).map((fate) => count(fates, (each) => each === fate)),
    bills.length - attempts.size,
    count(violations, ({ what }) => /^(a client|a consumer|JetStream|the stream|the owner)/.test(what)),
    again + reheard,
    (settledMs / 1000).toFixed(1),
    violations.length,
  ].map(String);
};

/** A table of runs, with their sums where those mean something. */
export const tableOf = (runs: readonly Run[]): string => {
  const rows = runs.map(rowOf);
  const sums = COLUMNS.map((column, n) => {
    if (column === "seed") return "all";
    if (column === "settle s") return "";
    return String(rows.reduce((sum, row) => sum + Number(row[n]), 0));
  });
  const all = [[...COLUMNS], ...rows, ...(rows.length > 1 ? [sums] : [])];
  const widths = COLUMNS.map((_, n) => Math.max(...all.map((row) => row[n]?.length ?? 0)));
  return all.map((row) => row.map((cell, n) => cell.padStart(widths[n] ?? 0)).join("  ")).join("\n");
};
