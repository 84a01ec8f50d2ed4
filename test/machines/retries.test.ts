import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultPolicy } from "../../machines/policy.ts";
import { mayTryElsewhere, pauseFor, verdictOn } from "../../machines/retries.ts";

const on = (code: string, retryable = false) => verdictOn({ code, retryable });

describe("the table of retries", () => {
  it("lets wait what is not the job's fault, whatever the provider calls retryable", () => {
    for (const code of ["rate_limited", "queue_full", "low_credit", "out_of_credit", "unauthorized", "unreachable"]) {
      assert.deepEqual([on(code, false), on(code, true)], ["wait", "wait"], code);
      assert.ok(pauseFor(code, 5, defaultPolicy), `${code} pauses the account: else the job would be back at once`);
    }
  });

  it("never tries again what the job itself is refused for, nor what may have been billed", () => {
    for (const code of ["moderated", "invalid_request", "submit_unknown", "gone", "no_output"]) {
      assert.equal(on(code, true), "fail", code);
      assert.equal(mayTryElsewhere({ code, retryable: true }), false, code);
    }
  });

  it("goes by the outcome's own word for codes that it does not know", () => {
    assert.deepEqual([on("gpu_melted", true), on("gpu_melted", false)], ["retry", "fail"]);
    assert.deepEqual([on("constructor", false), on("__proto__", true)], ["fail", "retry"]);
    assert.equal(pauseFor("toString", 5, defaultPolicy), null);
  });

  it("pauses as long as asked, at a pace when credit is low, and long when somebody must act", () => {
    const rate = pauseFor("rate_limited", 90_000, defaultPolicy);
    assert.deepEqual([rate?.ms, rate?.most_ms, rate?.pace_ms], [90_000, 90_000, null]);
    assert.equal(pauseFor("low_credit", 10_000, defaultPolicy)?.pace_ms, 10_000);
    const credit = pauseFor("out_of_credit", 0, defaultPolicy);
    assert.deepEqual([credit?.ms, credit?.most_ms], [30_000, 600_000]);
  });
});
