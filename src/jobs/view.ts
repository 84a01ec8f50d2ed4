import type { StateValue } from "xstate";
import { type JobContext, jobContext, jobError } from "../../machines/job.context.ts";
import { isJobSnapshot, type JobView, jobView } from "../../machines/job.view.ts";
import { defaultPolicy } from "../../machines/policy.ts";
import type { Snapshot } from "../../machines/step.ts";

/** What another provider gets when the job has moved there. */
export type AlternativeRow = { provider: string; model_key: string; prompt: string; params: Record<string, unknown> };

export type JobRow = {
  id: string;
  user_id: string;
  chat_id: string | null;
  option_id: string | null;
  batch_id: string | null;
  batch_index: number | null;
  retry_of: string | null;
  tool_type: string;
  model_key: string;
  provider: string;
  prompt: string;
  params: Record<string, unknown>;
  inputs: string[];
  alternatives: AlternativeRow[];
  created_at: number;
  version: number;
  /** The machine's, as last committed. */
  state: string;
  snapshot: Snapshot;
  cursor: number;
  stream_id: string;
  /** Only where a single job is read, and null when it is not queued. */
  queue_position?: number | null;
  /** Of its provider account. */
  paused_reason: string | null;
  paused_until: number | null;
};

const UNREADABLE = jobError("unreadable", "What is stored of this job is damaged; it is being looked into", false);

/** What is left to say of a job whose snapshot was damaged: what stands beside it. */
const lastKnown = ({ state, created_at, batch_id, batch_index, provider }: JobRow): JobView =>
  jobView(state, {
    ...jobContext(defaultPolicy, undefined),
    createdAt: created_at,
    startBy: created_at,
    account: provider,
    batch: batch_id,
    index: batch_index ?? 0,
    error: UNREADABLE,
  });

/** A queued job waits for what its account waits for, whether or not it was the one that was told. */
export const viewOf = (row: JobRow): JobView => {
  if (!isJobSnapshot(row.snapshot)) return lastKnown(row);
  const view = jobView(row.snapshot.value as StateValue, row.snapshot.context as unknown as JobContext);
  const { paused_reason: code, paused_until: until } = row;
  return { ...view, waiting_for: view.status === "QUEUED" && code !== null && until !== null ? { code, until } : null };
};
