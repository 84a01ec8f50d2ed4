/** What fal answers about a request, by how it ended. */
import type { Reply } from "./kit.ts";
import type { Ending } from "./kit-runs.ts";

/** The platform's errors and their HTTP status. */
const PLATFORM: Record<string, number> = {
  request_timeout: 504,
  startup_timeout: 504,
  runner_scheduling_failure: 503,
  runner_connection_timeout: 503,
  runner_disconnected: 503,
  runner_connection_refused: 503,
  runner_connection_error: 503,
  runner_incomplete_response: 502,
  runner_server_error: 500,
  client_disconnected: 499,
  client_cancelled: 499,
  bad_request: 400,
  internal_error: 500,
};

/** The models' errors that are no 422. */
const MODEL: Record<string, number> = {
  internal_server_error: 500,
  downstream_service_unavailable: 500,
  generation_timeout: 504,
  downstream_service_error: 400,
};

const detail = (type: string, msg: string, field: string[] = []) => ({
  detail: [{ loc: ["body", ...field], msg, type, url: `https://docs.fal.ai/errors#${type}`, ctx: {}, input: null }],
});

const platformError = (type: string, message: string, ours = false): Reply => ({
  status: PLATFORM[type] ?? 500,
  headers: { "x-fal-error-type": type, ...(ours ? { "x-fal-request-timeout-type": "user" } : {}) },
  json: { detail: message, error_type: type },
});

const modelError = (type: string, message: string): Reply => ({
  status: MODEL[type] ?? 422,
  headers: { "x-fal-retryable": String((MODEL[type] ?? 422) >= 500) },
  json: detail(type, message, type === "missing" ? ["prompt"] : []),
});

/** The error that a status shows; null when only the result tells. */
export const statusErrorOf = (ending: Ending): { error: string; error_type: string } | null => {
  if (ending.kind === "canceled") return { error: "Request was cancelled", error_type: "client_cancelled" };
  if (ending.kind !== "failed" || PLATFORM[ending.code ?? ""] === undefined) return null;
  return { error: ending.message ?? "Request failed", error_type: ending.code ?? "" };
};

const refusal = (status: number, text: string): Reply => ({ status, json: { detail: text } });

export const UNAUTHORIZED = refusal(401, "Cannot access application. Authentication is required.");
/** No credit is left. Comes before all validation, and for uploads too. */
export const LOCKED = refusal(
  403,
  "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.",
);
export const NOT_ALLOWED = refusal(405, "Method Not Allowed");
export const GONE = refusal(404, "Request not found");

/**
 * What the result call replays. `body`: of a success. `startTimeout`: the request's own time to start ran out.
 * A failure without a code is the kind that only a bare 500 tells of.
 */
export const resultOf = (ending: Ending, body: unknown, startTimeout: boolean): Reply => {
  switch (ending.kind) {
    case "completed":
      return { headers: { "x-fal-billable-units": "1.5" }, json: body };
    case "moderated":
      return modelError("content_policy_violation", ending.message ?? "The content could not be processed");
    case "canceled":
      return platformError("client_cancelled", "Request was cancelled");
    case "expired":
      return GONE;
    default: {
      const { code, message = "The model failed" } = ending;
      if (code === undefined) return { status: 500, json: { detail: message } };
      return PLATFORM[code] === undefined ? modelError(code, message) : platformError(code, message, startTimeout);
    }
  }
};
