import type { Log } from "../../log.ts";
import type { CheckOutcome } from "../../ports.ts";
import type { Called } from "../call.ts";
import { throttledBy } from "../throttled.ts";
import { type Complaint, complaintIn } from "./complaint.ts";
import { failed } from "./failure.ts";
import { logsIn, progressIn } from "./logs.ts";

/** `finished`: the queue is done with it, and the result says how it went. `error`: what the status said already. */
export type Status = CheckOutcome | { kind: "finished"; error: Complaint | null };

/** Errors of the platform: there is no result that could say more. */
const PLATFORM = /^(runner_|startup_|client_|request_timeout$|internal_error$)/;

type Body = { status?: unknown; queue_position?: unknown; logs?: unknown; error?: unknown; error_type?: unknown };

const finished = (body: Body): Status => {
  if (body.error == null && body.error_type == null) return { kind: "finished", error: null };
  const error = complaintIn(new Headers(), body);
  return PLATFORM.test(error.type ?? "") ? failed({ complaint: error }) : { kind: "finished", error };
};

/** Reads the answer of a status call. Nothing but a 404 of the API itself ends a generation here. */
export const statusIn = (called: Called, log: Log): Status => {
  if (called.kind !== "answer") return { kind: "unknown", reason: called.reason };
  const { status, body, headers } = called;
  const said = (body ?? {}) as Body;
  if ((status === 404 || status === 410) && body !== null) return { kind: "gone" };
  if (status === 429) return throttledBy(called);
  if (status < 200 || status > 299 || typeof said.status !== "string") {
    const { message } = complaintIn(headers, body);
    return { kind: "unknown", reason: `HTTP ${status}${message ? `: ${message}` : ""}` };
  }
  switch (said.status) {
    case "IN_QUEUE": {
      const position = said.queue_position;
      return typeof position === "number" && position >= 0 ? { kind: "queued", position } : { kind: "queued" };
    }
    case "COMPLETED":
      return finished(said);
    default: {
      // A word that we do not know must not end what is paid for: the job's own deadline does.
      if (said.status !== "IN_PROGRESS") log.warn({ status: said.status, provider: "fal" }, "unknown provider status");
      const progress = progressIn(said.logs);
      const logs = logsIn(said.logs);
      return { kind: "running", ...(progress === null ? {} : { progress }), ...(logs === null ? {} : { logs }) };
    }
  }
};
