import type { StateValue } from "xstate";
import type { JobContext } from "./job.context.ts";
import type { JobStatus } from "./job.words.ts";
import { stateName } from "./step.ts";

const FINAL: Record<string, JobStatus> = {
  succeeded: "SUCCEEDED",
  failed: "FAILED",
  timeout: "TIMEOUT",
  canceled: "CANCELED",
};

/** The word of the public API for a state of the machine. */
export const jobStatus = (state: string): JobStatus =>
  FINAL[state] ?? (["queued", "resting", "moving"].includes(state) ? "QUEUED" : "RUNNING");

/**
 * What the world may know of a job: the data of its facts and the source of its `GET`. Instants are
 * ms since the epoch; outputs are keys. Both are rendered when an answer leaves.
 */
export const jobView = (value: StateValue, context: JobContext) => {
  const state = stateName(value).replace(/^active\./, "");
  return {
    status: jobStatus(state),
    state,
    attempt: context.attempts,
    position: context.position,
    progress: context.progress,
    next_poll_at: context.pollAt,
    created_at: context.createdAt,
    started_at: context.startedAt,
    finished_at: context.finishedAt,
    timeout_at: context.timeoutAt ?? context.startBy,
    cancel: context.cancel,
    batch_id: context.batch,
    batch_index: context.index,
    outputs: context.outputs,
    error: context.error,
    provider: context.account,
    ...(context.model === "" ? {} : { model_key: context.model }),
    waiting_for: state === "queued" ? context.waitingFor : null,
  };
};
export type JobView = ReturnType<typeof jobView>;

/** Whether there is a job to be seen in what is stored: a row that was damaged has none. */
export const isJobSnapshot = (stored: unknown): boolean => {
  const { value, context } = (stored ?? {}) as { value?: unknown; context?: Partial<JobContext> | null };
  if ((typeof value !== "string" && typeof value !== "object") || typeof context !== "object") return false;
  const { attempts, createdAt, account, outputs } = context ?? {};
  return (
    value !== null &&
    [attempts, createdAt].every((number) => typeof number === "number") &&
    typeof account === "string" &&
    Array.isArray(outputs)
  );
};
