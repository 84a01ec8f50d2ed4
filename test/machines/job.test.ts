import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StateValue } from "xstate";
import { jobView } from "../../machines/job.view.ts";
import { type AJob, aJob, OUTPUT, STORED, TIMEOUT } from "./a-job.ts";
import { idAt, T0 } from "./drive.ts";

const viewOf = (job: AJob) => jobView(job.snapshot().value as StateValue, job.context());

describe("the life of a job", () => {
  it("goes from the queue to a stored picture", () => {
    const job = aJob();
    job.send("start");
    job.accept();
    job.pass(1000);
    job.polled({ kind: "running", progress: 0.4 });
    job.pass(2000);
    job.polled({ kind: "completed", outputs: [OUTPUT] });
    job.ingested();
    assert.deepEqual(job.visited(), [
      "queued",
      "active.submitting",
      "active.running.waiting",
      "active.running.polling",
      "active.running.waiting",
      "active.running.polling",
      "ingesting.storing",
      "succeeded",
    ]);
    assert.deepEqual(job.facts(), [
      "job.created",
      "job.started",
      "job.accepted",
      "job.progressed",
      "job.rendered",
      "job.succeeded",
    ]);
    assert.deepEqual(
      job.effects().map(({ type }) => type),
      ["submit", "poll", "poll", "ingest"],
    );
    assert.deepEqual(job.context().outputs, [STORED]);
    assert.equal(job.context().finishedAt, T0 + 3000);
    assert.equal(job.last().done, true);
  });

  it("submits under an attempt id of its own, with the instant of its deadline", () => {
    const job = aJob().submitting();
    assert.deepEqual(job.asked("submit"), { attempt: idAt(T0), deadline: T0 + TIMEOUT, submittedAt: T0, model: "" });
    assert.equal(job.context().attempt, idAt(T0));
    assert.equal(job.context().attempts, 1);
  });

  it("times out when no slot becomes free", () => {
    const job = aJob({ policy: { startTimeoutMs: 5000 } });
    assert.equal(job.wakesIn(), 5000);
    job.pass(5000);
    assert.equal(job.state(), "timeout");
    assert.deepEqual(job.context().error?.code, "start_timeout");
    assert.deepEqual(job.facts(), ["job.created", "job.timed_out"]);
  });

  it("wants a turn while queued, holds a slot while the provider may be working, and nothing else", () => {
    const tags = (job: AJob) => [...job.last().tags];
    const job = aJob();
    assert.deepEqual(tags(job), ["turn"]);
    for (const way of [
      aJob().submitting(),
      aJob().waiting(),
      aJob().polling(),
      (() => {
        const lost = aJob().submitting();
        lost.lose();
        return lost;
      })(),
      (() => {
        const canceling = aJob().polling();
        canceling.send("cancel");
        return canceling;
      })(),
    ])
      assert.deepEqual(tags(way), ["slot"], way.state());
    const resting = aJob().submitting();
    resting.reject(true);
    assert.equal(resting.state(), "resting");
    assert.deepEqual(tags(resting), []);
    assert.deepEqual(tags(aJob().ingesting()), []);
    job.send("cancel");
    assert.deepEqual(tags(job), []);
  });

  it("tells its batch when it starts and when it ends", () => {
    const job = aJob({ batch: "batch-1" }).submitting();
    job.reject(false);
    assert.deepEqual(job.tells(), [
      { to: "batch-1", event: { type: "item", index: 3, status: "RUNNING", instant: T0 } },
      { to: "batch-1", event: { type: "item", index: 3, status: "FAILED", instant: T0 } },
    ]);
  });

  it("tells each end by its word", () => {
    const last = (job: AJob) => job.tells().at(-1)?.event.status;
    const done = aJob({ batch: "b" }).ingesting();
    done.ingested();
    assert.equal(last(done), "SUCCEEDED");
    const canceled = aJob({ batch: "b" });
    canceled.send("cancel");
    assert.equal(last(canceled), "CANCELED");
    const late = aJob({ batch: "b", policy: { startTimeoutMs: 1 } });
    late.pass(1);
    assert.equal(last(late), "TIMEOUT");
  });

  it("tells nobody when it has no batch", () => {
    const job = aJob().ingesting();
    job.ingested();
    assert.deepEqual(job.tells(), []);
  });

  it("ignores what it does not know and what does not fit its state", () => {
    for (const way of [aJob(), aJob().submitting(), aJob().waiting(), aJob().polling(), aJob().ingesting()]) {
      const before = way.snapshot();
      for (const type of ["nonsense", way.state() === "queued" ? "ingested" : "start", "cancelAnswered"]) {
        const step = way.send(type, { outcome: "canceled", outputs: [] });
        assert.equal(step.changed, false, `${type} in ${way.state()}`);
        assert.deepEqual(step.snapshot, before);
      }
    }
  });

  it("ignores everything after its end", () => {
    const job = aJob().submitting();
    job.reject(false);
    const before = job.snapshot();
    for (const type of ["start", "cancel", "nudge", "ingested", "polled", "wake"]) {
      assert.equal(job.send(type, { n: 1, outputs: [], outcome: { kind: "moderated" } }).changed, false, type);
      assert.deepEqual(job.snapshot(), before);
    }
  });
});

