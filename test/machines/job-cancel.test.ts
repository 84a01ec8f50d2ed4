import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AJob, aJob, OUTPUT } from "./a-job.ts";

const CANCEL_WATCHDOG = 5000 + 5000 + 2000;

const canceling = (): AJob => {
  const job = aJob().waiting();
  job.send("cancel");
  return job;
};

describe("a cancel before the start", () => {
  it("ends a queued job at once", () => {
    const job = aJob();
    job.send("cancel");
    assert.equal(job.state(), "canceled");
    assert.equal(job.context().cancel, "canceled_before_start");
    assert.deepEqual(job.facts(), ["job.created", "job.canceled"]);
    assert.deepEqual(job.effects(), []);
  });

  it("ends a resting job at once", () => {
    const job = aJob().submitting();
    job.reject(true);
    job.send("cancel");
    assert.equal(job.state(), "canceled");
    assert.equal(job.context().cancel, "canceled_before_start");
  });
});

describe("a cancel during the submit", () => {
  it("is remembered, and the job stopped upstream once it is accepted", () => {
    const job = aJob().submitting();
    job.send("cancel");
    assert.equal(job.state(), "active.submitting");
    assert.equal(job.context().cancel, "cancel_requested");
    assert.equal(job.count("cancelUpstream"), 0, "there is nothing to stop yet");
    job.accept("ref-9");
    assert.equal(job.state(), "active.canceling.asking");
    assert.deepEqual(job.asked("cancelUpstream"), { ref: "ref-9" });
    job.canceled("canceled");
    assert.equal(job.state(), "canceled");
    assert.equal(job.context().cancel, "canceled_upstream");
  });

  it("ends the job without a start when the submit is rejected or was never sent", () => {
    for (const end of ["reject", "notSent"] as const) {
      const job = aJob().submitting();
      job.send("cancel");
      if (end === "reject") job.reject(true);
      else job.notSent();
      assert.equal(job.state(), "canceled");
      assert.equal(job.context().cancel, "canceled_before_start");
    }
  });

  it("whose outcome is not known is remembered until it is", () => {
    const job = aJob().submitting();
    job.lose();
    job.send("cancel");
    assert.equal(job.state(), "active.reconciling.settling");
    job.pass(1000);
    job.accept();
    assert.equal(job.state(), "active.canceling.asking");
  });

  it("has failed, visibly, when the outcome is never found out", () => {
    const job = aJob({ timeoutMs: 1500 }).submitting();
    job.lose();
    job.send("cancel");
    job.pass(1500);
    job.unresolved();
    assert.equal(job.state(), "failed");
    assert.equal(job.context().cancel, "cancel_failed");
  });

  it("is said once, however often it is asked for", () => {
    const job = aJob().submitting();
    job.send("cancel");
    assert.equal(job.send("cancel").changed, false);
    assert.equal(job.facts().filter((fact) => fact === "job.cancel_requested").length, 1);
  });
});

