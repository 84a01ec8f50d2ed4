/**
 * Polls where completions are likely, instead of at growing distances.
 *
 * A plan is a list of instants since the submit. Among all plans over a distribution of completion times it has the
 * least mean delay from a completion to the poll that sees it, at no more polls a job than exponential backoff makes
 * of the same distribution: dynamic programming over the cells minimises `delay + price · polls`, and the price is
 * found by bisection. (For a continuous distribution the optimum is the classic inspection schedule with the distance
 * √(2 · price / hazard rate): Keller, "Optimum checking schedules", 1974.)
 */
import { type Backoff, backoff } from "./backoff.ts";
import { type Distribution, survival } from "./distribution.ts";

/** Instants in a schedule: it travels in the job's snapshot. The rest of a long tail is backed off to. */
export const MOST_PLANNED = 24;
/**
 * No wait is longer than this many of backoff's longest, however sure the history is: an end that comes too early to
 * be in it (a refusal, a moderation) is noticed as soon as with the safety net beside webhooks.
 */
const LONGEST = 2;
/** Of the polls that backoff would make: jitter and a few observations must not make it more. */
const THRIFT = 0.99;
const BISECTIONS = 40;
const MOST_POLLS = 10_000;

/** Mean polls a job that backoff makes of this distribution; the jitter, which is symmetric, is left out. */
export const pollsOfBackoff = (known: Distribution, pace: Backoff): number => {
  let polls = 1;
  for (let n = 0, at = 0; n < MOST_POLLS; n++) {
    at += backoff(pace, n, 0.5);
    const left = survival(known, at);
    if (left <= 1e-9) break;
    polls += left;
  }
  return polls;
};

/**
 * Where a poll may be: 0 (the submit), then one after each longest wait, then the edges of the cells. `left[n]`: share not done at `at[n]`;
 * `done[n]` and `moment[n]`: share done by then, and their completion times added up, both from the start.
 */
const gridOf = ({ edges, shares }: Distribution, longest: number) => {
  const first = edges[0] ?? 0;
  const early = Array.from({ length: Math.max(0, Math.ceil(first / longest) - 1) }, (_, n) => (n + 1) * longest);
  const at = [0, ...early, ...edges];
  const done = at.map(() => 0);
  const moment = at.map(() => 0);
  for (let n = early.length + 2; n < at.length; n++) {
    const share = shares[n - early.length - 2] as number;
    done[n] = (done[n - 1] as number) + share;
    moment[n] = (moment[n - 1] as number) + (share * ((at[n - 1] as number) + (at[n] as number))) / 2;
  }
  return { at, done, moment, left: done.map((share) => Math.max(0, 1 - share)) };
};
type Grid = ReturnType<typeof gridOf>;

/** The best plan when a poll costs `price` ms of delay, with its mean number of polls. */
const bestAt = (price: number, { at, done, moment, left }: Grid, { minMs, maxMs }: Backoff) => {
  const end = at.length - 1;
  const cost = new Float64Array(at.length);
  const next = new Int32Array(at.length).fill(end);
  for (let i = end - 1; i >= 0; i--) {
    let best = Number.POSITIVE_INFINITY;
    for (let j = i + 1; j <= end; j++) {
      const wait = (at[j] as number) - (at[i] as number);
      // Where the cells are wider than the bounds, the neighbour is as near to them as it gets.
      if (wait > LONGEST * maxMs && best < Number.POSITIVE_INFINITY) break;
      if (wait < minMs && j < end) continue;
      const delay = (at[j] as number) * ((done[j] as number) - (done[i] as number));
      const here = delay - ((moment[j] as number) - (moment[i] as number)) + price * (left[i] as number);
      if (here + (cost[j] as number) >= best) continue;
      best = here + (cost[j] as number);
      next[i] = j;
    }
    cost[i] = best;
  }
  const plan: number[] = [];
  let polls = 0;
  for (let i = 0; i < end; i = next[i] as number) {
    polls += left[i] as number;
    plan.push(Math.round(at[next[i] as number] as number));
  }
  return { plan, polls };
};

/** The poll instants (ms since the submit, ascending) that suit these completion times. */
export const planPolls = (known: Distribution, pace: Backoff): number[] => {
  const grid = gridOf(known, LONGEST * pace.maxMs);
  const budget = pollsOfBackoff(known, pace) * THRIFT;
  let [cheap, dear] = [1e-3, 1e9];
  for (let n = 0; n < BISECTIONS; n++) {
    const price = Math.sqrt(cheap * dear);
    if (bestAt(price, grid, pace).polls > budget) cheap = price;
    else dear = price;
  }
  return bestAt(dear, grid, pace).plan.slice(0, MOST_PLANNED);
};

/**
 * How long to wait for the next poll, ms: until the schedule's first instant that is at least half its distance away
 * (the nearer one has just been polled, by its own jitter or by a nudge). The jitter is a share of half the distance
 * to the nearer neighbour, so that polls keep their order. After the last instant the waits grow by the backoff's
 * factor, from the last distance to its longest wait.
 */
export const scheduledWait = (schedule: readonly number[], pace: Backoff, elapsed: number, draw: number): number => {
  const { minMs, maxMs, factor, jitter } = pace;
  const swing = jitter * (2 * draw - 1);
  const place = schedule.findIndex((at, n) => elapsed < (at + (schedule[n - 1] ?? 0)) / 2);
  const last = schedule.at(-1) ?? 0;
  if (place < 0) {
    const distance = last - (schedule.at(-2) ?? 0);
    const wait = Math.max(minMs, distance, (factor - 1) * (elapsed - last));
    return Math.round(Math.min(maxMs, wait) * (1 + swing));
  }
  const at = schedule[place] ?? last;
  const before = at - (schedule[place - 1] ?? 0);
  const after = (schedule[place + 1] ?? at + before) - at;
  const wait = Math.min(LONGEST * maxMs, at - elapsed) + (swing * Math.min(before, after)) / 2;
  return Math.round(Math.max(minMs * (1 - jitter), wait));
};
