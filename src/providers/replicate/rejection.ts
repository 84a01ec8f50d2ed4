import type { SubmitOutcome } from "../../ports.ts";
import type { Answer } from "../call.ts";
import { retryAfterMs } from "../../net/retry-after.ts";
import { isModeration, tidy } from "./outcome.ts";
import { fieldsOf } from "./prediction.ts";

const MINUTE_MS = 60_000;
const DEFAULT_WAIT_MS = 5_000;

const refused = (code: string, message: string): SubmitOutcome => ({
  kind: "rejected",
  retryable: false,
  code,
  message: message || "Replicate refused this and did not say why",
});

/**
 * When to try again. The wait is in the body (`retry_after`), perhaps in a header, and always in words. An account
 * with little credit may create a few predictions a minute only, one at a time: never sooner than its share then.
 */
const throttled = ({ headers, body }: Answer, detail: string, now: number): SubmitOutcome => {
  const [, words] = /resets? in ~?(\d+(?:\.\d+)?)\s*s/i.exec(detail) ?? [];
  const asked = retryAfterMs(headers, body, now) ?? (words === undefined ? DEFAULT_WAIT_MS : Number(words) * 1000);
  const [, perMinute] = /reduced to (\d+) requests? per minute/i.exec(detail) ?? [];
  const share = perMinute === undefined ? 0 : MINUTE_MS / Math.max(1, Number(perMinute));
  const code = perMinute === undefined ? "rate_limited" : "low_credit";
  return { kind: "rejected", retryable: true, code, afterMs: Math.ceil(Math.max(asked, share)) };
};

/**
 * What an answer to a create call that is not a prediction means. Errors are `{title?, detail, status}`; only the
 * HTTP status is certain to be there. Whatever may have created a prediction is ambiguous.
 */
export const rejectionOf = (answer: Answer, now: number): SubmitOutcome => {
  const { status, body } = answer;
  const { title, detail } = fieldsOf(body) ?? {};
  const text = tidy([title, detail].filter((part) => typeof part === "string").join(": "));
  if (status === 429) return throttled(answer, text, now);
  if (status === 401 || status === 403) return refused("unauthorized", "Replicate refused the credentials");
  if (status === 402) return refused("out_of_credit", "The Replicate account is out of credit");
  if (status === 404) return refused("model_unavailable", text);
  if (status === 422 && /invalid version|not permitted/i.test(text)) return refused("model_unavailable", text);
  if (status === 422 && isModeration(text)) return refused("moderated", text);
  if (status >= 400 && status < 500 && status !== 408) return refused("invalid_request", text);
  return { kind: "ambiguous", reason: `HTTP ${status} without a prediction` };
};
