import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { aJob, STORED } from "./a-job.ts";

const INGEST_WATCHDOG = 5000 + 120_000 + 2000;

describe("the storing of outputs", () => {
  it("ends the job well, and forgets the provider's URLs", () => {
    const job = aJob().ingesting();
    job.ingested();
    assert.equal(job.state(), "succeeded");
    assert.deepEqual(job.context().outputs, [STORED]);
    assert.deepEqual(job.context().remote, []);
  });

  it("is tried five times, each after a longer pause, then the job fails", () => {
    const job = aJob().ingesting();
    const waits = [];
    for (let tries = 1; tries <= 5; tries++) {
      assert.equal(job.count("ingest"), tries);
      job.ingestFailed(true);
      if (tries === 5) break;
      assert.equal(job.state(), "ingesting.pausing");
      waits.push(job.wakesIn());
      job.pass(job.wakesIn() ?? 0);
    }
    assert.equal(job.state(), "failed");
    assert.deepEqual(job.context().error, { code: "storage_away", message: "Away", retryable: true });
    assert.deepEqual(waits, [3000, 9000, 27_000, 60_000]);
  });

  it("is tried again when no answer comes, however often: whoever died must not cost a paid picture", () => {
    const job = aJob().ingesting();
    for (let tries = 1; tries <= 12; tries++) {
      assert.equal(job.state(), "ingesting.storing");
      assert.equal(job.wakesIn(), INGEST_WATCHDOG);
      job.pass(INGEST_WATCHDOG);
      assert.equal(job.state(), "ingesting.pausing");
      job.pass(job.wakesIn() ?? 0);
    }
    assert.equal(job.context().tries, 0);
  });

  it("is given up after its own limit", () => {
    const job = aJob().ingesting();
    for (let tries = 0; job.state().startsWith("ingesting") && tries < 100; tries++) job.pass(job.wakesIn() ?? 0);
    assert.equal(job.state(), "failed");
    assert.equal(job.context().error?.code, "ingest_failed");
  });

  it("is not tried again when that would not help", () => {
    const job = aJob().ingesting();
    job.ingestFailed(false);
    assert.equal(job.state(), "failed");
    assert.equal(job.count("ingest"), 1);
  });

  it("counts also when its answer comes after the watchdog", () => {
    const job = aJob().ingesting();
    job.sleep(INGEST_WATCHDOG);
    job.ingested();
    assert.equal(job.state(), "succeeded");
    assert.deepEqual(job.context().outputs, [STORED]);
  });

  it("does not submit again when it fails", () => {
    const job = aJob().ingesting();
    job.ingestFailed(false);
    assert.equal(job.count("submit"), 1);
    assert.equal(job.last().done, true);
  });
});
