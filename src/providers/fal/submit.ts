import type { SubmitOutcome } from "../../ports.ts";
import type { Called } from "../call.ts";
import { retryAfterMs } from "../../net/retry-after.ts";
import { complaintIn, isLocked, isModerated } from "./complaint.ts";
import { refInUrl, refOf } from "./ref.ts";

const BUSY_MS = 5_000;
const NOT_SENT_MS = 1_000;

const CODES: Record<number, string> = {
  401: "unauthorized",
  402: "out_of_credit",
  403: "unauthorized",
  404: "model_unavailable",
  405: "model_unavailable",
};

const terminal = (code: string, message: string): SubmitOutcome => ({
  kind: "rejected",
  retryable: false,
  code,
  message,
});

/** `isOurs`: whether URLs on this host are the queue's. */
export type SubmitReading = { model: string; now: number; isOurs: (host: string) => boolean };

/**
 * Reads the answer of a submit. fal has no idempotency key and no way to look for a request, so what may have been
 * taken is ambiguous and stays so: a timeout, any 5xx, and a success without a readable request id.
 */
export const submitIn = (called: Called, { model, now, isOurs }: SubmitReading): SubmitOutcome => {
  if (called.kind === "not_sent") {
    return { kind: "rejected", retryable: true, code: "not_sent", afterMs: NOT_SENT_MS };
  }
  if (called.kind === "lost") return { kind: "ambiguous", reason: called.reason };
  const { status, headers, body } = called;
  if (status >= 200 && status < 300) {
    const {
      request_id: id,
      status_url: statusUrl,
      response_url: responseUrl,
    } = (body ?? {}) as Record<string, unknown>;
    const ref =
      typeof id === "string"
        ? (refInUrl(statusUrl, id, isOurs) ?? refInUrl(responseUrl, id, isOurs) ?? refOf(model, id))
        : null;
    return ref ? { kind: "accepted", ref } : { kind: "ambiguous", reason: `HTTP ${status} without a request id` };
  }
  const complaint = complaintIn(headers, body);
  const message = complaint.message ?? `The provider answered HTTP ${status}`;
  if (status === 504 && headers.get("x-fal-request-timeout-type") === "user") {
    return terminal("start_timeout", message);
  }
  if (status >= 500 || status === 408 || status < 200) return { kind: "ambiguous", reason: `HTTP ${status}` };
  if (status === 429) {
    const code = /queue/i.test(complaint.message ?? "") ? "queue_full" : "rate_limited";
    return { kind: "rejected", retryable: true, code, afterMs: retryAfterMs(headers, body, now) ?? BUSY_MS };
  }
  if (isModerated(complaint)) return terminal("moderated", message);
  if (isLocked(complaint)) return terminal("out_of_credit", "The fal account has no balance left");
  return terminal(CODES[status] ?? (status < 400 ? "misconfigured" : "invalid_request"), message);
};
