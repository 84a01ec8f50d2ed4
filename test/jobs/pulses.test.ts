import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { estimate } from "../../machines/distribution.ts";
import type { Query } from "../../src/db/queries.ts";
import { createOutlook } from "../../src/jobs/outlook.ts";
import { createJobPulses } from "../../src/jobs/pulses.ts";
import type { JobProgress } from "../../src/jobs/words.ts";
import { createLog } from "../../src/log.ts";
import type { Aside } from "../../src/streams/envelope.ts";
import { aJob } from "../machines/a-job.ts";
import { T0 } from "../machines/drive.ts";
import { createVirtualClock } from "../streams/clock.ts";

/** Generations that take between 20 and 60 s. */
const took = estimate(Array.from({ length: 100 }, (_, n) => ({ after: 20_000 + 400 * n, by: 20_400 + 400 * n })));

/** A watched job in virtual time, with what its watcher is told of it. */
const setup = (job: ReturnType<typeof aJob>, place: () => number | null = () => null) => {
  const clock = createVirtualClock(T0);
  let asked = 0;
  const query = (async () => {
    asked++;
    return [
      {
        id: "job-1",
        stream_id: "chat-1",
        cursor: 3,
        snapshot: job.snapshot(),
        model_key: "flux",
        tool_type: "text_to_image",
        queue_position: place(),
      },
    ];
  }) as unknown as Query;
  const outlook = createOutlook({ history: { peek: () => ({ took, schedule: [] }) }, clock, slots: 2 });
  const log = createLog("silent");
  const source = "https://darkroom.example";
  const pulses = createJobPulses({ query, clock, draws: { id: () => "id" }, log, outlook, source });
  const told: JobProgress[] = [];
  pulses.of("chat-1").subscribe(({ json }) => void told.push((JSON.parse(json) as Aside).data as JobProgress));
  return {
    told,
    asked: () => asked,
    pass: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 1_000) {
        clock.advance(1_000);
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
    },
  };
};

describe("what a watcher is told of a live job", () => {
  it("is when it may be done, once as long as that stays true", async () => {
    const { told, asked, pass } = setup(aJob().waiting());
    await pass(3_000);
    const [{ status, eta_seconds, queue_position } = assert.fail("nothing was told")] = told;
    assert.deepEqual([status, queue_position], ["RUNNING", null]);
    assert.ok(Math.abs((eta_seconds?.p50 ?? 0) - 37) <= 2, JSON.stringify(eta_seconds));
    await pass(15_000);
    assert.equal(told.length, 1, "it counts down by itself");
    assert.equal(asked(), 6);
  });

  it("is told again when it takes longer than most", async () => {
    const { told, pass } = setup(aJob().waiting());
    await pass(48_000);
    assert.ok(told.length > 1 && told.length < 16, `${told.length}`);
    const last = told.at(-1)?.eta_seconds;
    assert.ok(last && last.p50 > 3 && last.p50 < 15, JSON.stringify(last));
  });

  it("is fine progress, finer than the facts", async () => {
    const job = aJob().polling();
    job.polled({ kind: "running", progress: 0.5 });
    const { told, pass } = setup(job);
    await pass(3_000);
    job.pass(2_000);
    assert.deepEqual(job.polled({ kind: "running", progress: 0.52 }).facts, []);
    await pass(3_000);
    assert.deepEqual(
      told.map(({ progress }) => progress),
      [0.5, 0.52],
    );
  });

  it("is its place in the queue, and then the provider's word", async () => {
    const job = aJob();
    let place: number | null = 3;
    const { told, pass } = setup(job, () => place);
    await pass(3_000);
    place = 0;
    await pass(3_000);
    place = null;
    job.polling().polled({ kind: "queued", position: 7 });
    await pass(3_000);
    assert.deepEqual(
      told.map(({ queue_position }) => queue_position),
      [3, 0, 7],
    );
    // Two slots, 40 s a job on the mean: the fourth in line waits 80 s.
    assert.ok(Math.abs((told[0]?.eta_seconds?.p50 ?? 0) - 120) <= 5, JSON.stringify(told[0]?.eta_seconds));
  });

  it("is no time when it is to be canceled, or its outputs are being stored", async () => {
    const canceling = aJob().waiting();
    canceling.send("cancel");
    for (const job of [canceling, aJob().ingesting()]) {
      const { told, pass } = setup(job);
      await pass(3_000);
      assert.equal(told[0]?.eta_seconds, null, told[0]?.state);
    }
  });
});
