import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Sent } from "../../src/actors/dispatch.ts";
import { createBatchCommands } from "../../src/batches/commands.ts";
import type { BatchReads } from "../../src/batches/reads.ts";
import { Problem } from "../../src/errors.ts";

/** The commands for a batch that was read before its end, where sending them comes to this. */
const setup = (outcome: Sent["outcome"], finishedAt: number | null) => {
  const reads = { row: async () => ({ jobs: [] }), show: () => ({ finished_at: null }) } as unknown as BatchReads;
  const sent = { outcome, version: 1, snapshot: { value: "running", context: { finishedAt }, timers: {} } } as Sent;
  type Deps = Parameters<typeof createBatchCommands>[0];
  return createBatchCommands({ reads, dispatch: { send: async () => sent } } as unknown as Deps);
};
const caller = { userId: "ada", traceparent: null };

describe("the cancel of a batch", () => {
  it("is taken while it runs, also again", async () => {
    await setup("won", null).cancel("batch", caller);
    await setup("unchanged", null).cancel("batch", caller);
  });

  it("is refused when it ended after it was read: nobody would hear of it", async () => {
    const refused = (error: unknown) => error instanceof Problem && error.code === "conflict";
    await assert.rejects(setup("unchanged", 1).cancel("batch", caller), refused);
  });
});
