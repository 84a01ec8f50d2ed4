import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AJob, aJob, TIMEOUT } from "./a-job.ts";
import { idAt, T0 } from "./drive.ts";

const RETRYABLE = { kind: "failed", code: "gpu", message: "Lost its GPU", retryable: true };

/** Lets the job rest and gives it a slot again. */
const again = (job: AJob) => {
  job.pass(job.wakesIn() ?? 0);
  job.send("start");
};

describe("a retryable failure", () => {
  it("is retried as often as the policy says, then the job fails", () => {
    const job = aJob({ policy: { retryLimit: 2 } }).submitting();
    const waits = [];
    for (let tries = 0; tries < 2; tries++) {
      job.reject(true);
      waits.push(job.wakesIn());
      again(job);
    }
    job.reject(true);
    assert.equal(job.state(), "failed");
    assert.equal(job.context().attempts, 3);
    assert.equal(job.count("submit"), 3);
    assert.deepEqual(waits, [1000, 3000]);
    assert.deepEqual(job.context().error, { code: "busy", message: "Busy", retryable: true });
  });

  it("is not retried when the policy allows none", () => {
    const job = aJob({ policy: { retryLimit: 0 } }).submitting();
    job.reject(true);
    assert.equal(job.state(), "failed");
  });

  it("waits as long as the provider asks", () => {
    const job = aJob().submitting();
    job.reject(true, 20_000);
    assert.equal(job.wakesIn(), 20_000);
  });

  it("spreads the crowd by its draw", () => {
    const early = aJob().submitting();
    early.drawing(0);
    early.reject(true);
    assert.equal(early.wakesIn(), 800);
    const late = aJob().submitting();
    late.drawing(0.999999);
    late.reject(true);
    assert.equal(late.wakesIn(), 1200);
  });

  it("gets a new attempt id, a new limit and a clean slate", () => {
    const job = aJob().polling();
    job.polled({ kind: "running", progress: 0.6 });
    job.pass(job.wakesIn() ?? 0);
    job.polled(RETRYABLE);
    assert.equal(job.state(), "resting");
    assert.equal(job.context().progress, null, "the progress went with the attempt");
    again(job);
    const context = job.context();
    assert.notEqual(context.attempt, idAt(T0));
    assert.equal(job.asked("submit")?.attempt, context.attempt);
    assert.equal(context.startedAt, T0);
    assert.equal(context.timeoutAt, job.now() + TIMEOUT);
    assert.equal(context.ref, null);
    assert.equal(context.error, null);
  });

  it("queues anew, with a new limit", () => {
    const job = aJob({ policy: { startTimeoutMs: 50_000 } }).submitting();
    job.reject(true);
    job.pass(1000);
    assert.equal(job.state(), "queued");
    assert.equal(job.wakesIn(), 50_000);
    assert.equal(job.context().timeoutAt, null);
    job.pass(50_000);
    assert.equal(job.state(), "timeout");
  });

  it("is not retried after the deadline", () => {
    const job = aJob({ timeoutMs: 1000 }).submitting();
    job.pass(1000);
    job.reject(true);
    assert.equal(job.state(), "failed");
  });

  it("comes from a poll as well", () => {
    const job = aJob().polling();
    job.polled(RETRYABLE);
    assert.equal(job.state(), "resting");
    assert.deepEqual(job.context().error, { code: "gpu", message: "Lost its GPU", retryable: true });
  });
});

describe("the polls of a retried job", () => {
  it("start with a short wait again", () => {
    const job = aJob().polling();
    job.polled({ kind: "running" });
    job.pass(job.wakesIn() ?? 0);
    job.polled(RETRYABLE);
    again(job);
    job.accept("ref-2");
    assert.equal(job.wakesIn(), 1000);
    job.pass(1000);
    assert.equal(job.asked("poll")?.ref, "ref-2");
  });

  it("do not take a late answer of an earlier attempt for their own", () => {
    const job = aJob().polling();
    const first = job.context().polls;
    job.pass(job.wakesIn() ?? 0);
    job.pass(job.wakesIn() ?? 0);
    assert.notEqual(job.context().polls, first);
    job.polled(RETRYABLE);
    again(job);
    job.accept("ref-2");
    job.pass(job.wakesIn() ?? 0);
    assert.equal(job.state(), "active.running.polling");
    assert.equal(job.polled({ kind: "moderated" }, first).changed, false);
  });
});
