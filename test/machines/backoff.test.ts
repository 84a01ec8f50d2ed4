import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { backoff } from "../../machines/backoff.ts";

const shape = fc.record({
  minMs: fc.integer({ min: 1, max: 60_000 }),
  maxMs: fc.integer({ min: 60_000, max: 3_600_000 }),
  factor: fc.double({ min: 1, max: 10, noNaN: true }),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});
const waits = fc.nat({ max: 100_000 });
const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("the backoff", () => {
  it("doubles from one second to half a minute", () => {
    const poll = { minMs: 1000, maxMs: 30_000, factor: 2, jitter: 0.2 };
    assert.deepEqual(
      Array.from({ length: 8 }, (_, n) => backoff(poll, n, 0.5)),
      [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000],
    );
  });

  it("is a whole number of milliseconds within the jitter of its bounds, for any number of waits", () => {
    fc.assert(
      fc.property(shape, waits, draw, (s, n, d) => {
        const wait = backoff(s, n, d);
        assert.ok(Number.isSafeInteger(wait));
        assert.ok(wait >= Math.floor(s.minMs * (1 - s.jitter)));
        assert.ok(wait <= Math.ceil(s.maxMs * (1 + s.jitter)));
      }),
    );
  });

  it("never shortens from one wait to the next when nothing is drawn", () => {
    fc.assert(fc.property(shape, waits, (s, n) => backoff(s, n, 0.5) <= backoff(s, n + 1, 0.5)));
  });

  it("grows with its draw", () => {
    fc.assert(
      fc.property(shape, waits, draw, draw, (s, n, a, b) => {
        assert.ok(backoff(s, n, Math.min(a, b)) <= backoff(s, n, Math.max(a, b)));
      }),
    );
  });

  it("still spreads a crowd that has reached the longest wait", () => {
    const poll = { minMs: 1000, maxMs: 30_000, factor: 2, jitter: 0.2 };
    assert.equal(backoff(poll, 50, 0), 24_000);
    assert.equal(backoff(poll, 50, 0.999999999), 36_000);
  });
});
