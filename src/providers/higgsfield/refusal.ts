import type { SubmitOutcome } from "../../ports.ts";
import type { Answer, Called } from "../call.ts";
import { retryAfterMs } from "../../net/retry-after.ts";

const NOT_SENT_MS = 1_000;
const BUSY_MS = 5_000;
const BLOCKED_MS = 30_000;
const MAX_MESSAGE = 300;

export type Fields = Record<string, unknown>;

export const fieldsOf = (body: unknown): Fields | null =>
  typeof body === "object" && body !== null && !Array.isArray(body) ? (body as Fields) : null;

/** One entry of a validation list: `{loc: ["body", "prompt"], msg: "Field required"}`. */
const lineOf = (entry: unknown): string => {
  const { loc, msg } = fieldsOf(entry) ?? {};
  const where = Array.isArray(loc) ? loc.filter((part) => part !== "body").join(".") : "";
  return [where, typeof msg === "string" ? msg : ""].filter(Boolean).join(": ");
};

/** What the provider says is wrong, in one line; "" when it says nothing. */
export const complaintIn = (body: unknown): string => {
  const fields = fieldsOf(body);
  const said = fields?.detail ?? fields?.details ?? fields?.message ?? fields?.error;
  const nested = fieldsOf(said);
  const text =
    typeof said === "string"
      ? said
      : Array.isArray(said)
        ? said.map(lineOf).filter(Boolean).join("; ")
        : String(nested?.message ?? nested?.msg ?? nested?.code ?? "");
  return text.replace(/\s+/g, " ").trim().slice(0, MAX_MESSAGE);
};

/** The machine word of an error; it was seen at the top, and might be nested. */
const codeIn = (body: unknown): string => {
  const fields = fieldsOf(body);
  const code = fields?.code ?? fieldsOf(fields?.detail)?.code ?? fieldsOf(fields?.error)?.code;
  return typeof code === "string" ? code : "";
};

const rejected = (code: string, message: string): SubmitOutcome => ({
  kind: "rejected",
  retryable: false,
  code,
  message,
});
const busy = (code: string, afterMs: number): SubmitOutcome => ({ kind: "rejected", retryable: true, code, afterMs });

const CONCURRENCY = /concurren/i;
const MODERATION = /nsfw|moderat|content polic/i;
/** The wording is not known. Taking this for an ordinary refusal would forget a request that was billed. */
const KEY_REUSED = /idempoten|different (parameters|params|payload|body|request)|key .*(reuse|already|used)/i;

const refusalOf = (answer: Answer, now: number): SubmitOutcome => {
  const { status, headers, body } = answer;
  const complaint = complaintIn(body);
  const message = complaint || `The provider answered HTTP ${status}`;
  const wait = (otherwise: number) => retryAfterMs(headers, body, now) ?? otherwise;
  const isList = Array.isArray(fieldsOf(body)?.detail);
  switch (status) {
    case 400:
      if (CONCURRENCY.test(complaint)) return busy("rate_limited", wait(BUSY_MS));
      return rejected(!isList && MODERATION.test(complaint) ? "moderated" : "invalid_request", message);
    case 401:
      return rejected("unauthorized", "Higgsfield refused the credentials");
    case 402:
      return rejected("out_of_credit", "The Higgsfield account is out of credit");
    case 403:
      // A proxy's refusal is a page; the account's has a `detail`.
      return complaint
        ? rejected("out_of_credit", "The Higgsfield account is out of credit")
        : rejected("forbidden", "Something between here and Higgsfield refused the request (HTTP 403)");
    case 404:
    case 405:
      return rejected("model_unavailable", complaint || "Higgsfield does not offer this model to this account");
    case 409:
      return { kind: "ambiguous", reason: `HTTP 409 ${complaint}`.trim() };
    case 422:
      if (!isList && KEY_REUSED.test(`${codeIn(body)} ${complaint}`)) {
        return { kind: "ambiguous", reason: "this attempt was already submitted with other words" };
      }
      return rejected(!isList && MODERATION.test(complaint) ? "moderated" : "invalid_request", message);
    case 423:
      return busy("model_blocked", wait(BLOCKED_MS));
    case 429:
      return /queue_full/.test(`${codeIn(body)} ${complaint}`)
        ? busy("queue_full", wait(BUSY_MS))
        : busy("rate_limited", wait(BUSY_MS));
    default:
      return rejected(status < 400 ? "misconfigured" : "invalid_request", message);
  }
};

/**
 * Reads the answer of a submit; `refIn` finds the ref in the body of a success. Whatever may have been billed is
 * ambiguous: a lost answer, a timeout, any 5xx, and a success without a readable id.
 */
export const submitIn = (called: Called, now: number, refIn: (body: Fields) => string | null): SubmitOutcome => {
  if (called.kind === "not_sent") return busy("not_sent", NOT_SENT_MS);
  if (called.kind === "lost") return { kind: "ambiguous", reason: called.reason };
  const { status, body } = called;
  if (status >= 500 || status < 200 || status === 408) return { kind: "ambiguous", reason: `HTTP ${status}` };
  if (status >= 300) return refusalOf(called, now);
  const fields = fieldsOf(body);
  const ref = fields && refIn(fields);
  return ref ? { kind: "accepted", ref } : { kind: "ambiguous", reason: `HTTP ${status} without an id` };
};
