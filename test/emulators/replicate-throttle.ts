import type { Reply } from "./kit.ts";

/** `plain`: the body in the docs, in words only. `low_credit`: as seen live, with the wait in the body. */
export type Throttle = { perMinute: number; burst: number; style: "plain" | "low_credit" };

const MINUTE_MS = 60_000;

/** A token bucket over create calls. Neither style sends a `Retry-After` header. */
export const createThrottle = ({ perMinute, burst, style }: Throttle, now: () => number) => {
  let tokens = burst;
  let filledAt = now();
  return (): Reply | null => {
    const at = now();
    tokens = Math.min(burst, tokens + (Math.max(0, at - filledAt) * perMinute) / MINUTE_MS);
    filledAt = at;
    if (tokens >= 1) {
      tokens -= 1;
      return null;
    }
    const seconds = Math.ceil(((1 - tokens) * MINUTE_MS) / perMinute / 1000);
    if (style === "plain") {
      return { status: 429, json: { detail: `Request was throttled. Your rate limit resets in ~${seconds}s.` } };
    }
    const detail =
      `Request was throttled. Your rate limit for creating predictions is reduced to ${perMinute} requests per minute ` +
      `with a burst of ${burst} requests while you have less than $5.0 in credit. Your rate limit resets in ~${seconds}s.`;
    return { status: 429, json: { detail, status: 429, retry_after: seconds } };
  };
};
