import type { CheckOutcome, Cost } from "../../ports.ts";
import type { Called } from "../call.ts";
import { type Complaint, complaintIn, isLocked } from "./complaint.ts";
import { failed } from "./failure.ts";
import { outputsIn } from "./outputs.ts";

/** In the unit that the model is priced in, which only fal's price list names. */
const costIn = (headers: Headers): Cost | undefined => {
  const units = headers.get("x-fal-billable-units")?.trim();
  const amount = Number(units);
  return units && Number.isFinite(amount) && amount >= 0 ? { amount, unit: "billable_units" } : undefined;
};

const succeeded = (headers: Headers, body: unknown): CheckOutcome => {
  const { outputs, censored } = outputsIn(body);
  if (outputs.length === 0 && censored) return { kind: "moderated" };
  const cost = costIn(headers);
  return { kind: "completed", outputs, ...(cost ? { cost } : {}) };
};

/**
 * Reads the answer of a result call, which replays what the model answered: its status code, headers and body. The
 * trouble of the way here is not the model's, and must not end what is paid for. `error` is what the status said.
 */
export const resultIn = (called: Called, error: Complaint | null): CheckOutcome => {
  if (called.kind !== "answer") return { kind: "unknown", reason: called.reason };
  const { status, headers, body } = called;
  const complaint = complaintIn(headers, body);
  const unclear = (): CheckOutcome => ({ kind: "unknown", reason: `HTTP ${status} for the result` });

  if (status === 202 || /still in progress/i.test(complaint.message ?? "")) return { kind: "running" };
  if (body === null) return unclear();
  if (status >= 200 && status < 300) {
    const done = succeeded(headers, body);
    // What was made is paid for, whatever the status said.
    const isEmpty = done.kind === "completed" && done.outputs.length === 0;
    return error && isEmpty ? failed({ complaint: error }) : done;
  }
  if (complaint.structured) return failed({ complaint, status, headers });
  if (status === 404 || status === 410) return error ? failed({ complaint: error }) : { kind: "gone" };
  // Our key, our rate, or a gateway: another look may see the result.
  if ([401, 408, 429, 502, 503, 504].includes(status) || status < 400 || isLocked(complaint)) return unclear();
  return failed({ complaint: complaint.message ? complaint : (error ?? complaint), status, headers });
};
