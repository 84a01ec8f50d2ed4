import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jobView } from "../../machines/job.view.ts";
import { type AJob, aJob } from "./a-job.ts";

const B = { account: "b", model: "model-b", timeoutMs: 5000, webhook: true };
const C = { account: "c", model: "model-c", timeoutMs: 6000, webhook: false };

const movable = (policy = {}, alternatives = [B, C]) => aJob({ policy, alternatives });
const refuse = (job: AJob, code: string, { retryable = false, afterMs = 0 } = {}) =>
  job.send("rejected", { attempt: job.context().attempt, code, message: "No", retryable, afterMs });
const where = (job: AJob) => [job.state(), job.context().account, job.context().model];
const settle = (job: AJob) => job.pass(0);

describe("a job that may be made elsewhere", () => {
  it("moves when its account is out of credit: through no queue, into the other's, with all that the other needs", () => {
    const job = movable().submitting();
    refuse(job, "out_of_credit");
    assert.deepEqual(where(job), ["moving", "simulated", ""]);
    assert.equal(job.last().tags.size, 0, "neither slot nor turn");
    settle(job);
    assert.deepEqual(where(job), ["queued", "b", "model-b"]);
    assert.deepEqual(job.facts().slice(-1), ["job.moved"]);
    const view = jobView(job.snapshot().value, job.context());
    assert.deepEqual([view.status, view.provider, view.model_key, view.waiting_for], ["QUEUED", "b", "model-b", null]);
    job.send("start");
    assert.equal(job.asked("submit")?.model, "model-b");
    assert.equal(job.context().timeoutAt, job.now() + 5000);
    assert.equal(job.context().webhook, true);
    assert.deepEqual(job.context().alternatives, [C]);
  });

  it("also tells of the pause of the account that it leaves", () => {
    const job = movable().submitting();
    refuse(job, "unauthorized");
    assert.ok("pause" in (job.last().report ?? {}));
  });

  it("moves when this provider does not have the model", () => {
    const job = movable().submitting();
    refuse(job, "model_unavailable");
    settle(job);
    assert.deepEqual(where(job), ["queued", "b", "model-b"]);
  });

  it("sits a short pause out", () => {
    const job = movable().submitting();
    refuse(job, "rate_limited", { afterMs: 5000 });
    assert.deepEqual(where(job), ["queued", "simulated", ""]);
    const long = movable().submitting();
    refuse(long, "rate_limited", { afterMs: 60_000 });
    assert.equal(long.state(), "moving");
  });

  it("moves out of the queue when the host says that its account stalls, to one that is open", () => {
    const job = movable();
    job.send("stalled", { code: "breaker_open", open: ["z"] });
    assert.equal(job.last().changed, false);
    job.send("stalled", { code: "breaker_open", open: ["c"] });
    settle(job);
    assert.deepEqual(where(job), ["queued", "c", "model-c"]);
    assert.deepEqual(job.context().alternatives, [B]);
  });

  it("moves after a confirmed failure that is worth retrying, once the tries here are used up, and has new ones there", () => {
    const job = movable({ retryLimit: 1 }).polling();
    job.polled({ kind: "failed", code: "gpu", message: "x", retryable: true });
    assert.equal(job.state(), "resting");
    job.pass(job.wakesIn() ?? 0);
    job.waiting().pass(job.wakesIn() ?? 0);
    job.polled({ kind: "failed", code: "gpu", message: "x", retryable: true });
    settle(job);
    assert.deepEqual(where(job), ["queued", "b", "model-b"]);
    job.submitting();
    refuse(job, "busy", { retryable: true });
    assert.equal(job.state(), "resting");
    assert.equal(job.context().attempts, 3);
    job.pass(job.wakesIn() ?? 0);
    job.submitting();
    refuse(job, "busy", { retryable: true });
    settle(job);
    assert.deepEqual(where(job), ["queued", "c", "model-c"]);
  });

  it("fails when there is nowhere left", () => {
    const job = movable({ retryLimit: 0 }, [B]).submitting();
    refuse(job, "busy", { retryable: true });
    settle(job);
    job.submitting();
    refuse(job, "busy", { retryable: true });
    assert.equal(job.state(), "failed");
  });

  it("keeps what is left of its time to start while nothing was accepted", () => {
    const job = movable({ startTimeoutMs: 50_000 });
    job.pass(20_000);
    job.submitting();
    refuse(job, "out_of_credit");
    settle(job);
    assert.equal(job.wakesIn(), 30_000);
  });

  it("can be canceled on the way", () => {
    const job = movable().submitting();
    refuse(job, "out_of_credit");
    job.send("cancel");
    assert.equal(job.state(), "canceled");
  });
});

describe("a job is never made elsewhere", () => {
  it("unless that was allowed", () => {
    const job = aJob().submitting();
    refuse(job, "out_of_credit");
    assert.deepEqual(where(job), ["queued", "simulated", ""]);
    job.send("stalled", { code: "out_of_credit", open: ["b"] });
    assert.deepEqual(where(job), ["queued", "simulated", ""]);
  });

  it("after moderation or a refusal of the request, at the submit or later", () => {
    for (const code of ["moderated", "invalid_request"]) {
      const job = movable().submitting();
      refuse(job, code);
      assert.equal(job.state(), "failed", code);
    }
    const job = movable().polling();
    job.polled({ kind: "moderated" });
    assert.equal(job.state(), "failed");
  });

  it("after a failure that would be the same again", () => {
    const job = movable().polling();
    job.polled({ kind: "failed", code: "generation_failed", message: "x", retryable: false });
    assert.equal(job.state(), "failed");
  });

  it("while it is not known whether this provider took it", () => {
    const job = movable({}, [B]).submitting();
    job.lose();
    for (let n = 0; n < 100 && !job.last().done; n++) {
      job.pass(job.wakesIn() ?? 0);
      job.send("stalled", { code: "breaker_open", open: ["b"] });
      if (job.state() === "active.reconciling.looking") job.unresolved();
    }
    assert.deepEqual([job.state(), job.context().error?.code], ["failed", "submit_unknown"]);
    assert.equal(job.context().account, "simulated");
  });

  it("while this provider has it, however long that takes", () => {
    const job = movable().polling();
    job.send("stalled", { code: "breaker_open", open: ["b"] });
    job.polled({ kind: "running" });
    job.pass(3_600_000);
    assert.equal(job.context().account, "simulated");
    assert.ok(!job.facts().includes("job.moved"));
  });

  it("when the provider says that it is out of credit after it took the job", () => {
    const job = movable({ retryLimit: 0 }).polling();
    job.polled({ kind: "failed", code: "out_of_credit", message: "x", retryable: false });
    assert.equal(job.state(), "failed");
  });

  it("when it is to be canceled", () => {
    const job = movable().submitting();
    job.send("cancel");
    refuse(job, "out_of_credit");
    assert.equal(job.state(), "canceled");
  });
});
