import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Bracket, estimate, mean, quantile, survival } from "../../machines/distribution.ts";
import { latencies, seeded } from "./latencies.ts";

const brackets = fc.array(
  fc.record({ after: fc.integer({ min: 0, max: 600_000 }), width: fc.integer({ min: 1, max: 60_000 }) }),
  { minLength: 1, maxLength: 60 },
);
const learn = (found: { after: number; width: number }[]) =>
  estimate(found.map(({ after, width }) => ({ after, by: after + width })));

/** What polls at these instants would have seen. */
const polledAt = (instants: number[], doneAt: number): Bracket => {
  const by = instants.find((at) => at >= doneAt) ?? Number.POSITIVE_INFINITY;
  return { after: instants[instants.indexOf(by) - 1] ?? 0, by };
};

describe("the distribution of completion times", () => {
  it("adds up to one over growing edges, whatever was observed", () => {
    fc.assert(
      fc.property(brackets, (found) => {
        const { edges, shares } = learn(found);
        assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
        assert.ok(shares.every((share) => share > 0));
        assert.ok(edges.every((edge, n) => n === 0 || edge > (edges[n - 1] as number)));
      }),
    );
  });

  it("is the same backwards: what is left after a quantile is the rest of its share", () => {
    fc.assert(
      fc.property(brackets, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (found, share) => {
        const known = learn(found);
        const at = quantile(known, share) as number;
        assert.ok(Math.abs(survival(known, at) - (1 - share)) < 1e-6);
      }),
    );
  });

  it("finds the median between wide brackets, when their ends vary as jitter makes them", () => {
    const random = seeded(3);
    const latency = latencies(random).image;
    const observed = Array.from({ length: 300 }, () => {
      const instants: number[] = [];
      for (let n = 0, at = 0; n < 20; n++) {
        at += Math.min(30_000, 1000 * 2 ** n) * (0.8 + 0.4 * random());
        instants.push(at);
      }
      return polledAt(instants, latency());
    });
    const median = quantile(estimate(observed), 0.5) as number;
    assert.ok(Math.abs(median - 26_000) < 3_000, `${median}`);
  });

  it("keeps two modes apart", () => {
    const observed = [8, 75].flatMap((at) =>
      Array.from({ length: 50 }, (_, n) => ({ after: at * 1000 - 100 * n, by: at * 1000 + 20 * n + 10 })),
    );
    const known = estimate(observed);
    assert.ok(survival(known, 15_000) - survival(known, 60_000) < 0.03);
    assert.ok(Math.abs(mean(known) - 41_000) < 4_000, `${mean(known)}`);
  });

  it("moves the expectation of what is still going on", () => {
    const known = estimate(Array.from({ length: 100 }, (_, n) => ({ after: 10_000 + 100 * n, by: 10_100 + 100 * n })));
    const median = quantile(known, 0.5) as number;
    assert.ok((quantile(known, 0.5, 17_000) as number) > median);
    assert.equal(quantile(known, 0.5, 5_000), quantile(known, 0.5));
    assert.equal(quantile(known, 0.5, 60_000), null, "none ever took that long");
  });
});
