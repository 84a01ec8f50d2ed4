import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BatchContext, batchMachine, batchView } from "../../machines/batch.ts";
import type { JobStatus } from "../../machines/job.words.ts";
import { drive, T0 } from "./drive.ts";

const aBatch = (count: number) => {
  const actor = drive(batchMachine, { count });
  return {
    ...actor,
    item: (index: number, status: JobStatus, instant = actor.now()) => actor.send("item", { index, status, instant }),
    view: () => batchView(actor.state(), actor.snapshot().context as unknown as BatchContext),
  };
};

/** The state of a batch whose jobs ended so. */
const endOf = (...ends: JobStatus[]) => {
  const batch = aBatch(ends.length);
  for (const [index, status] of ends.entries()) batch.item(index, status);
  return batch.state();
};

describe("a batch", () => {
  it("runs from the first start to the last end, and says each end", () => {
    const batch = aBatch(2);
    assert.equal(batch.view().status, "QUEUED");
    batch.item(0, "RUNNING");
    assert.equal(batch.view().status, "RUNNING");
    batch.item(1, "RUNNING");
    batch.item(1, "SUCCEEDED");
    assert.equal(batch.view().status, "RUNNING");
    batch.item(0, "SUCCEEDED");
    assert.equal(batch.view().status, "SUCCEEDED");
    assert.deepEqual(batch.facts(), ["batch.created", "batch.started", "batch.progressed", "batch.succeeded"]);
  });

  it("ends with the word of its jobs when all ended alike", () => {
    assert.equal(endOf("SUCCEEDED", "SUCCEEDED"), "succeeded");
    assert.equal(endOf("FAILED", "FAILED"), "failed");
    assert.equal(endOf("TIMEOUT", "TIMEOUT"), "timeout");
    assert.equal(endOf("CANCELED", "CANCELED"), "canceled");
    assert.equal(endOf("SUCCEEDED"), "succeeded");
  });

  it("is partial as soon as a success stands beside another end", () => {
    for (const other of ["FAILED", "TIMEOUT", "CANCELED"] as const) {
      assert.equal(endOf("SUCCEEDED", other), "partial");
      assert.equal(endOf(other, other, "SUCCEEDED"), "partial");
    }
  });

  it("has failed when its jobs ended otherwise, and differently", () => {
    assert.equal(endOf("FAILED", "TIMEOUT"), "failed");
    assert.equal(endOf("CANCELED", "TIMEOUT"), "failed");
  });

  it("folds all that waits in its inbox in one step", () => {
    const batch = aBatch(3);
    const item = (index: number, status: string) => ({ type: "item", index, status, instant: T0 });
    const step = batch.sendAll([item(0, "RUNNING"), item(0, "SUCCEEDED"), item(1, "FAILED"), item(2, "SUCCEEDED")]);
    assert.equal(batch.state(), "partial");
    assert.equal(step.done, true);
    assert.deepEqual(
      step.facts.map(({ type }) => type),
      ["batch.started", "batch.progressed", "batch.progressed", "batch.partially_succeeded"],
    );
  });

  it("counts a doubled message once, and takes the first word for the end", () => {
    const batch = aBatch(2);
    batch.item(0, "RUNNING");
    for (const doubled of ["RUNNING", "RUNNING"] as const) {
      const step = batch.item(0, doubled);
      assert.deepEqual([step.facts, step.snapshot.context.ends], [[], {}]);
    }
    batch.item(0, "SUCCEEDED");
    const before = batch.snapshot();
    for (const doubled of ["SUCCEEDED", "FAILED", "RUNNING"] as const) {
      const step = batch.item(0, doubled);
      assert.deepEqual([step.facts, step.snapshot], [[], before]);
    }
    assert.equal(batch.view().completed, 1);
  });

  it("runs, too, when a job ends without having started", () => {
    const batch = aBatch(2);
    batch.item(0, "CANCELED");
    assert.equal(batch.state(), "running");
    assert.equal(batch.view().started_at, T0);
  });

  it("needs no wake-up", () => {
    const batch = aBatch(1);
    assert.equal(batch.wakesIn(), null);
    batch.item(0, "RUNNING");
    assert.equal(batch.wakesIn(), null);
  });
});

describe("the cancel of a batch", () => {
  it("tells every job, once", () => {
    const batch = aBatch(2);
    const step = batch.send("cancel", { jobs: ["a", "b"] });
    assert.deepEqual(step.tells, [
      { to: "a", event: { type: "cancel" } },
      { to: "b", event: { type: "cancel" } },
    ]);
    assert.deepEqual(batch.facts().slice(-1), ["batch.cancel_requested"]);
    assert.equal(batch.send("cancel", { jobs: ["a", "b"] }).changed, false);
    assert.equal(batch.state(), "queued", "it ends when its jobs have");
  });

  it("reaches a running batch", () => {
    const batch = aBatch(2);
    batch.item(0, "RUNNING");
    assert.equal(batch.send("cancel", { jobs: ["a", "b"] }).tells.length, 2);
    batch.item(0, "CANCELED");
    batch.item(1, "CANCELED");
    assert.equal(batch.view().status, "CANCELED");
  });

  it("changes nothing after the end", () => {
    const batch = aBatch(1);
    batch.item(0, "SUCCEEDED");
    const step = batch.send("cancel", { jobs: ["a"] });
    assert.equal(step.changed, false);
    assert.deepEqual(step.tells, []);
  });
});

describe("the view of a batch", () => {
  it("counts ends by word, timeouts as failures", () => {
    const batch = aBatch(5);
    for (const [index, status] of (["SUCCEEDED", "FAILED", "TIMEOUT", "CANCELED"] as const).entries())
      batch.item(index, status);
    const { num_images, completed, failed, canceled } = batch.view();
    assert.deepEqual(
      { num_images, completed, failed, canceled },
      { num_images: 5, completed: 1, failed: 2, canceled: 1 },
    );
  });

  it("knows the time to the first item and to the last end", () => {
    const batch = aBatch(3);
    batch.sleep(500);
    batch.item(0, "RUNNING");
    batch.sleep(1500);
    batch.item(0, "FAILED");
    assert.equal(batch.view().ttfi_ms, null, "a failure is no item");
    batch.item(1, "SUCCEEDED", T0 + 1800);
    batch.sleep(1000);
    batch.item(2, "SUCCEEDED", T0 + 1700);
    const { ttfi_ms, total_ms, created_at, started_at, finished_at } = batch.view();
    assert.deepEqual([ttfi_ms, total_ms], [1700, 3000], "the earliest, in whatever order the messages came");
    assert.deepEqual([created_at, started_at, finished_at], [T0, T0 + 500, T0 + 3000]);
  });
});
