import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AJob, aJob, OUTPUT } from "./a-job.ts";

const LIMIT = 10_000;

/** At the deadline, with the last poll in flight. */
const atLastPoll = (): AJob => {
  const job = aJob({ timeoutMs: LIMIT }).polling();
  job.polled({ kind: "running", progress: 0.5 });
  job.sleep(LIMIT - 1001);
  job.pass(1);
  return job;
};

/** The last poll found no end: the provider is asked to stop. */
const stopping = (): AJob => {
  const job = atLastPoll();
  job.polled({ kind: "running", progress: 0.9 });
  return job;
};

describe("the deadline of a running job", () => {
  it("asks for one last poll", () => {
    const job = aJob({ timeoutMs: 2500 }).polling();
    job.polled({ kind: "queued" });
    assert.equal(job.wakesIn(), 1500, "before the poll that was planned");
    job.pass(1500);
    assert.equal(job.state(), "active.running.polling");
    assert.equal(job.count("poll"), 2);
    assert.equal(job.last().done, false);
  });

  it("does not throw away what is finished by then", () => {
    const job = atLastPoll();
    job.polled({ kind: "completed", outputs: [OUTPUT] });
    assert.equal(job.state(), "ingesting.storing");
    job.ingested();
    assert.equal(job.state(), "succeeded");
  });

  it("stops upstream what is not finished, and is then a timeout", () => {
    const job = stopping();
    assert.equal(job.state(), "active.canceling.asking");
    assert.deepEqual(job.asked("cancelUpstream"), { ref: "ref-1" });
    job.canceled("canceled");
    assert.equal(job.state(), "timeout");
    assert.deepEqual(job.context().error?.code, "timeout");
    assert.equal(job.context().cancel, null);
  });

  it("is a timeout also when the provider has stopped by itself", () => {
    const job = atLastPoll();
    job.polled({ kind: "canceled" });
    assert.equal(job.state(), "timeout");
  });

  it("is a timeout also when the provider refuses to stop", () => {
    const job = stopping();
    job.canceled("refused");
    assert.equal(job.state(), "timeout");
    assert.equal(job.context().cancel, null);
  });

  it("is a failure when the last poll finds one, which is not retried", () => {
    const job = atLastPoll();
    job.polled({ kind: "failed", code: "gpu", message: "x", retryable: true });
    assert.equal(job.state(), "failed");
  });

  it("asks to stop also when the last poll could not be had", () => {
    const job = atLastPoll();
    job.polled({ kind: "unknown", reason: "reset" });
    assert.equal(job.state(), "active.canceling.asking");
  });

  it("waits for the poll in flight, and lets it decide", () => {
    const job = aJob({ timeoutMs: 1500 }).polling();
    job.pass(500);
    assert.equal(job.context().expired, true);
    assert.equal(job.count("poll"), 1);
    job.polled({ kind: "completed", outputs: [OUTPUT] });
    assert.equal(job.state(), "ingesting.storing");
  });

  it("polls again when the last poll got no answer", () => {
    const job = atLastPoll();
    job.pass(12_000);
    assert.equal(job.state(), "active.running.waiting");
    job.pass(job.wakesIn() ?? 0);
    assert.equal(job.state(), "active.running.polling");
  });

  it("looks once more when the provider has finished before the stop reached it", () => {
    const job = stopping();
    job.canceled("already_finished");
    assert.equal(job.state(), "active.running.polling");
    job.polled({ kind: "completed", outputs: [OUTPUT] });
    assert.equal(job.state(), "ingesting.storing");
  });

  it("asks a bounded number of times when the answers make no sense", () => {
    const job = stopping();
    const limit = job.now() + 10 * 60_000;
    while (!job.last().done && job.now() < limit) {
      if (job.state() === "active.canceling.asking") job.canceled("unknown");
      else job.pass(job.wakesIn() ?? 0);
    }
    assert.equal(job.state(), "timeout");
    assert.equal(job.count("cancelUpstream"), 4);
  });

  it("asks a bounded number of times when the provider contradicts itself", () => {
    const job = stopping();
    while (!job.last().done) {
      if (job.state() === "active.canceling.asking") job.canceled("already_finished");
      else job.polled({ kind: "running" });
    }
    assert.equal(job.state(), "timeout");
    assert.equal(job.count("cancelUpstream"), 8);
  });

  it("is passed on to a cancel that comes while stopping: the user's word goes first", () => {
    const job = stopping();
    job.send("cancel");
    job.canceled("canceled");
    assert.equal(job.state(), "canceled");
    assert.equal(job.context().cancel, "canceled_upstream");
  });
});

describe("the deadline of a submit", () => {
  it("is remembered, and the job stopped upstream if it is not done when it is accepted", () => {
    const job = aJob({ timeoutMs: 1000 }).submitting();
    job.pass(1000);
    assert.equal(job.state(), "active.submitting");
    assert.equal(job.context().expired, true);
    job.accept();
    assert.equal(job.state(), "active.running.polling", "one last poll decides");
    job.polled({ kind: "running" });
    assert.equal(job.state(), "active.canceling.asking");
    assert.deepEqual(job.facts().slice(-1), ["job.accepted"]);
    job.canceled("canceled");
    assert.equal(job.state(), "timeout");
  });

  it("that is looked for is remembered too", () => {
    const job = aJob({ timeoutMs: 1500 }).submitting();
    job.lose();
    job.pass(1500);
    assert.equal(job.state(), "active.reconciling.looking");
    assert.equal(job.context().expired, true);
    job.unresolved();
    assert.equal(job.state(), "failed");
    assert.equal(job.context().error?.code, "submit_unknown");
  });
});

describe("the deadline of an outage of ours", () => {
  it("still asks the provider first, when the house was down over it", () => {
    const job = aJob({ timeoutMs: LIMIT }).waiting();
    job.sleep(1_000_000);
    job.send("wake");
    assert.equal(job.state(), "active.running.polling");
    assert.equal(job.context().expired, true);
    job.polled({ kind: "completed", outputs: [OUTPUT] });
    assert.equal(job.state(), "ingesting.storing");
  });

  it("does not count while outputs are being stored", () => {
    const job = aJob({ timeoutMs: 2000 }).ingesting();
    job.pass(60_000);
    assert.equal(job.state(), "ingesting.storing");
    job.ingested();
    assert.equal(job.state(), "succeeded");
  });
});
