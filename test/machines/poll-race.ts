/**
 * Both poll strategies over the same completion times: the real job machine, in virtual time, where a poll answers at
 * once. The adaptive one learns from its own brackets only, as it does from the log: first those of backoff.
 */
import { type Bracket, estimate } from "../../machines/distribution.ts";
import { createJobMachine } from "../../machines/job.ts";
import { defaultPolicy } from "../../machines/policy.ts";
import { planPolls } from "../../machines/schedule.ts";
import { createStep, type MachineEvent, nextStep, wakeAt } from "../../machines/step.ts";
import type { Latency } from "./latencies.ts";

const machine = createJobMachine(defaultPolicy);
const INPUT = { account: "a", batch: null, index: 0, timeoutMs: 3_600_000, webhook: false };
const OUTPUTS = [{ url: "https://provider.example/1.png" }];

/** History as the app keeps it: see src/jobs/history.ts. */
const KEPT = 300;
const ENOUGH = 20;
/** A plan is made anew after so many jobs, as it is after a minute. */
const REPLAN = 20;

type Notice = { polls: number; delayMs: number; bracket: Bracket };

/** One job from its submit to the poll that sees it done. */
const runJob = (doneAfterMs: number, schedule: number[], draw: () => number): Notice => {
  let now = 0;
  const stamp = () => ({ at: now, draw: draw(), id: "attempt" });
  let step = createStep(machine, INPUT, stamp());
  const send = (event: MachineEvent) => {
    step = nextStep(machine, step.snapshot, [event], stamp);
  };
  send({ type: "start" });
  send({ type: "accepted", attempt: "attempt", ref: "ref", schedule });
  for (let polls = 1; ; polls++) {
    now = wakeAt(step.snapshot.timers) ?? now;
    send({ type: "wake" });
    const done = now >= doneAfterMs;
    send({
      type: "polled",
      n: step.snapshot.context.polls,
      outcome: done ? { kind: "completed", outputs: OUTPUTS } : { kind: "running" },
    });
    const rendered = step.facts.find(({ type }) => type === "job.rendered");
    if (!rendered) continue;
    const bracket = { after: Number(rendered.done_after_ms), by: Number(rendered.done_by_ms) };
    return { polls, delayMs: now - doneAfterMs, bracket };
  }
};

export type Score = { polls: number; meanDelayMs: number; p95DelayMs: number };

const scoreOf = (notices: Notice[]): Score => {
  const mean = (of: (notice: Notice) => number) => notices.reduce((sum, n) => sum + of(n), 0) / notices.length;
  const delays = notices.map(({ delayMs }) => delayMs).sort((a, b) => a - b);
  return {
    polls: mean(({ polls }) => polls),
    meanDelayMs: mean(({ delayMs }) => delayMs),
    p95DelayMs: delays[Math.floor(delays.length * 0.95)] ?? 0,
  };
};

/** `warmup` jobs teach, `jobs` more are measured, while the learning goes on. */
export const racePolls = (
  latency: Latency,
  { draw, warmup, jobs }: { draw: () => number; warmup: number; jobs: number },
) => {
  const history: Bracket[] = [];
  const backoff: Notice[] = [];
  const adaptive: Notice[] = [];
  let schedule: number[] = [];
  for (let n = 0; n < warmup + jobs; n++) {
    if (history.length >= ENOUGH && n % REPLAN === 0) schedule = planPolls(estimate(history), defaultPolicy.poll);
    const doneAfterMs = latency();
    const notice = runJob(doneAfterMs, schedule, draw);
    history.push(notice.bracket);
    if (history.length > KEPT) history.shift();
    if (n < warmup) continue;
    adaptive.push(notice);
    backoff.push(runJob(doneAfterMs, [], draw));
  }
  return { backoff: scoreOf(backoff), adaptive: scoreOf(adaptive) };
};
