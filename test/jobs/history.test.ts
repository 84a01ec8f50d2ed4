import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultPolicy } from "../../machines/policy.ts";
import type { Query } from "../../src/db/queries.ts";
import { createHistory } from "../../src/jobs/history.ts";
import { createLog } from "../../src/log.ts";
import { createVirtualClock } from "../streams/clock.ts";

const rows = (count: number) => Array.from({ length: count }, (_, n) => ({ after: 10_000 + n, by: 12_000 + n }));

const setup = () => {
  const clock = createVirtualClock();
  const asked: unknown[][] = [];
  const state = { answer: async (): Promise<object[]> => rows(50) };
  const query = (async (_name: string, params: unknown[]) => {
    asked.push(params);
    return state.answer();
  }) as unknown as Query;
  const history = createHistory({ query, clock, pace: defaultPolicy.poll, log: createLog("silent") });
  return { clock, asked, state, history };
};

describe("the history of a model", () => {
  it("is read when it is first asked for, and waited for by who can wait", async () => {
    const { history, asked } = setup();
    assert.equal(history.peek("flux", "text_to_image"), null);
    const known = await history.load("flux", "text_to_image");
    assert.ok(known && known.schedule.length > 0);
    assert.equal(history.peek("flux", "text_to_image"), known);
    assert.deepEqual(asked, [["flux", "text_to_image", 300]]);
  });

  it("is read anew after a minute at the earliest, and meanwhile stays what it was", async () => {
    const { history, asked, clock } = setup();
    const known = await history.load("flux", "text_to_image");
    clock.advance(59_000);
    await history.load("flux", "text_to_image");
    assert.equal(asked.length, 1);
    clock.advance(1_000);
    assert.equal(history.peek("flux", "text_to_image"), known, "nobody waits for what can be stale");
    assert.equal(asked.length, 2);
  });

  it("is unknown below twenty generations", async () => {
    const { history, state } = setup();
    state.answer = async () => rows(19);
    assert.equal(await history.load("flux", "text_to_image"), null);
  });

  it("stays what it was while the database does not answer, and nobody fails with it", async () => {
    const { history, state, clock } = setup();
    const known = await history.load("flux", "text_to_image");
    state.answer = async () => {
      throw new Error("the database is away");
    };
    clock.advance(60_000);
    assert.equal(await history.load("flux", "text_to_image"), known);
    assert.equal(await history.load("kling", "text_to_video"), null);
  });

  it("is kept apart for each tool of a model", async () => {
    const { history, asked } = setup();
    await history.load("kling", "text_to_video");
    await history.load("kling", "image_to_video");
    assert.equal(asked.length, 2);
  });
});
