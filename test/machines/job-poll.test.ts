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
    job.nudge();
    assert.equal(job.state(), "active.running.waiting");
    assert.equal(job.wakesIn(), 700);
  });

  it("polls at once when the last poll is longer ago", () => {
    const job = aJob().waiting();
    job.pass(100);
    job.nudge();
    assert.equal(job.wakesIn(), 0);
  });

  it("coalesces with others: at most one poll a second", () => {
    const job = aJob().polling();
    for (let ms = 0; ms < 10_000; ms += 100) {
      job.nudge();
      if (job.state() === "active.running.polling") poll(job, { kind: "queued" });
      job.pass(100);
    }
    assert.ok(job.count("poll") <= 11, `${job.count("poll")} polls`);
    assert.ok(job.count("poll") >= 9, `${job.count("poll")} polls`);
  });

  it("while a poll is in flight starts no second one, and makes the next come soon", () => {
    const job = aJob().polling();
    job.nudge();
    job.nudge();
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
    job.nudge();
    assert.equal(job.wakesIn(), 10);
  });

  it("means nothing before the submit, or once the outputs are known", () => {
    for (const way of [aJob(), aJob().ingesting()]) assert.equal(way.nudge().changed, false, way.state());
  });

  it("about an earlier attempt means nothing", () => {
    const lost = aJob().submitting();
    lost.lose();
    for (const way of [aJob().submitting(), lost, aJob().waiting(), aJob().polling()])
      assert.equal(way.send("nudge", { attempt: "earlier", ref: "ref-0" }).changed, false, way.state());
  });

  it("is written down once, however often it comes", () => {
    const waiting = aJob().polling();
    waiting.polled({ kind: "queued" });
    for (const way of [aJob().submitting(), waiting, aJob().polling()]) {
      assert.equal(way.nudge().changed, true, way.state());
      assert.equal(way.nudge().changed, false, way.state());
    }
  });
});

describe("a nudge before the submit's outcome is known", () => {
  it("makes the first poll come at once, when the answer was only slow", () => {
    const job = aJob({ webhook: true }).submitting();
    job.nudge();
    assert.equal(job.state(), "active.submitting");
    job.pass(2000);
    job.accept();
    assert.equal(job.state(), "active.running.waiting");
    assert.equal(job.wakesIn(), 0);
  });

  it("makes the job look at once, when the answer is lost after it or before it", () => {
    const before = aJob().submitting();
    before.nudge();
    before.lose();
    const after = aJob().submitting();
    after.lose();
    after.nudge();
    for (const job of [before, after]) {
      assert.equal(job.state(), "active.reconciling.looking");
      job.unresolved();
      assert.equal(job.wakesIn(), 2000, "and then as patiently as ever");
      job.pass(2000);
      job.accept();
      assert.equal(job.wakesIn(), 0, "what was found is polled at once");
    }
  });

  it("during a look starts no second one", () => {
    const job = aJob().submitting();
    job.lose();
    job.pass(1000);
    job.nudge();
    assert.equal(job.state(), "active.reconciling.looking");
    assert.equal(job.count("look"), 1);
    job.accept();
    assert.equal(job.wakesIn(), 0);
  });

  it("is as good as the answer, when it proves the provider's ref", () => {
    const lost = aJob().submitting();
    lost.lose();
    const looking = aJob().submitting();
    looking.lose();
    looking.pass(1000);
    for (const job of [aJob().submitting(), lost, looking]) {
      const looks = job.count("look");
      job.nudge("ref-9");
      assert.equal(job.state(), "active.running.waiting");
      assert.equal(job.context().ref, "ref-9");
      assert.equal(job.wakesIn(), 0);
      assert.equal(job.count("look"), looks);
      job.accept("ref-9");
      assert.deepEqual(job.facts().slice(-1), ["job.accepted"], "the answer itself is no news then");
    }
  });

  it("stops upstream what is not wanted any more, when it proves the provider's ref", () => {
    const job = aJob().submitting();
    job.lose();
    job.send("cancel");
    job.nudge("ref-9");
    assert.equal(job.state(), "active.canceling.asking");
    assert.deepEqual(job.asked("cancelUpstream"), { ref: "ref-9" });
  });

  it("is forgotten with its attempt", () => {
    const job = aJob().submitting();
    job.nudge();
    job.reject(true);
    job.pass(1000);
    job.submitting().accept();
    assert.equal(job.wakesIn(), 1000);
  });
});

describe("the polls of a job whose provider calls us", () => {
  const waits = (draw: number) => {
    const job = aJob({ webhook: true }).submitting();
    job.drawing(draw);
    job.accept();
    return Array.from({ length: 5 }, () => {
      const wait = job.wakesIn();
      poll(job, { kind: "queued" });
      return wait;
    });
  };

  it("are a safety net: after 15 and 30 s, then once a minute, by their draw", () => {
    assert.deepEqual(waits(0.5), [15_000, 30_000, 60_000, 60_000, 60_000]);
    assert.deepEqual(waits(0), [12_000, 24_000, 48_000, 48_000, 48_000]);
  });

  it("come at once when it calls, and go on as the safety net", () => {
    const job = aJob({ webhook: true }).waiting();
    job.pass(3000);
    job.nudge();
    assert.equal(job.wakesIn(), 0);
    poll(job, { kind: "running" });
    assert.equal(job.wakesIn(), 30_000);
  });
});

describe("who noticed a completion", () => {
  const completed = { kind: "completed", outputs: [OUTPUT] };
  const noticedBy = (job: AJob) => job.last().facts.find(({ type }) => type === "job.rendered")?.noticed_by;

  it("is the webhook, when its nudge brought on the poll that saw it", () => {
    const waiting = aJob({ webhook: true }).waiting();
    waiting.nudge();
    poll(waiting, completed);
    assert.equal(noticedBy(waiting), "webhook");

    const early = aJob().submitting();
    early.nudge();
    early.accept();
    poll(early, completed);
    assert.equal(noticedBy(early), "webhook");

    const inFlight = aJob().polling();
    inFlight.nudge();
    inFlight.polled({ kind: "running" });
    poll(inFlight, completed);
    assert.equal(noticedBy(inFlight), "webhook");
  });

  it("is polling otherwise, also when a nudge comes while the poll that sees it is in flight", () => {
    const job = aJob().polling();
    job.nudge();
    job.polled(completed);
    assert.equal(noticedBy(job), "poll");
  });

  it("is polling, when the nudge was an earlier poll's", () => {
    const job = aJob().waiting();
    job.nudge();
    poll(job, { kind: "running" });
    poll(job, completed);
    assert.equal(noticedBy(job), "poll");

    const late = aJob().waiting();
    late.nudge();
    poll(late, { kind: "running" });
    late.send("cancel");
    late.canceled("already_finished");
    late.polled(completed);
    assert.equal(noticedBy(late), "poll");
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
