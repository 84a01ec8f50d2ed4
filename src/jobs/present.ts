import type { JobView } from "../../machines/job.view.ts";
import type { StoredOutput } from "../../machines/job.words.ts";
import type { Clock, Storage } from "../ports.ts";
import type { Job, Result } from "./words.ts";

/** What the contract shows for a job that needs no more polls. */
const SETTLED_RETRY_AFTER_S = 10;
/** A job whose account pauses for long may still be moved or canceled meanwhile. */
const PAUSED_RETRY_AFTER_S = 30;

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

/** Ids that a job's view is shown with. */
export type JobLabels = {
  job_id: string;
  chat_id: string | null;
  option_id: string | null;
  retry_of: string | null;
  tool_type: string;
  model_key: string;
};

/** Renders a job's view for clients: signs URLs, turns instants into ISO 8601 and waits into seconds. */
export const createJobPresenter = ({
  storage,
  clock,
  pollMinMs,
}: {
  storage: Storage;
  clock: Clock;
  pollMinMs: number;
}) => {
  const result = async (output: StoredOutput): Promise<Result> => ({
    min_url: await storage.url(output.min_key),
    raw_url: await storage.url(output.raw_key),
    mime: output.mime,
    size_bytes: output.size_bytes,
    thumbnails: await Promise.all(
      output.thumbnails.map(async ({ key, width, height }) => ({ url: await storage.url(key), width, height })),
    ),
  });

  /** Whole seconds until something can be new: the next poll or the end of a pause, else the shortest wait. */
  const retryAfter = (view: JobView): number => {
    if (view.finished_at !== null) return SETTLED_RETRY_AFTER_S;
    if (view.waiting_for) {
      return Math.min(PAUSED_RETRY_AFTER_S, Math.max(1, Math.ceil((view.waiting_for.until - clock.now()) / 1000)));
    }
    if (view.next_poll_at === null) return Math.max(1, Math.ceil(pollMinMs / 1000));
    return Math.max(1, Math.ceil((view.next_poll_at - clock.now()) / 1000));
  };

  return async (labels: JobLabels, view: JobView): Promise<Job> => {
    const outputs = await Promise.all(view.outputs.map(result));
    return {
      job_id: labels.job_id,
      status: view.status,
      state: view.state,
      result: outputs[0] ?? null,
      error: view.error,
      waiting_for: view.waiting_for && { ...view.waiting_for, until: new Date(view.waiting_for.until).toISOString() },
      retry_after_seconds: retryAfter(view),
      outputs,
      progress: view.progress,
      position: view.position,
      attempt: view.attempt,
      cancel: view.cancel,
      chat_id: labels.chat_id,
      option_id: labels.option_id,
      batch_id: view.batch_id,
      batch_index: view.batch_id === null ? null : view.batch_index,
      retry_of: labels.retry_of,
      tool_type: labels.tool_type,
      model_key: view.model_key ?? labels.model_key,
      provider: view.provider,
      created_at: new Date(view.created_at).toISOString(),
      started_at: iso(view.started_at),
      finished_at: iso(view.finished_at),
      timeout_at: iso(view.timeout_at),
      next_poll_at: iso(view.next_poll_at),
    };
  };
};
export type PresentJob = ReturnType<typeof createJobPresenter>;
