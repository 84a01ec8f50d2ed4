import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type AJob, aJob, OUTPUT } from "./a-job.ts";

const POLL_WATCHDOG = 5000 + 5000 + 2000;
const running = (progress?: number) => ({ kind: "running", progress });

/** Waits for the next poll and answers it. */
const poll = (job: AJob, outcome: Record<string, unknown>) => {
  if (job.state() === "active.running.waiting") job.pass(job.wakesIn() ?? 0);
  return job.polled(outcome);
};

describe("the polls of a job", () => {
  const waits = (draw: number) => {
    const job = aJob().submitting();
    job.drawing(draw);
    job.accept();
    return Array.from({ length: 8 }, () => {
      const wait = job.wakesIn();
      poll(job, { kind: "queued" });
      return wait;
    });
  };

  it("come after 1, 2, 4, 8, 16 s, then every 30 s", () => {
    assert.deepEqual(waits(0.5), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it("come up to a fifth earlier or later, by their draw", () => {
    assert.deepEqual(waits(0), [800, 1600, 3200, 6400, 12_800, 24_000, 24_000, 24_000]);
    assert.deepEqual(waits(0.999999999), [1200, 2400, 4800, 9600, 19_200, 36_000, 36_000, 36_000]);
  });

  it("ask for the job's ref, numbered", () => {
    const job = aJob().polling();
    assert.deepEqual(job.asked("poll"), { ref: "ref-1", n: 1 });
    poll(job, { kind: "queued" });
    job.pass(2000);
    assert.deepEqual(job.asked("poll"), { ref: "ref-1", n: 2 });
  });

  it("go on when one gets no answer", () => {
    const job = aJob().polling();
    assert.equal(job.wakesIn(), POLL_WATCHDOG);
    job.pass(POLL_WATCHDOG);
    assert.equal(job.state(), "active.running.waiting");
    assert.equal(job.wakesIn(), 2000);
  });

  it("go on when the provider's state is not known", () => {
    const job = aJob().polling();
    job.polled({ kind: "unknown", reason: "503" });
    assert.equal(job.state(), "active.running.waiting");
    assert.deepEqual(job.last().facts, []);
  });

  it("are due at once after an outage, however long", () => {
    const job = aJob({ timeoutMs: 1_000_000 }).waiting();
    job.sleep(500_000);
    job.send("wake");
    assert.equal(job.state(), "active.running.polling");
  });

  it("are answered by their number: a late answer counts while its number is the latest", () => {
    const job = aJob().polling();
    job.pass(POLL_WATCHDOG);
    job.polled({ kind: "completed", outputs: [OUTPUT] }, 1);
    assert.equal(job.state(), "ingesting.storing");
  });

  it("are answered by their number: an older answer changes nothing", () => {
    const job = aJob().polling();
    job.pass(POLL_WATCHDOG + 2000);
    assert.equal(job.context().polls, 2);
    for (const outcome of [{ kind: "moderated" }, { kind: "completed", outputs: [OUTPUT] }, running(0.9)]) {
      assert.equal(job.polled(outcome, 1).changed, false);
    }
    assert.equal(job.state(), "active.running.polling");
  });

  it("are not put off by an answer that comes twice", () => {
    const job = aJob().polling();
    job.polled({ kind: "queued" });
    job.pass(500);
    job.polled({ kind: "queued" }, 1);
    assert.equal(job.wakesIn(), 1500);
  });
});

describe("a nudge", () => {
  it("brings the next poll forward, to a second after the last", () => {
    const job = aJob().polling();
    job.polled({ kind: "queued" });
    job.pass(300);
    assert.equal(job.wakesIn(), 1700);
    job.send("nudge");
    assert.equal(job.state(), "active.running.waiting");
    assert.equal(job.wakesIn(), 700);
  });

  it("polls at once when the last poll is longer ago", () => {
    const job = aJob().waiting();
    job.pass(100);
    job.send("nudge");
    assert.equal(job.wakesIn(), 0);
  });

  it("coalesces with others: at most one poll a second", () => {
    const job = aJob().polling();
    for (let ms = 0; ms < 10_000; ms += 100) {
      job.send("nudge");
      if (job.state() === "active.running.polling") poll(job, { kind: "queued" });
      job.pass(100);
    }
    assert.ok(job.count("poll") <= 11, `${job.count("poll")} polls`);
    assert.ok(job.count("poll") >= 9, `${job.count("poll")} polls`);
  });

  it("while a poll is in flight starts no second one, and makes the next come soon", () => {
    const job = aJob().polling();
    job.send("nudge");
    job.send("nudge");
    assert.equal(job.count("poll"), 1);
    assert.equal(job.state(), "active.running.polling");
    job.pass(400);
    job.polled({ kind: "queued" });
    assert.equal(job.wakesIn(), 600);
    poll(job, { kind: "queued" });
    assert.equal(job.wakesIn(), 4000, "a nudge counts once");
  });

  it("never puts a poll off", () => {
    const job = aJob({ policy: { poll: { minMs: 10, maxMs: 10, factor: 1, jitter: 0 } } }).polling();
    job.polled({ kind: "queued" });
    assert.equal(job.wakesIn(), 10);
    job.send("nudge");
    assert.equal(job.wakesIn(), 10);
  });

  it("means nothing before the provider has the job, or after", () => {
    for (const way of [aJob(), aJob().submitting(), aJob().ingesting()])
      assert.equal(way.send("nudge").changed, false, way.state());
  });
});

describe("the progress of a job", () => {
  it("is a fact when it starts, and then for each further five percent", () => {
    const job = aJob().polling();
    const told = [0, 0.01, 0.04, 0.05, 0.08, 0.099, 0.1, 0.15, 0.2, 0.24, 0.9].filter(
      (progress) => poll(job, running(progress)).facts.length > 0,
    );
    assert.deepEqual(told, [0, 0.05, 0.1, 0.15, 0.2, 0.9]);
  });

  it("is told even when it creeps", () => {
    const job = aJob({ timeoutMs: 86_400_000 }).polling();
    let told = 0;
    for (let percent = 0; percent <= 100; percent += 2) told += poll(job, running(percent / 100)).facts.length;
    assert.ok(told >= 16, `${told} facts`);
  });

  it("is known between the facts, too", () => {
    const job = aJob().polling();
    poll(job, running(0.1));
    poll(job, running(0.12));
    assert.equal(job.context().progress, 0.12);
  });

  it("does not go back in the facts, or get lost when a poll does not say", () => {
    const job = aJob().polling();
    poll(job, running(0.5));
    assert.deepEqual(poll(job, running(0.3)).facts, []);
    poll(job, running());
    assert.equal(job.context().progress, 0.3);
  });

  it("counts from the start of the generation, not from the queue", () => {
    const job = aJob().polling();
    assert.deepEqual(poll(job, { kind: "queued", position: 4 }).facts, []);
    assert.equal(job.context().position, 4);
    assert.deepEqual(
      poll(job, running()).facts.map(({ type }) => type),
      ["job.progressed"],
    );
    assert.equal(job.context().position, null);
    assert.deepEqual(poll(job, running()).facts, []);
  });
});

describe("a poll's answer", () => {
  const endOf = (outcome: Record<string, unknown>) => {
    const job = aJob({ policy: { retryLimit: 0 } }).polling();
    job.polled(outcome);
    return { state: job.state(), error: job.context().error };
  };

  it("with outputs leads to their storing", () => {
    const job = aJob().polling();
    job.polled({ kind: "completed", outputs: [OUTPUT] });
    assert.equal(job.state(), "ingesting.storing");
    assert.deepEqual(job.asked("ingest"), { outputs: [OUTPUT] });
    assert.equal(job.context().progress, 1);
  });

  it("of a failure for good ends the job with the provider's words", () => {
    assert.deepEqual(endOf({ kind: "failed", code: "nsfw", message: "No", retryable: false }), {
      state: "failed",
      error: { code: "nsfw", message: "No", retryable: false },
    });
  });

  it("of moderation ends the job, and says so", () => {
    const { state, error } = endOf({ kind: "moderated" });
    assert.deepEqual([state, error?.code, error?.retryable], ["failed", "moderated", false]);
  });

  it("of a generation that is gone ends the job", () => {
    const { state, error } = endOf({ kind: "gone" });
    assert.deepEqual([state, error?.code, error?.retryable], ["failed", "gone", false]);
  });

  it("without any output is a failure, not tried again: it was billed", () => {
    const { state, error } = endOf({ kind: "completed", outputs: [] });
    assert.deepEqual([state, error?.code, error?.retryable], ["failed", "no_output", false]);
    const job = aJob().polling();
    job.polled({ kind: "completed", outputs: [] });
    assert.equal(job.state(), "failed");
  });

  it("of a cancel that nobody asked for is a failure, not tried again: another try is another bill", () => {
    const { state, error } = endOf({ kind: "canceled" });
    assert.deepEqual([state, error?.code, error?.retryable], ["failed", "canceled_upstream", false]);
  });
});
