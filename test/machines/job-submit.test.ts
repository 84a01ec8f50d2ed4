import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AJob, aJob, TIMEOUT } from "./a-job.ts";
import { idAt, T0 } from "./drive.ts";

const SUBMIT_WATCHDOG = 5000 + 10_000 + 2000;

describe("a submit", () => {
  it("that is accepted makes the job run under the provider's ref", () => {
    const job = aJob().submitting();
    job.accept("ref-7");
    assert.equal(job.state(), "active.running.waiting");
    assert.equal(job.context().ref, "ref-7");
  });

  it("that is rejected for good ends the job with the provider's reason", () => {
    const job = aJob().submitting();
    job.reject(false);
    assert.equal(job.state(), "failed");
    assert.deepEqual(job.context().error, { code: "busy", message: "Busy", retryable: false });
  });

  it("that is rejected for now lets the job rest, free its slot and queue again", () => {
    const job = aJob().submitting();
    job.reject(true);
    assert.equal(job.state(), "resting");
    assert.equal(job.wakesIn(), 1000);
    job.pass(1000);
    assert.equal(job.state(), "queued");
    assert.deepEqual(job.facts().slice(-1), ["job.retried"]);
  });

  it("that was not sent in time is retried, because nothing left the house", () => {
    const job = aJob().submitting();
    job.notSent();
    assert.equal(job.state(), "resting");
    assert.equal(job.context().error?.code, "not_sent");
  });

  it("is answered by the current attempt only", () => {
    const job = aJob().submitting();
    for (const type of ["rejected", "ambiguous", "notSent", "unresolved"]) {
      const step = job.send(type, { attempt: "another", code: "x", message: "x", retryable: false, afterMs: 0 });
      assert.equal(step.changed, false, type);
    }
    job.lose();
    for (const type of ["rejected", "unresolved"]) {
      assert.equal(job.send(type, { attempt: "another", code: "x", message: "x" }).changed, false, type);
    }
    assert.equal(job.state(), "active.reconciling.settling");
  });

  it("is never sent twice under one attempt, whatever its outcome", () => {
    const job = aJob().submitting();
    job.lose();
    for (let look = 0; look < 5; look++) {
      job.pass(job.wakesIn() ?? 0);
      job.unresolved();
    }
    assert.equal(job.count("submit"), 1);
    assert.equal(job.count("look"), 5);
  });
});

describe("a submit whose outcome is not known", () => {
  const lost = (input?: { timeoutMs?: number }): AJob => {
    const job = aJob(input).submitting();
    job.lose();
    return job;
  };

  it("settles for a moment and is then looked for", () => {
    const job = lost();
    assert.equal(job.state(), "active.reconciling.settling");
    assert.equal(job.wakesIn(), 1000);
    job.pass(1000);
    assert.equal(job.state(), "active.reconciling.looking");
    assert.deepEqual(job.asked("look"), { attempt: idAt(T0), deadline: T0 + TIMEOUT, submittedAt: T0, model: "" });
  });

  it("is looked for at once when no answer came at all", () => {
    const job = aJob().submitting();
    assert.equal(job.wakesIn(), SUBMIT_WATCHDOG);
    job.pass(SUBMIT_WATCHDOG);
    assert.equal(job.state(), "active.reconciling.looking");
  });

  it("runs when it was found", () => {
    const job = lost();
    job.pass(1000);
    job.accept("ref-found");
    assert.equal(job.state(), "active.running.waiting");
    assert.equal(job.context().ref, "ref-found");
  });

  it("runs when its answer comes late, before any look", () => {
    const job = lost();
    job.accept();
    assert.equal(job.state(), "active.running.waiting");
  });

  it("fails, or is retried, when it turns out to be rejected", () => {
    const job = lost();
    job.reject(false);
    assert.equal(job.state(), "failed");
    const other = lost();
    other.reject(true);
    assert.equal(other.state(), "resting");
  });

  it("is looked for with growing patience, up to half a minute", () => {
    const job = lost();
    const waits = [];
    for (let look = 0; look < 7; look++) {
      waits.push(job.wakesIn());
      job.pass(job.wakesIn() ?? 0);
      job.unresolved();
    }
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it("is looked for again when a look gets no answer", () => {
    const job = lost();
    job.pass(1000);
    assert.equal(job.wakesIn(), SUBMIT_WATCHDOG);
    job.pass(SUBMIT_WATCHDOG);
    assert.equal(job.state(), "active.reconciling.settling");
    assert.equal(job.wakesIn(), 2000);
  });

  it("is given up at the deadline, by the first look that finds nothing, and never submitted again", () => {
    const job = lost({ timeoutMs: 60_000 });
    let looks = 0;
    while (!job.last().done && looks++ < 50) {
      job.pass(job.wakesIn() ?? 0);
      if (job.state() === "active.reconciling.looking") job.unresolved();
    }
    assert.equal(job.state(), "failed");
    assert.equal(job.context().error?.code, "submit_unknown");
    assert.equal(job.context().error?.retryable, false);
    assert.ok(job.now() >= T0 + 60_000);
    assert.ok(job.now() <= T0 + 60_000 + 36_000);
    assert.equal(job.count("submit"), 1);
  });

  it("may still be found after the deadline, and its picture is taken if it is there", () => {
    const job = lost({ timeoutMs: 1500 });
    job.pass(2000);
    assert.equal(job.context().expired, true);
    job.accept();
    assert.equal(job.state(), "active.running.polling");
    job.polled({ kind: "completed", outputs: [{ url: "x" }] });
    assert.equal(job.state(), "ingesting.storing");
  });

  it("is not tried again for a late answer that it may be, when a look may have sent it already", () => {
    const late = lost();
    late.pass(1000);
    assert.equal(late.state(), "active.reconciling.looking");
    late.reject(true);
    assert.equal(late.state(), "active.reconciling.looking", "the look's own submit may be billed");
    const attempt = late.context().attempt ?? "";
    late.send("rejected", { attempt, code: "out_of_credit", message: "No credit", retryable: false, afterMs: 0 });
    assert.equal(late.state(), "active.reconciling.looking", "nor is it put back into the queue");
    late.reject(false);
    assert.equal(late.state(), "failed");
  });
});
