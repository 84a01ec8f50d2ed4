/**
 * `npm run bench:polls`, with `BENCH_JOBS` a row: from a completion to its notice, and polls a job, by both strategies over the same
 * completion times, in virtual time and from a fixed seed. `wideVideo` shows the limit: the wider a distribution is
 * against its mean, the less there is to know in advance. Fails when one of the others breaks the promise: at no more
 * polls, at most a third of the delay.
 */
import process from "node:process";
import { latencies, seeded } from "../machines/latencies.ts";
import { racePolls, type Score } from "../machines/poll-race.ts";

const jobs = Number(process.env.BENCH_JOBS ?? 3000);
const WARMUP = 500;

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
const rows = [["distribution", "strategy", "polls/job", "mean delay", "p95 delay", "polls ratio", "delay ratio"]];
for (const name of ["image", "video", "bimodal", "wideVideo"] as const) {
  const draw = seeded(7);
  const { backoff, adaptive } = racePolls(latencies(seeded(1))[name], { draw, warmup: WARMUP, jobs });
  const row = (strategy: string, { polls, meanDelayMs, p95DelayMs }: Score) => [
    name,
    strategy,
    polls.toFixed(2),
    seconds(meanDelayMs),
    seconds(p95DelayMs),
    (polls / backoff.polls).toFixed(2),
    (meanDelayMs / backoff.meanDelayMs).toFixed(2),
  ];
  rows.push(row("backoff", backoff), row("adaptive", adaptive));
  const kept = adaptive.polls <= backoff.polls && adaptive.meanDelayMs <= backoff.meanDelayMs / 3;
  if (!kept && name !== "wideVideo") process.exitCode = 1;
}
const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
for (const row of rows) console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
console.log(`\n${jobs} jobs a row after ${WARMUP} that taught`);
