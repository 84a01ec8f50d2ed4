import { type BatchContext, batchView, isBatchSnapshot } from "../../machines/batch.ts";
import type { BatchView } from "../../machines/batch.words.ts";
import { type Snapshot, stateName } from "../../machines/step.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import { type Cursor, keyset } from "../http/pagination.ts";
import type { JobReads } from "../jobs/reads.ts";
import type { JobRow } from "../jobs/view.ts";
import type { Batch, BatchDetail } from "./words.ts";

export type BatchRow = {
  id: string;
  prompt: string;
  model_key: string;
  num_images: number;
  created_at: number;
  version: number;
  state: string;
  snapshot: Snapshot;
  cursor: number;
};

/** A batch with its jobs, as one statement saw them. */
export type BatchWithJobs = BatchRow & { jobs: JobRow[] };

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

/** A batch's view for clients. */
export const presentBatch = (id: string, view: BatchView): Batch => ({
  job_id: id,
  status: view.status,
  num_images: view.num_images,
  completed: view.completed,
  failed: view.failed,
  canceled: view.canceled,
  created_at: new Date(view.created_at).toISOString(),
  started_at: iso(view.started_at),
  finished_at: iso(view.finished_at),
  ttfi_ms: view.ttfi_ms,
  total_ms: view.total_ms,
});

/** What is left to say of a batch whose snapshot was damaged: what stands beside it. */
const lastKnown = ({ num_images, created_at }: BatchRow): BatchContext => ({
  count: num_images,
  createdAt: created_at,
  startedAt: null,
  firstItemAt: null,
  finishedAt: null,
  cancelRequested: false,
  ends: {},
});

/** Reads of batches, always by their owner. */
export const createBatchReads = ({ query, jobs }: { query: Query; jobs: JobReads }) => {
  const viewOf = (row: BatchRow): BatchView => {
    const { snapshot, state } = row;
    if (!isBatchSnapshot(snapshot)) return batchView(state, lastKnown(row));
    return batchView(stateName(snapshot.value), snapshot.context as unknown as BatchContext);
  };
  const row = async (id: string, userId: string): Promise<BatchWithJobs> => {
    const [found] = await query<BatchWithJobs>("batchById", [id, userId]);
    if (!found) throw new Problem("not_found", "There is no such job");
    return found;
  };
  const show = (found: BatchRow): Batch => presentBatch(found.id, viewOf(found));
  return {
    row,
    show,
    /** Changes with the batch and with each of its jobs. */
    detail: async (found: BatchWithJobs): Promise<{ version: string; body: BatchDetail }> => {
      const results = await Promise.all(
        found.jobs.map(async (job) => {
          const shown = await jobs.show(job);
          return { index: job.batch_index ?? 0, url: shown.result?.raw_url ?? null, ...shown };
        }),
      );
      const pauses = found.jobs.map(({ paused_until }) => paused_until ?? 0);
      const version = `${found.version}.${found.jobs.reduce((sum, job) => sum + job.version, 0)}.${Math.max(0, ...pauses)}`;
      const body = {
        ...show(found),
        prompt: found.prompt,
        model_key: found.model_key,
        results,
        cursor: found.cursor,
      };
      return { version, body };
    },
    list: (userId: string, after: Cursor | null, limit: number) =>
      query<BatchRow>("batchesOfUser", [userId, ...keyset(after), limit + 1]),
  };
};
export type BatchReads = ReturnType<typeof createBatchReads>;
