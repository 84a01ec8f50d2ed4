/**
 * What follows from a failure, by its code: the one table of retries.
 *
 *   retry   the same job again after a backoff, as often as the policy allows
 *   fail    the job ends
 *   wait    the job is not to blame: it goes back into the queue and keeps its tries; its account pauses
 *
 * A code that is not here is retried exactly when whoever gave it says `retryable`. Only rejections and confirmed
 * failures get here: a submit whose outcome is not known is never submitted again, whatever its code.
 */
import type { JobError } from "./job.words.ts";
import type { Policy } from "./policy.ts";

/** Why an account lets nothing through: codes of the table that make it pause, and an open breaker. */
export type PauseReason =
  | "rate_limited"
  | "queue_full"
  | "low_credit"
  | "unreachable"
  | "out_of_credit"
  | "unauthorized"
  | "forbidden"
  | "breaker_open";

/** `ms` doubles up to `most_ms` each time that the account's probe says the same. `pace_ms`: then one start per so much. */
export type Pause = { reason: PauseReason; ms: number; most_ms: number; pace_ms: number | null };

/**
 * How an account pauses:
 *   asked   as long as the provider says
 *   paced   the same, and from then on one start per that time
 *   long    until somebody has paid or has put the credentials right, as far as one probe now and then can tell
 */
type Length = "asked" | "paced" | "long";
type Rule = { verdict: "retry" | "fail" | "wait"; pause?: Length; elsewhere?: true };

const RULES: Readonly<Record<string, Rule>> = {
  rate_limited: { verdict: "wait", pause: "asked", elsewhere: true },
  queue_full: { verdict: "wait", pause: "asked", elsewhere: true },
  low_credit: { verdict: "wait", pause: "paced", elsewhere: true },
  unreachable: { verdict: "wait", pause: "asked", elsewhere: true },
  out_of_credit: { verdict: "wait", pause: "long", elsewhere: true },
  unauthorized: { verdict: "wait", pause: "long", elsewhere: true },
  forbidden: { verdict: "wait", pause: "long", elsewhere: true },

  // Ours: the submit came up too late and did not leave the house.
  not_sent: { verdict: "retry" },
  model_blocked: { verdict: "retry", elsewhere: true },

  // The model is not there, which another provider's may be.
  model_unavailable: { verdict: "fail", elsewhere: true },
  moderated: { verdict: "fail" },
  invalid_request: { verdict: "fail" },
  misconfigured: { verdict: "fail" },
  submit_unknown: { verdict: "fail" },
  canceled_upstream: { verdict: "fail" },
  gone: { verdict: "fail" },
  no_output: { verdict: "fail" },
};

/** A pause that was asked for grows to this when it does not help. */
const ASKED_MOST_MS = 60_000;

/** What a failure leads to. */
export const verdictOn = (error: Pick<JobError, "code" | "retryable">): Rule["verdict"] =>
  (Object.hasOwn(RULES, error.code) && RULES[error.code]?.verdict) || (error.retryable ? "retry" : "fail");

/** Whether another provider may do better, once this one has had its tries. */
export const mayTryElsewhere = (error: Pick<JobError, "code" | "retryable">): boolean =>
  Object.hasOwn(RULES, error.code) ? RULES[error.code]?.elsewhere === true : error.retryable;

/** The pause of the account that a rejection means; null when it says nothing about the account. */
export const pauseFor = (code: string, afterMs: number, policy: Pick<Policy, "pause">): Pause | null => {
  const length = Object.hasOwn(RULES, code) ? RULES[code]?.pause : undefined;
  if (length === undefined) return null;
  const reason = code as PauseReason;
  if (length === "long") return { reason, ms: policy.pause.minMs, most_ms: policy.pause.maxMs, pace_ms: null };
  const ms = Math.max(1, Math.round(afterMs));
  return { reason, ms, most_ms: Math.max(ms, ASKED_MOST_MS), pace_ms: length === "paced" ? ms : null };
};
