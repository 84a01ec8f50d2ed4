import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { aJob } from "./a-job.ts";
import { latencies, seeded } from "./latencies.ts";
import { racePolls } from "./poll-race.ts";

describe("adaptive polls against exponential backoff, over the same completion times", () => {
  for (const name of ["image", "video", "bimodal"] as const)
    it(`notice in a third of the time, with no more polls: ${name}`, () => {
      const { backoff, adaptive } = racePolls(latencies(seeded(1))[name], { draw: seeded(7), warmup: 200, jobs: 500 });
      assert.ok(adaptive.polls <= backoff.polls, `${adaptive.polls} polls, not ${backoff.polls}`);
      assert.ok(
        adaptive.meanDelayMs <= backoff.meanDelayMs / 3,
        `${adaptive.meanDelayMs} of ${backoff.meanDelayMs} ms`,
      );
    });
});

describe("a job with a schedule", () => {
  const scheduled = () => {
    const job = aJob().submitting();
    job.pass(300);
    job.send("accepted", { attempt: "id@0", ref: "ref-1", schedule: [10_000, 14_000] });
    return job;
  };
  const going = (job: ReturnType<typeof scheduled>) => {
    job.pass(job.wakesIn() ?? 0);
    job.polled({ kind: "running" });
  };

  it("polls at its instants, counted from the submit, then backs off", () => {
    const job = scheduled();
    assert.equal(job.wakesIn(), 9_700);
    going(job);
    assert.equal(job.wakesIn(), 4_000);
    going(job);
    assert.equal(job.wakesIn(), 4_000);
  });

  it("polls at once when it is nudged, and keeps to its instants afterwards", () => {
    const job = scheduled();
    job.pass(2_000);
    job.nudge();
    assert.equal(job.wakesIn(), 0);
    going(job);
    assert.equal(job.wakesIn(), 7_700);
  });

  it("gets another with its next attempt, or none", () => {
    const job = scheduled();
    job.pass(job.wakesIn() ?? 0);
    job.polled({ kind: "failed", code: "busy", message: "Busy", retryable: true });
    job.pass(job.wakesIn() ?? 0);
    job.submitting().accept();
    assert.equal(job.wakesIn(), 1_000);
  });

  it("has the safety net instead, when its provider calls us", () => {
    const job = aJob({ webhook: true }).submitting();
    job.send("accepted", { attempt: "id@0", ref: "ref-1", schedule: [10_000, 14_000] });
    assert.equal(job.wakesIn(), 15_000);
  });
});

describe("what a job tells of its completion", () => {
  const completed = { kind: "completed", outputs: [{ url: "https://provider.example/1.png" }] };
  const rendered = (job: ReturnType<typeof aJob>) => {
    const fact = job.last().facts.find(({ type }) => type === "job.rendered");
    return [fact?.done_after_ms, fact?.done_by_ms];
  };

  it("is between the poll that saw it going on and the one that saw it done, from the submit", () => {
    const job = aJob().polling();
    job.polled({ kind: "running" });
    job.pass(2_000);
    job.pass(150);
    job.polled(completed);
    assert.deepEqual(rendered(job), [1_000, 3_150]);
  });

  it("does not take a poll without an answer for one that saw it going on", () => {
    const job = aJob().polling();
    job.polled({ kind: "unknown", reason: "503" });
    job.pass(2_000);
    job.polled(completed);
    assert.deepEqual(rendered(job), [0, 3_000]);
  });

  it("is close to the provider's call, when that brought on the poll", () => {
    const job = aJob({ webhook: true }).waiting();
    job.pass(7_000);
    job.nudge();
    job.pass(0);
    job.polled(completed);
    assert.deepEqual(rendered(job), [6_000, 7_000]);
  });
});
