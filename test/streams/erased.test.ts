import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLog } from "../../src/log.ts";
import { createTails } from "../../src/streams/tail.ts";
import { until } from "./until.ts";

describe("the tail of a stream", () => {
  it("ends when the stream was erased, even if nobody heard that it was deleted", async () => {
    let heads = new Map([
      ["erased", 3],
      ["kept", 2],
    ]);
    const looks: (() => void)[] = [];
    const tails = createTails({
      bus: { subscribe: () => () => {} } as never,
      log: { heads: async () => heads, read: async () => [] },
      clock: {
        now: () => 0,
        after: (_, fire) => {
          looks.push(fire);
          return () => {};
        },
      },
      logger: createLog("silent"),
    });
    const ended: string[] = [];
    for (const stream of ["erased", "kept", "fresh"]) {
      const { tail } = await tails.join(stream);
      tail.facts.subscribe({ complete: () => ended.push(stream) });
    }
    heads = new Map([["kept", 2]]);
    looks.shift()?.();
    await until(() => looks.length > 0);
    assert.deepEqual(ended, ["erased"]);
    tails.close();
  });
});
