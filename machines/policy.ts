import type { Backoff } from "./backoff.ts";

/** Times (ms) and bounds that the machines live by. Taken from the settings once, at boot. */
export type Policy = {
  poll: Backoff;
  /** Polls of a job whose provider calls us: for the calls that do not come. */
  safetyNet: Backoff;
  startTimeoutMs: number;
  /** An effect not sent this long after its commit is never sent. */
  notAfterMs: number;
  submitTimeoutMs: number;
  pollTimeoutMs: number;
  cancelTimeoutMs: number;
  ingestTimeoutMs: number;
  /** Automatic retries of one job after its first attempt. */
  retryLimit: number;
  /** How long an account pauses that is out of credit or locked: from, doubling, to. */
  pause: { minMs: number; maxMs: number };
  /** A pause of at least this makes a job move to another provider, where it may. */
  failoverAfterMs: number;
  uploadTtlMs: number;
  verifyTimeoutMs: number;
  /** Waits between the tries of one delivery, and how many there are. */
  delivery: Backoff;
  deliveryRetries: number;
  deliverTimeoutMs: number;
};

/** Added to every effect's hard limit to get its state's watchdog: the answer always comes first. */
export const WATCHDOG_MARGIN_MS = 2_000;

export const RETRY: Backoff = {
  minMs: 1_000,
  maxMs: 60_000,
  factor: 3,
  jitter: 0.2,
};
export const LOOK: Backoff = {
  minMs: 1_000,
  maxMs: 30_000,
  factor: 2,
  jitter: 0.2,
};
/** Nudges coalesce: polls of one job are never closer than this. */
export const NUDGE_GAP_MS = 1_000;
/** Refused by the storage or the provider this often, an ingest is given up; an interruption does not count. */
export const INGEST_TRIES = 5;
/** An ingest is given up after this long in any case: by then the provider has dropped the outputs. */
export const INGEST_LIMIT_MS = 3_600_000;
export const CANCEL_TRIES = 4;
/** From the first time on that a cancel is told that it has finished. */
export const FINISH_TRIES = 2 * CANCEL_TRIES;

/** So long after an upload URL's end what was sent to it in time has arrived, or never will. */
export const LATE_UPLOAD_MS = 3_600_000;
/** Verifications that come to nothing, after which it waits to be told again: about nine minutes of pauses. */
export const VERIFY_TRIES = 12;
/** What a removal is repeated with while the storage is away; given up after about a day and a half. */
export const SWEEP: Backoff = { minMs: 60_000, maxMs: 21_600_000, factor: 4, jitter: 0.2 };
export const SWEEP_TRIES = 10;

export const defaultPolicy: Policy = {
  poll: { minMs: 1_000, maxMs: 30_000, factor: 2, jitter: 0.2 },
  safetyNet: { minMs: 15_000, maxMs: 60_000, factor: 2, jitter: 0.2 },
  startTimeoutMs: 3_600_000,
  notAfterMs: 5_000,
  submitTimeoutMs: 10_000,
  pollTimeoutMs: 5_000,
  cancelTimeoutMs: 5_000,
  ingestTimeoutMs: 120_000,
  retryLimit: 2,
  pause: { minMs: 30_000, maxMs: 600_000 },
  failoverAfterMs: 30_000,
  uploadTtlMs: 900_000,
  verifyTimeoutMs: 60_000,
  delivery: { minMs: 5_000, maxMs: 8 * 3_600_000, factor: 4, jitter: 0.2 },
  deliveryRetries: 9,
  deliverTimeoutMs: 10_000,
};
