import { type Static, Type } from "@sinclair/typebox";
import type { StateValue } from "xstate";
import type { JobContext } from "./job.context.ts";
import { CancelState, JobError, JobStatus, nullable, StoredOutput, WaitingFor } from "./job.words.ts";
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

const Instant = Type.Number({ description: "ms since the epoch" });

/**
 * What the world may know of a job: the data of its facts and the source of its `GET`. Instants are
 * ms since the epoch; outputs are keys. Both are rendered when an answer leaves.
 */
export const JobView = Type.Object({
  status: JobStatus,
  state: Type.String({ description: "the machine's state, e.g. running.waiting" }),
  attempt: Type.Integer(),
  position: nullable(Type.Number({ description: "place in the provider's queue" })),
  progress: nullable(Type.Number({ description: "0 to 1, as the provider tells it" })),
  next_poll_at: nullable(Instant),
  created_at: Instant,
  started_at: nullable(Instant),
  finished_at: nullable(Instant),
  timeout_at: nullable(Instant),
  cancel: nullable(CancelState),
  batch_id: nullable(Type.String()),
  batch_index: Type.Integer(),
  outputs: Type.Array(StoredOutput),
  error: nullable(JobError),
  provider: Type.String({ description: "whose account it uses now" }),
  model_key: Type.Optional(Type.String()),
  waiting_for: nullable(WaitingFor),
});
export type JobView = Static<typeof JobView>;

export const jobView = (value: StateValue, context: JobContext): JobView => {
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
