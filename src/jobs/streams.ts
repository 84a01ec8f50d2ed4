import type { OpenSource } from "../streams/source.ts";
import type { JobReads } from "./reads.ts";
import { type JobRow, viewOf } from "./view.ts";

const ENDS = new Set(["job.succeeded", "job.failed", "job.timed_out", "job.canceled", "job.deleted"]);
const hasEnded = (row: JobRow): boolean => viewOf(row).finished_at !== null;

/** A job to follow, in whichever stream it is. It ends with the job. */
export const createJobSource =
  (reads: JobReads): OpenSource =>
  async (id, userId) => {
    const { stream_id: stream, cursor: head } = await reads.row(id, userId);
    return {
      stream,
      head,
      filter: (fact) => fact.actorId === id,
      subject: id,
      isLast: (fact) => fact.actorId === id && ENDS.has(fact.type),
      over: async (cursor) => {
        const row = await reads.row(id, userId);
        return hasEnded(row) && cursor <= row.cursor && !(await reads.hasMore(row, cursor));
      },
      snapshot: async () => {
        const row = await reads.row(id, userId);
        return { cursor: row.cursor, data: await reads.detail(row), done: hasEnded(row) };
      },
    };
  };