describe("an acceptance of an attempt that was given up", () => {
  const expectOrphan = (job: AJob, ref: string) => {
    const state = job.state();
    const step = job.send("accepted", { attempt: idAt(T0), ref });
    assert.equal(job.state(), state);
    assert.deepEqual(step.effects, [{ type: "abandon", params: { ref } }]);
    assert.deepEqual(step.facts, [{ type: "job.orphaned", ref }]);
  };

  it("is stopped upstream and said, while a later attempt is under way", () => {
    const job = aJob().submitting();
    job.notSent();
    job.pass(1000);
    job.send("start");
    assert.equal(job.context().attempts, 2);
    expectOrphan(job, "ref-late");
    job.accept("ref-2");
    expectOrphan(job, "ref-late");
    assert.equal(job.context().ref, "ref-2");
  });

  it("is stopped upstream while the job rests, or waits for its next slot", () => {
    const job = aJob().submitting();
    job.reject(true);
    expectOrphan(job, "ref-late");
    job.pass(1000);
    assert.equal(job.state(), "queued");
    expectOrphan(job, "ref-late");
  });

  it("is stopped upstream after the job has ended", () => {
    const failed = aJob().submitting();
    failed.reject(false);
    expectOrphan(failed, "ref-late");
    const unknown = aJob({ timeoutMs: 2000 }).submitting();
    unknown.lose();
    unknown.pass(2000);
    unknown.unresolved();
    assert.equal(unknown.context().error?.code, "submit_unknown");
    expectOrphan(unknown, "ref-late");
  });

  it("is not an orphan when it is the acceptance that the job already has", () => {
    for (const way of [aJob().waiting(), aJob().polling(), aJob().ingesting()]) {
      assert.equal(way.send("accepted", { attempt: idAt(T0), ref: "ref-1" }).changed, false);
    }
  });
});

describe("the view of a job", () => {
  it("has the public word for each state", () => {
    const resting = aJob().submitting();
    resting.reject(true);
    const words = [aJob(), resting, aJob().submitting(), aJob().waiting(), aJob().ingesting()].map((job) => [
      viewOf(job).state,
      viewOf(job).status,
    ]);
    assert.deepEqual(words, [
      ["queued", "QUEUED"],
      ["resting", "QUEUED"],
      ["submitting", "RUNNING"],
      ["running.waiting", "RUNNING"],
      ["ingesting.storing", "RUNNING"],
    ]);
  });

  it("shows the next poll exactly while one is planned", () => {
    const job = aJob().waiting();
    assert.equal(viewOf(job).next_poll_at, T0 + 1000);
    job.send("cancel");
    assert.equal(viewOf(job).next_poll_at, null);
    assert.equal(viewOf(aJob().polling()).next_poll_at, null);
    const late = aJob().polling();
    late.pass(12_000);
    late.polled({ kind: "failed", code: "x", message: "x", retryable: true });
    assert.equal(late.state(), "resting");
    assert.equal(viewOf(late).next_poll_at, null);
  });

  it("shows the limit of the wait in the queue, then that of the attempt", () => {
    const job = aJob({ policy: { startTimeoutMs: 7000 } });
    assert.equal(viewOf(job).timeout_at, T0 + 7000);
    job.sleep(100);
    job.send("start");
    assert.equal(viewOf(job).timeout_at, T0 + 100 + TIMEOUT);
  });
});
