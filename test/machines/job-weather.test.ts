import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type AJob, aJob, OUTPUT } from "./a-job.ts";

const ENDS = ["job.succeeded", "job.failed", "job.timed_out", "job.canceled"];

/** Anything that can happen to a job, whether it fits or not. */
const weather = fc.oneof(
  fc.constantFrom("start", "cancel", "nonsense", "ingested").map((what) => (job: AJob) => {
    if (what === "ingested") job.ingested();
    else job.send(what);
  }),
  fc.constantFrom("accept", "lose", "notSent", "unresolved").map((what) => (job: AJob) => {
    if (what === "accept") job.accept();
    else if (what === "lose") job.lose();
    else if (what === "notSent") job.notSent();
    else job.unresolved();
  }),
  fc.constantFrom(undefined, "ref-1").map((ref) => (job: AJob) => {
    job.nudge(ref);
  }),
  fc.constant((job: AJob) => {
    job.send("accepted", { attempt: "earlier", ref: "stray" });
  }),
  fc.tuple(fc.boolean(), fc.nat(100_000)).map(([retryable, afterMs]) => (job: AJob) => {
    job.reject(retryable, afterMs);
  }),
  fc.boolean().map((retryable) => (job: AJob) => {
    job.ingestFailed(retryable);
  }),
  fc
    .tuple(
      fc.constantFrom(
        { kind: "queued" },
        { kind: "running", progress: 0.5 },
        { kind: "completed", outputs: [OUTPUT] },
        { kind: "completed", outputs: [] },
        { kind: "failed", code: "x", message: "x", retryable: true },
        { kind: "canceled" },
        { kind: "gone" },
        { kind: "unknown", reason: "x" },
      ),
      fc.nat(2),
    )
    .map(([outcome, late]) => (job: AJob) => {
      job.polled(outcome, job.context().polls - late);
    }),
  fc.constantFrom("canceled", "refused", "already_finished", "unknown").map((outcome) => (job: AJob) => {
    job.canceled(outcome);
  }),
  fc.nat(40_000).map((ms) => (job: AJob) => job.pass(ms)),
  fc.nat(200_000).map((ms) => (job: AJob) => {
    job.sleep(ms);
    job.send("wake");
  }),
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }).map((draw) => (job: AJob) => job.drawing(draw)),
);
/** From somewhere on its way, any events. */
const storm = fc.tuple(
  fc.constantFrom("queued", "submitting", "waiting", "polling", "ingesting"),
  fc.array(weather, { maxLength: 40 }),
);
type Storm = [from: string, events: ((job: AJob) => void)[]];

const afterStorm = ([from, events]: Storm, check: (job: AJob) => void) => {
  const job = aJob({ batch: "batch-1", policy: { retryLimit: 2 } });
  if (from === "submitting") job.submitting();
  if (from === "waiting") job.waiting();
  if (from === "polling") job.polling();
  if (from === "ingesting") job.ingesting();
  for (const event of events) {
    event(job);
    check(job);
  }
  return job;
};
const always = (check: (job: AJob) => void) =>
  fc.assert(
    fc.property(storm, (events) => {
      afterStorm(events, check);
    }),
    { numRuns: 150 },
  );

describe("whatever happens to a job, in whatever order", () => {
  it("wants to be woken as long as it has not ended, and never after", () =>
    always((job) => {
      const wakes = job.wakesIn();
      assert.equal(wakes === null, job.last().done, job.state());
      assert.ok(wakes === null || Number.isFinite(wakes));
    }));

  it("submits once per attempt, and attempts no more often than it may", () =>
    always((job) => {
      assert.equal(job.count("submit"), job.context().attempts);
      assert.ok(job.count("submit") <= 3);
      const attempts = job.effects().filter(({ type }) => type === "submit");
      assert.equal(new Set(attempts.map(({ params }) => params.attempt)).size, attempts.length);
    }));

  it("numbers its polls without a gap or a repetition", () =>
    always((job) => {
      const numbers = job.effects().flatMap(({ type, params }) => (type === "poll" ? [params.n] : []));
      assert.deepEqual(
        numbers,
        numbers.map((_, n) => n + 1),
      );
    }));

  it("says its end once, to the world and to its batch, and after it only what was orphaned", () =>
    always((job) => {
      const said = job.facts();
      const end = said.findIndex((fact) => ENDS.includes(fact));
      assert.equal(end >= 0, job.last().done);
      if (end >= 0) assert.ok(said.slice(end + 1).every((fact) => fact === "job.orphaned"));
      const told = job.tells().filter(({ event }) => event.status !== "RUNNING");
      assert.equal(told.length, job.last().done ? 1 : 0);
    }));

  it("stops upstream whatever it does not want any more", () =>
    always((job) => {
      const orphaned = job.facts().filter((fact) => fact === "job.orphaned").length;
      assert.equal(job.count("abandon"), orphaned);
    }));

  it("comes to the same when it is replayed", () => {
    fc.assert(
      fc.property(storm, (events) => {
        const once = afterStorm(events, () => {});
        const twice = afterStorm(events, () => {});
        assert.deepEqual(once.snapshot(), twice.snapshot());
        assert.deepEqual(once.effects(), twice.effects());
      }),
      { numRuns: 50 },
    );
  });
});

describe("a job whose provider never says anything clear", () => {
  const HOUR = 3_600_000;
  /** Answers each effect as unhelpfully as can be. */
  const shrug = (job: AJob) => {
    if (job.state() === "queued") job.send("start");
    else if (job.state().endsWith("submitting")) job.lose();
    else if (job.state().endsWith("looking")) job.unresolved();
    else if (job.state().endsWith("polling")) job.polled({ kind: "unknown", reason: "503" });
    else if (job.state().endsWith("asking")) job.canceled("unknown");
    else if (job.state().endsWith("storing")) job.ingestFailed(true);
    else job.pass(Math.max(1, job.wakesIn() ?? 1));
  };

  it("ends all the same, from wherever it is", () => {
    fc.assert(
      fc.property(storm, (events) => {
        const job = afterStorm(events, () => {});
        const limit = job.now() + HOUR;
        while (!job.last().done && job.now() < limit) shrug(job);
        assert.equal(job.last().done, true, job.state());
      }),
      { numRuns: 150 },
    );
  });
});
