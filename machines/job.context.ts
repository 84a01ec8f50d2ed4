import type {
  Alternative,
  CancelState,
  JobError,
  JobInput,
  Polled,
  RemoteOutput,
  StoredOutput,
  WaitingFor,
} from "./job.words.ts";
import type { Policy } from "./policy.ts";
import type { Stamp } from "./stamp.ts";

/** What a job remembers. Instants are ms since the epoch; the prompt and parameters live in the job's row. */
export type JobContext = {
  account: string;
  /** Key of the model that makes it; "" for the one of the job's row. */
  model: string;
  /** Where it may still move to, the best first. */
  alternatives: Alternative[];
  /** Where it moves to; between the two queues it is in neither. */
  next: Alternative | null;
  batch: string | null;
  index: number;
  timeoutMs: number;
  /** The provider calls us: polls are only the safety net. */
  webhook: boolean;
  createdAt: number;
  /** Limit of waiting in `queued`. */
  startBy: number;
  attempts: number;
  /** Attempts at the providers before this one: each has the tries that the policy allows. */
  attemptsBefore: number;
  /** Id of the current attempt: the provider's idempotency key. */
  attempt: string | null;
  submittedAt: number;
  startedAt: number | null;
  /** Limit of the current attempt. */
  timeoutAt: number | null;
  finishedAt: number | null;
  ref: string | null;
  /** Number of the latest poll, over all attempts; a `polled` of another number is stale. */
  polls: number;
  /** Polls of earlier attempts: the backoff starts anew with each. */
  pollsBefore: number;
  polledAt: number;
  /** The provider was last known to be still at it; the submit, before any poll said so. */
  goingAt: number;
  /** Instants of this attempt's polls, ms since the submit, by its model's history; empty: exponential backoff. */
  schedule: number[];
  pollAt: number | null;
  /** A nudge came when no poll could follow at once: the next comes soon. */
  nudged: boolean;
  /** The poll that is planned, or the latest one, was brought forward by a nudge. */
  prompted: boolean;
  /** End of the current wait in `settling`, `resting` and the two `pausing` states. */
  until: number;
  /** Limit of storing the outputs. */
  ingestBy: number;
  /** Tries in the current state: looks, cancels, failed ingests. */
  tries: number;
  phase: "queued" | "running";
  position: number | null;
  progress: number | null;
  /** Progress as of the latest fact. */
  told: number;
  cancel: CancelState | null;
  /** The deadline has passed: the next answer is the last. */
  expired: boolean;
  remote: RemoteOutput[];
  outputs: StoredOutput[];
  error: JobError | null;
  /** What the provider last said of the whole account instead of taking this. */
  waitingFor: WaitingFor | null;
};

/** The context factory; `input` is undefined when XState only builds a scope, so it must not throw. */
export const jobContext = (policy: Policy, input: (JobInput & Stamp) | undefined): JobContext => ({
  account: input?.account ?? "",
  model: input?.model ?? "",
  alternatives: input?.alternatives ?? [],
  next: null,
  batch: input?.batch ?? null,
  index: input?.index ?? 0,
  timeoutMs: input?.timeoutMs ?? 0,
  webhook: input?.webhook ?? false,
  createdAt: input?.at ?? 0,
  startBy: (input?.at ?? 0) + policy.startTimeoutMs,
  attempts: 0,
  attemptsBefore: 0,
  attempt: null,
  submittedAt: 0,
  startedAt: null,
  timeoutAt: null,
  finishedAt: null,
  ref: null,
  polls: 0,
  pollsBefore: 0,
  polledAt: 0,
  goingAt: 0,
  schedule: [],
  pollAt: null,
  nudged: false,
  prompted: false,
  until: 0,
  ingestBy: 0,
  tries: 0,
  phase: "queued",
  position: null,
  progress: null,
  told: 0,
  cancel: null,
  expired: false,
  remote: [],
  outputs: [],
  error: null,
  waitingFor: null,
});

export const jobError = (code: string, message: string, retryable: boolean): JobError => ({ code, message, retryable });

/** The error that an upstream outcome amounts to. */
export const upstreamError = (outcome: Polled): JobError => {
  switch (outcome.kind) {
    case "failed":
      return jobError(outcome.code, outcome.message, outcome.retryable);
    case "moderated":
      return jobError("moderated", "The provider's moderation refused this", false);
    case "canceled":
      return jobError("canceled_upstream", "The provider canceled this", false);
    case "gone":
      return jobError("gone", "The provider no longer knows this generation", false);
    default:
      return jobError("no_output", "The provider finished without an output", false);
  }
};
