import type { CheckOutcome } from "../../ports.ts";
import type { Called } from "../call.ts";
import { throttledBy } from "../throttled.ts";
import { outputsIn } from "./outputs.ts";
import { complaintIn, type Fields, fieldsOf } from "./refusal.ts";

/** Words of a failure that another try may not see again. Failures are refunded, so that it costs only time. */
const PASSING = /time[d ]?-?\s?out|overload|unavailable|internal|capacity|try again|temporar/i;

/** How one generation failed, by what the provider says of it; often nothing. */
export const failureOf = (error: unknown): CheckOutcome => {
  const said = typeof error === "string" ? error : complaintIn({ detail: error });
  const message = said.replace(/\s+/g, " ").trim().slice(0, 300);
  return {
    kind: "failed",
    code: /time[d ]?-?\s?out/i.test(message) ? "model_timeout" : "generation_failed",
    message: message || "The provider did not say why",
    retryable: PASSING.test(message),
  };
};

/** An answer that tells nothing of the request, or that it is not known. Null when there is a body to read. */
export const unreadable = (called: Called): CheckOutcome | null => {
  if (called.kind !== "answer") return { kind: "unknown", reason: called.reason };
  const { status, body } = called;
  const fields = fieldsOf(body);
  // A page that says 404 comes from something in between.
  if ((status === 404 || status === 410) && fields) return { kind: "gone" };
  if (status === 429) return throttledBy(called);
  if (status < 200 || status >= 300 || !fields) return { kind: "unknown", reason: `HTTP ${status}` };
  return null;
};

const costIn = ({ cost }: Fields) =>
  // Seen once, beside a video; its unit is not documented, but credits are what is billed.
  typeof cost === "number" && cost >= 0 ? { cost: { amount: cost, unit: "credits" } } : {};

/** Reads a status answer. `unheardOf` is told of a status word that is not known; the request then counts as running. */
export const checkIn = (called: Called, unheardOf: (status: string) => void): CheckOutcome => {
  const nothing = unreadable(called);
  const fields = called.kind === "answer" ? fieldsOf(called.body) : null;
  if (nothing || !fields) return nothing ?? { kind: "unknown", reason: "no body" };
  switch (fields.status) {
    case "queued":
      return { kind: "queued" };
    case "in_progress":
      return { kind: "running" };
    case "completed":
      return { kind: "completed", outputs: outputsIn(fields), ...costIn(fields) };
    case "failed":
      return failureOf(fields.error);
    case "nsfw":
    case "ip_detected":
      return { kind: "moderated" };
    case "canceled":
    case "cancelled":
      return { kind: "canceled" };
    default:
      if (typeof fields.status !== "string") return { kind: "unknown", reason: "an answer without a status" };
      unheardOf(fields.status);
      return { kind: "running" };
  }
};
