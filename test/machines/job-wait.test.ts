import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { aJob } from "./a-job.ts";
import { T0 } from "./drive.ts";

const refused = (code: string, afterMs = 0, policy = {}) => {
  const job = aJob({ policy }).submitting();
  job.send("rejected", { attempt: job.context().attempt, code, message: "No", retryable: false, afterMs });
  return job;
};

describe("a job whose account cannot take it", () => {
  it("goes back into the queue at once, without its slot, and says for what it waits", () => {
    const job = refused("rate_limited", 20_000);
    assert.equal(job.state(), "queued");
    assert.deepEqual(job.facts().slice(-2), ["job.started", "job.waiting"]);
    assert.deepEqual(job.context().waitingFor, { code: "rate_limited", until: T0 + 20_000 });
    assert.equal(job.context().error, null);
  });

  it("reports the pause in the same step", () => {
    const job = refused("rate_limited", 20_000);
    assert.deepEqual(job.last().report, {
      pause: { reason: "rate_limited", ms: 20_000, most_ms: 60_000, pace_ms: null },
    });
  });

  it("keeps all of its tries, however often", () => {
    const job = refused("queue_full", 10, { retryLimit: 0 });
    for (let n = 0; n < 20; n++) {
      job.send("start");
      assert.equal(job.context().waitingFor, null, "it waits no more");
      job.send("rejected", {
        attempt: job.context().attempt,
        code: "queue_full",
        message: "",
        retryable: true,
        afterMs: 1,
      });
    }
    assert.equal(job.state(), "queued");
    assert.equal(job.context().attempts, 0);
    job.send("start");
    assert.equal(job.context().attempts, 1);
  });

  it("keeps its first limit of waiting for a start", () => {
    const job = aJob({ policy: { startTimeoutMs: 50_000 } });
    job.pass(30_000);
    job.submitting();
    job.send("rejected", {
      attempt: job.context().attempt,
      code: "out_of_credit",
      message: "",
      retryable: false,
      afterMs: 0,
    });
    assert.equal(job.wakesIn(), 20_000);
    job.pass(20_000);
    assert.equal(job.state(), "timeout");
    assert.equal(job.context().error?.code, "start_timeout");
    assert.match(job.context().error?.message ?? "", /out_of_credit/);
  });

  it("is canceled instead when that was asked for", () => {
    const job = aJob().submitting();
    job.send("cancel");
    job.send("rejected", {
      attempt: job.context().attempt,
      code: "out_of_credit",
      message: "",
      retryable: false,
      afterMs: 0,
    });
    assert.equal(job.state(), "canceled");
  });

  it("does not just wait once the provider had accepted it: that may have cost something", () => {
    const job = aJob({ policy: { retryLimit: 0 } }).polling();
    job.polled({ kind: "failed", code: "out_of_credit", message: "No", retryable: false });
    assert.equal(job.state(), "failed");
  });
});

describe("the account of a job", () => {
  it("is well when the job is accepted, or judged on its own", () => {
    const accepted = aJob().waiting();
    assert.deepEqual(accepted.last().report, { opens: true });
    assert.deepEqual(refused("moderated").last().report, { opens: true });
  });

  it("is not spoken of when nothing is known", () => {
    const job = aJob().submitting();
    job.lose();
    assert.equal(job.last().report, null);
    const late = aJob().submitting();
    late.notSent();
    assert.equal(late.last().report, null);
  });
});

describe("a poll that the account's rate does not allow", () => {
  it("is put off, and is neither a poll that failed nor a step in the backoff", () => {
    const job = aJob().polling();
    const outcome = job.send("deferred", { n: job.context().polls, afterMs: 7000 });
    assert.equal(job.state(), "active.running.waiting");
    assert.equal(job.wakesIn(), 7000);
    assert.deepEqual(outcome.facts, []);
    job.pass(7000);
    job.polled({ kind: "running" });
    assert.equal(job.wakesIn(), 2000, "the second wait of the backoff, as if it had been polled once");
  });

  it("does not let the last poll before the deadline be skipped", () => {
    const job = aJob({ timeoutMs: 500 }).waiting();
    job.pass(500);
    assert.equal(job.state(), "active.running.polling");
    job.send("deferred", { n: job.context().polls, afterMs: 3000 });
    job.pass(3000);
    assert.equal(job.state(), "active.running.polling");
    job.polled({ kind: "completed", outputs: [{ url: "x" }] });
    assert.equal(job.state(), "ingesting.storing");
  });
});
