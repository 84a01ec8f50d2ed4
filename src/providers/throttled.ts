import type { CheckOutcome } from "../ports.ts";
import type { Answer } from "./call.ts";
import { retryAfterMs } from "../net/retry-after.ts";

const USUAL_MS = 5_000;

/** A status call that was answered with 429: nothing is known of the generation, and the account asks for peace. */
export const throttledBy = ({ status, headers, body }: Answer, now = Date.now()): CheckOutcome => ({
  kind: "unknown",
  reason: `HTTP ${status}`,
  throttledMs: Math.max(1, retryAfterMs(headers, body, now) ?? USUAL_MS),
});
