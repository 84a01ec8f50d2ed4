/** The governor's functions of `sql/migrations`, over rows in memory: what an account lets through. Instants are ms. */
import type { AccountRow } from "./tables.ts";

export type PauseOrder = { reason: string; ms: number; most_ms: number; pace_ms: number | null };

const bucketSize = (rate: number) => Math.max(1, rate / 10);
/** Tokens a second. */
const bucketRefill = (rate: number) => Math.max(rate - bucketSize(rate), rate / 2) / 60;
const bucketTokens = (rate: number, tokens: number, since: number, at: number) =>
  Math.min(bucketSize(rate), tokens + (Math.max(0, at - since) / 1000) * bucketRefill(rate));
/** As PostgreSQL keeps an instant: to the microsecond. */
export const toMicros = (ms: number) => Math.round(ms * 1000) / 1000;

export const createAccount = (id: string, at: number): AccountRow => ({
  id,
  slots: 0,
  in_use: 0,
  virtual_time: 0,
  submits_per_minute: null,
  submit_tokens: Number.POSITIVE_INFINITY,
  submits_at: at,
  checks_per_minute: null,
  check_tokens: Number.POSITIVE_INFINITY,
  checks_at: at,
  paused_reason: null,
  paused_at: null,
  paused_until: null,
  strikes: 0,
  probe: null,
  pace_ms: null,
  paced_until: null,
});

const submitTokens = ({ submits_per_minute: rate, submit_tokens, submits_at }: AccountRow, at: number) =>
  rate === null ? null : bucketTokens(rate, submit_tokens, submits_at, at);

/** How many submits an account lets through at this instant, its slots aside. */
export const grantOf = (account: AccountRow, at: number): number => {
  const { paused_reason, paused_until } = account;
  const open = paused_reason === null ? 1_000_000 : (paused_until ?? 0) <= at ? 1 : 0;
  return Math.min(open, Math.floor(submitTokens(account, at) ?? 1_000_000));
};

/** When one that lets nothing through will. */
export const opensAt = (account: AccountRow, at: number): number | null => {
  if (grantOf(account, at) > 0) return null;
  const tokens = submitTokens(account, at);
  const { submits_per_minute: rate, paused_until } = account;
  const refilled = tokens === null || rate === null ? [] : [toMicros(at + (1000 * (1 - tokens)) / bucketRefill(rate))];
  const instants = [...(paused_until === null ? [] : [paused_until]), ...refilled];
  return instants.length === 0 ? null : Math.max(...instants);
};

/** `starts` have begun, the first of them is `starter`. */
export const takeTokens = (account: AccountRow, starts: number, starter: string, at: number) => {
  const tokens = submitTokens(account, at);
  if (tokens !== null) account.submit_tokens = tokens - starts;
  account.submits_at = at;
  if (account.paused_reason === null) return;
  account.probe = starter;
  account.paused_until = at + 30_000;
};

/** Its probe was taken. At a pace, that only earns the next one. */
export const openAccount = (account: AccountRow, at: number) => {
  const paced = account.paced_until !== null && account.paced_until > at;
  if (paced) account.paused_until = toMicros(at + (account.pace_ms ?? 0));
  else Object.assign(account, { paused_reason: null, paused_at: null, paused_until: null });
  if (!paced) Object.assign(account, { pace_ms: null, paced_until: null });
  account.strikes = 0;
  account.probe = null;
};

export const pauseAccount = (account: AccountRow, order: PauseOrder, isProbe: boolean, at: number) => {
  const { reason, ms, most_ms, pace_ms } = order;
  const fresh = account.paused_reason === null || isProbe;
  const strikes = fresh ? account.strikes : Math.max(0, account.strikes - 1);
  const ends = toMicros(at + Math.max(ms, Math.min(most_ms, ms * 2 ** Math.min(20, strikes))));
  if (account.paused_until === null || isProbe || ends > account.paused_until) {
    account.paused_reason = reason;
    account.paused_until = ends;
  }
  account.paused_at ??= at;
  if (fresh) {
    account.strikes++;
    account.probe = null;
  }
  if (pace_ms === null) return;
  account.pace_ms = pace_ms;
  account.paced_until = at + 300_000;
};

/** Leases up to `wanted` status calls. */
export const leaseChecks = (account: AccountRow, wanted: number, now: number) => {
  const { checks_per_minute: rate, checks_at, check_tokens } = account;
  if (rate === null) return { granted: wanted, wait_ms: 0 };
  const at = Math.max(now, checks_at);
  const held = bucketTokens(rate, check_tokens, checks_at, at);
  const granted = checks_at > now ? 0 : Math.min(wanted, Math.floor(held));
  const missingMs = (1000 * Math.max(0, 1 - held)) / bucketRefill(rate);
  account.check_tokens = held - granted;
  account.checks_at = at;
  return { granted, wait_ms: granted > 0 ? 0 : Math.ceil(at - now + missingMs) };
};
