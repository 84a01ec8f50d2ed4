import type { CancelOutcome } from "../../ports.ts";
import type { Called } from "../call.ts";

/**
 * Reads the answer of a cancel: `OK` (taken out of the queue), `CANCELLATION_REQUESTED` (a running app was told, and
 * may not care), `ALREADY_COMPLETED`, `NOT_FOUND`. The word counts, not the code, for which fal's pages differ.
 *
 * What was only requested is not known to be canceled. Asked again it says how it went: `ALREADY_COMPLETED` once the
 * app has stopped, and then the status tells whether that was because of the cancel.
 */
export const cancelIn = (called: Called): CancelOutcome => {
  if (called.kind !== "answer") return { kind: "unknown", reason: called.reason };
  const { status, body } = called;
  const word = (body as { status?: unknown } | null)?.status;
  if (word === "OK") return { kind: "canceled" };
  // With `NOT_FOUND` nothing is there that could go on: the check that follows sees it gone.
  if (word === "ALREADY_COMPLETED" || word === "NOT_FOUND") return { kind: "already_finished" };
  if (word === "CANCELLATION_REQUESTED" || (status >= 200 && status < 300)) {
    return { kind: "unknown", reason: "requested, not confirmed" };
  }
  if ((status === 400 || status === 404) && body !== null) return { kind: "already_finished" };
  return status === 405 ? { kind: "refused" } : { kind: "unknown", reason: `HTTP ${status}` };
};