describe("a cancel of a running job", () => {
  it("asks the provider to stop, and says so at once", () => {
    const job = canceling();
    assert.equal(job.state(), "active.canceling.asking");
    assert.equal(job.context().cancel, "cancel_requested");
    assert.deepEqual(job.facts().slice(-1), ["job.cancel_requested"]);
    assert.equal(job.send("cancel").changed, false);
    assert.equal(job.count("cancelUpstream"), 1);
  });

  it("ends the job when the provider stopped", () => {
    const job = canceling();
    job.canceled("canceled");
    assert.equal(job.state(), "canceled");
    assert.equal(job.context().cancel, "canceled_upstream");
    assert.equal(job.context().error, null);
  });

  it("has failed when the provider refuses, and the job goes on", () => {
    const job = canceling();
    job.canceled("refused");
    assert.equal(job.state(), "active.running.waiting");
    assert.equal(job.context().cancel, "cancel_failed");
    assert.deepEqual(job.facts().slice(-1), ["job.cancel_failed"]);
    assert.equal(job.wakesIn(), 1000);
  });

  it("that was refused may be asked for again", () => {
    const job = canceling();
    job.canceled("refused");
    job.send("cancel");
    assert.equal(job.state(), "active.canceling.asking");
    assert.equal(job.context().cancel, "cancel_requested");
    job.canceled("canceled");
    assert.equal(job.state(), "canceled");
  });

  it("is asked again when its answer makes no sense, four times at most", () => {
    const job = canceling();
    const waits = [];
    for (let tries = 1; tries <= 4; tries++) {
      assert.equal(job.state(), "active.canceling.asking");
      assert.equal(job.count("cancelUpstream"), tries);
      job.canceled("unknown");
      if (tries === 4) break;
      assert.equal(job.state(), "active.canceling.pausing");
      waits.push(job.wakesIn());
      job.pass(job.wakesIn() ?? 0);
    }
    assert.equal(job.state(), "active.running.waiting");
    assert.equal(job.context().cancel, "cancel_failed");
    assert.deepEqual(waits, [3000, 9000, 27_000]);
  });

  it("is asked again as often as whoever asks is gone: that is no try", () => {
    const job = canceling();
    for (let asked = 1; asked <= 9; asked++) {
      assert.equal(job.count("cancelUpstream"), asked);
      job.pass(CANCEL_WATCHDOG);
      assert.equal(job.state(), "active.canceling.pausing");
      job.pass(job.wakesIn() ?? 0);
    }
    job.canceled("already_finished");
    assert.equal(job.state(), "active.running.polling", "and a picture that is there is not thrown away");
  });

  it("that is told at the last try that it has finished takes the picture", () => {
    const job = canceling();
    for (let tries = 1; tries < 4; tries++) {
      job.canceled("unknown");
      job.pass(job.wakesIn() ?? 0);
    }
    job.canceled("already_finished");
    assert.equal(job.state(), "active.running.polling");
    for (let tries = 5; tries <= 11; tries++) {
      job.polled({ kind: "unknown", reason: "503" });
      assert.equal(job.state(), "active.canceling.asking");
      job.canceled("already_finished");
    }
    assert.equal(job.context().cancel, "cancel_failed", "but a provider that only says so is not believed for ever");
  });

  it("that was once told that it has finished is not given up for answers that get lost", () => {
    const job = canceling();
    for (const answer of ["unknown", "already_finished", "already_finished", "unknown"]) {
      job.canceled(answer);
      if (answer === "already_finished") job.polled({ kind: "unknown", reason: "503" });
      else job.pass(job.wakesIn() ?? 0);
      assert.equal(job.state(), "active.canceling.asking");
    }
    job.canceled("already_finished");
    job.polled({ kind: "completed", outputs: [OUTPUT] });
    assert.equal(job.state(), "ingesting.storing");
  });

  it("takes a late answer while it pauses", () => {
    const job = canceling();
    job.pass(CANCEL_WATCHDOG);
    assert.equal(job.state(), "active.canceling.pausing");
    job.canceled("canceled");
    assert.equal(job.state(), "canceled");
  });
});

describe("a cancel that meets the end of the generation", () => {
  it("looks at the end when the provider has already finished, and keeps the picture", () => {
    const job = canceling();
    job.canceled("already_finished");
    assert.equal(job.state(), "active.running.polling");
    job.polled({ kind: "completed", outputs: [OUTPUT] });
    assert.equal(job.state(), "ingesting.storing");
    assert.equal(job.context().cancel, "cancel_failed");
    job.ingested();
    assert.equal(job.state(), "succeeded");
  });

  it("asks again when what has already finished goes on all the same", () => {
    const job = canceling();
    job.canceled("already_finished");
    job.polled({ kind: "running", progress: 0.2 });
    assert.equal(job.state(), "active.canceling.asking");
    assert.equal(job.count("cancelUpstream"), 2);
  });

  it("is confirmed by a poll that finds the generation canceled, or failed", () => {
    for (const outcome of [{ kind: "canceled" }, { kind: "failed", code: "x", message: "x", retryable: true }]) {
      const job = canceling();
      job.canceled("already_finished");
      job.polled(outcome);
      assert.equal(job.state(), "canceled");
      assert.equal(job.context().cancel, "canceled_upstream");
    }
  });

  it("loses against the answer of a poll that was in flight", () => {
    const job = aJob().polling();
    job.send("cancel");
    assert.equal(job.state(), "active.canceling.asking");
    job.polled({ kind: "completed", outputs: [OUTPUT] });
    assert.equal(job.state(), "ingesting.storing");
    assert.equal(job.context().cancel, "cancel_failed");
    assert.equal(job.canceled("canceled").changed, false, "the late answer of the cancel changes nothing");
  });

  it("is not disturbed by the answer of a poll that found no end", () => {
    const job = aJob().polling();
    job.send("cancel");
    for (const outcome of [
      { kind: "running", progress: 0.5 },
      { kind: "moderated" },
      { kind: "completed", outputs: [] },
    ])
      assert.equal(job.polled(outcome).changed, false);
    assert.equal(job.state(), "active.canceling.asking");
  });

  it("has failed at once when the outputs are already being stored", () => {
    const job = aJob().ingesting();
    job.send("cancel");
    assert.equal(job.state(), "ingesting.storing");
    assert.equal(job.context().cancel, "cancel_failed");
    assert.deepEqual(job.last().facts, [{ type: "job.cancel_failed" }]);
    assert.equal(job.send("cancel").changed, false, "said once");
    job.ingested();
    assert.equal(job.state(), "succeeded");
  });

  it("has failed when the deadline ends the job first", () => {
    const job = aJob({ timeoutMs: 1500 }).polling();
    job.send("cancel");
    job.pass(500);
    assert.equal(job.context().expired, true);
    job.canceled("refused");
    assert.equal(job.state(), "timeout");
    assert.equal(job.context().cancel, "cancel_failed");
  });
});
