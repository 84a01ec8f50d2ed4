import { isJobSnapshot } from "../../machines/job.view.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import { type Cursor, keyset } from "../http/pagination.ts";
import type { History } from "./history.ts";
import type { OutlookOf } from "./outlook.ts";
import type { JobLabels, PresentJob } from "./present.ts";
import { type JobRow, viewOf } from "./view.ts";
import type { Job, JobDetail } from "./words.ts";

export type JobFilter = { status?: string; chat_id?: string; batch_id?: string; tool_type?: string };

const labelsOf = (row: JobRow): JobLabels => ({
  job_id: row.id,
  chat_id: row.chat_id,
  option_id: row.option_id,
  retry_of: row.retry_of,
  tool_type: row.tool_type,
  model_key: row.model_key,
});

type TransitionRow = {
  version: number;
  at: number;
  event: string;
  from_state: string | null;
  to_state: string;
  effects: string[];
  folded: string[];
  reason: string | null;
};

/** Reads of jobs, always by their owner: another's job is not found. */
export const createJobReads = ({
  query,
  present,
  history,
  outlook,
}: {
  query: Query;
  present: PresentJob;
  history: Pick<History, "load">;
  outlook: OutlookOf;
}) => {
  const row = async (id: string, userId: string): Promise<JobRow> => {
    const [found] = await query<JobRow>("jobById", [id, userId]);
    if (!found) throw new Problem("not_found", "There is no such job");
    return found;
  };
  const show = (found: JobRow): Promise<Job> => present(labelsOf(found), viewOf(found));
  const detail = async (found: JobRow): Promise<JobDetail> => {
    const { finished_at } = viewOf(found);
    const shown = await show(found);
    if (finished_at === null) await history.load(shown.model_key, found.tool_type);
    const { prompt, params } = found.alternatives.find(({ model_key }) => model_key === shown.model_key) ?? found;
    const stands = isJobSnapshot(found.snapshot) ? outlook(found) : { queue_position: null, eta_seconds: null };
    return { ...shown, ...stands, prompt, params, cursor: found.cursor, stream: found.stream_id };
  };
  return {
    row,
    show,
    detail,
    list: (userId: string, filter: JobFilter, after: Cursor | null, limit: number) =>
      query<JobRow>("jobsOfUser", [
        userId,
        ...keyset(after),
        filter.status ?? null,
        filter.chat_id ?? null,
        filter.batch_id ?? null,
        filter.tool_type ?? null,
        limit + 1,
      ]),
    /** Whether anything of the job follows a cursor of its stream. */
    hasMore: async (found: JobRow, cursor: number): Promise<boolean> => {
      const [answer] = await query<{ more: boolean }>("hasFactAfter", [found.stream_id, cursor, found.id]);
      return answer?.more === true;
    },
    timeline: async (id: string, userId: string) => {
      await row(id, userId);
      const rows = await query<TransitionRow>("transitionsOf", [id]);
      return rows.map(({ version, at, event, from_state, to_state, effects, folded, reason }) => ({
        version,
        at: new Date(at).toISOString(),
        event,
        from: from_state,
        to: to_state,
        effects,
        folded,
        reason,
      }));
    },
  };
};
export type JobReads = ReturnType<typeof createJobReads>;
