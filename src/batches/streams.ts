import type { OpenSource } from "../streams/source.ts";
import type { BatchReads } from "./reads.ts";

const ENDS = new Set([
  "batch.succeeded",
  "batch.partially_succeeded",
  "batch.failed",
  "batch.timed_out",
  "batch.canceled",
]);

/** A batch to follow, with its jobs. It ends with the batch. */
export const createBatchSource =
  (reads: BatchReads): OpenSource =>
  async (id, userId) => {
    const { cursor: head } = await reads.row(id, userId);
    return {
      stream: id,
      head,
      isLast: (fact) => fact.actorId === id && ENDS.has(fact.type),
      over: async (cursor) => {
        const row = await reads.row(id, userId);
        return reads.show(row).finished_at !== null && cursor === row.cursor;
      },
      snapshot: async () => {
        const { body } = await reads.detail(await reads.row(id, userId));
        return { cursor: body.cursor, data: body, done: body.finished_at !== null };
      },
    };
  };
