import type { BatchReads, BatchRow } from "../batches/reads.ts";
import { ownerLine } from "../bus/lines.ts";
import { type ChatRow, showChat } from "../chats/words.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { JobReads } from "../jobs/reads.ts";
import type { JobRow } from "../jobs/view.ts";
import type { OpenSource } from "../streams/source.ts";
import type { Overview } from "./words.ts";

/** As many as the first page of a list. */
const NEWEST = 20;

type OverviewRow = { cursor: number; chats: ChatRow[]; jobs: JobRow[]; batches: BatchRow[] };

/** All that a user owns, to follow: the cursor is the owner's own, over all streams. */
export const createMeSource = (deps: { query: Query; jobs: JobReads; batches: BatchReads }): OpenSource => {
  const read = async (userId: string): Promise<OverviewRow> => {
    const [row] = await deps.query<OverviewRow>("overviewOf", [userId, NEWEST]);
    if (!row) throw new Problem("not_found");
    return row;
  };
  return async (_id, userId) => {
    const [at] = await deps.query<{ seq: number }>("ownerHeads", [[userId]]);
    if (!at) throw new Problem("not_found");
    return {
      stream: ownerLine(userId),
      head: at.seq,
      over: async () => false,
      snapshot: async () => {
        const { cursor, chats, jobs, batches } = await read(userId);
        const data: Overview = {
          user_id: userId,
          chats: chats.map(showChat),
          jobs: await Promise.all(jobs.map(deps.jobs.show)),
          batches: batches.map(deps.batches.show),
        };
        return { cursor, data };
      },
    };
  };
};
