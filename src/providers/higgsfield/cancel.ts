import type { CancelOutcome, CheckOutcome } from "../../ports.ts";
import type { Called } from "../call.ts";

/** What a status says about a cancel that was asked for before. `granted`: the provider had said yes. */
const judged = (now: CheckOutcome, granted: boolean): CancelOutcome => {
  switch (now.kind) {
    case "canceled":
      return { kind: "canceled" };
    case "completed":
    case "failed":
    case "moderated":
      return { kind: "already_finished" };
    case "running":
      return { kind: "refused" };
    case "queued":
      return { kind: granted ? "canceled" : "refused" };
    case "gone":
    case "unknown":
      return granted ? { kind: "canceled" } : { kind: "unknown", reason: "the status after the cancel is not known" };
  }
};

/**
 * Only what is queued can be canceled: 202 without a body, else 400, which does not say whether it runs or is over.
 * So the status decides either way; a 202 may have been overtaken, too.
 */
export const cancelIn = async (called: Called, check: () => Promise<CheckOutcome>): Promise<CancelOutcome> => {
  if (called.kind !== "answer") return { kind: "unknown", reason: called.reason };
  const { status } = called;
  if (status >= 200 && status < 300) return judged(await check(), true);
  if (status === 400 || status === 409) return judged(await check(), false);
  return { kind: "unknown", reason: `HTTP ${status}` };
};
