import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { estimate } from "../../machines/distribution.ts";
import { defaultPolicy } from "../../machines/policy.ts";
import { MOST_PLANNED, planPolls, pollsOfBackoff, scheduledWait } from "../../machines/schedule.ts";
import { latencies, seeded } from "./latencies.ts";

const pace = defaultPolicy.poll;
const shape = fc.record({
  minMs: fc.integer({ min: 1, max: 2_000 }),
  maxMs: fc.integer({ min: 2_000, max: 60_000 }),
  factor: fc.double({ min: 1, max: 4, noNaN: true }),
  jitter: fc.double({ min: 0, max: 0.9, noNaN: true }),
});
const brackets = fc.array(
  fc.record({ after: fc.integer({ min: 0, max: 300_000 }), width: fc.integer({ min: 1, max: 60_000 }) }),
  { minLength: 1, maxLength: 40 },
);
const learn = (found: { after: number; width: number }[]) =>
  estimate(found.map(({ after, width }) => ({ after, by: after + width })));
const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("a schedule of polls", () => {
  it("is a short list of growing whole instants, whatever was observed and however polls are paced", () => {
    fc.assert(
      fc.property(brackets, shape, (found, paced) => {
        const schedule = planPolls(learn(found), paced);
        assert.ok(schedule.length > 0 && schedule.length <= MOST_PLANNED);
        assert.ok(schedule.every((at, n) => Number.isSafeInteger(at) && at > (schedule[n - 1] ?? 0)));
      }),
      { numRuns: 40 },
    );
  });

  it("spares the time in which nothing ever was done", () => {
    const certain = estimate(Array.from({ length: 50 }, (_, n) => ({ after: 20_000 + 40 * n, by: 20_100 + 40 * n })));
    const schedule = planPolls(certain, pace);
    assert.ok((schedule[0] ?? 0) > 18_000, `${schedule}`);
    assert.ok(pollsOfBackoff(certain, pace) > 4);
  });

  it("lets no wait grow beyond a minute, for the ends that come too early", () => {
    const late = estimate(Array.from({ length: 50 }, (_, n) => ({ after: 400_000 + n, by: 410_000 + 100 * n })));
    const schedule = planPolls(late, pace);
    for (const [n, at] of schedule.entries()) assert.ok(at - (schedule[n - 1] ?? 0) <= 60_000, `${schedule}`);
  });
});

describe("the wait for the next poll of a schedule", () => {
  const schedule = [10_000, 14_000, 20_000];
  const wait = (elapsed: number, drawn = 0.5) => scheduledWait(schedule, pace, elapsed, drawn);

  it("ends at the next instant", () => {
    assert.equal(wait(0), 10_000);
    assert.equal(wait(10_000), 4_000);
    assert.equal(wait(14_000), 6_000);
  });

  it("passes over an instant that was as good as polled, early by its jitter or by a nudge", () => {
    assert.equal(wait(9_800), 4_200);
    assert.equal(wait(11_900), 2_100);
    assert.equal(wait(12_100), 7_900);
  });

  it("varies with its draw by a share of the distance, and keeps the order", () => {
    assert.equal(wait(0, 0), 10_000 - 400);
    assert.ok(wait(0, 0.999999) <= 10_000 + 400);
    fc.assert(
      fc.property(draw, draw, (a, b) => {
        const first = wait(0, a);
        assert.ok(first + wait(first, b) > 13_000 && first + wait(first, b) < 15_000);
      }),
    );
  });

  it("grows like backoff after the last instant", () => {
    const waits: number[] = [];
    for (let elapsed = 20_000; waits.length < 6; elapsed += waits.at(-1) ?? 0) waits.push(wait(elapsed));
    assert.deepEqual(waits, [6_000, 6_000, 12_000, 24_000, 30_000, 30_000]);
  });

  it("is a whole number of ms between the shortest and twice the longest wait, with their jitter", () => {
    fc.assert(
      fc.property(brackets, shape, fc.nat({ max: 1_000_000 }), draw, (found, paced, elapsed, drawn) => {
        const found_ = scheduledWait(planPolls(learn(found), paced), paced, elapsed, drawn);
        assert.ok(Number.isSafeInteger(found_));
        assert.ok(found_ >= Math.floor(paced.minMs * (1 - paced.jitter)), `${found_}`);
        assert.ok(found_ <= 2 * paced.maxMs * (1 + paced.jitter) + 1, `${found_}`);
      }),
      { numRuns: 40 },
    );
  });
});

describe("polls that are placed by what was learned", () => {
  it("have the same distribution behind them whichever way it is written down", () => {
    const latency = latencies(seeded(5)).video;
    const exact = Array.from({ length: 300 }, latency).map((at) => ({ after: at - 1, by: at }));
    assert.deepEqual(planPolls(estimate(exact), pace), planPolls(estimate([...exact].reverse()), pace));
  });
});
