import type { CheckOutcome } from "../../ports.ts";
import { type Complaint, isModerated } from "./complaint.ts";

/** fal's words for what went wrong → our code, and the HTTP status that fal gives it. */
const KNOWN: Record<string, readonly [code: string, status: number]> = {
  // The platform's.
  request_timeout: ["generation_timeout", 504],
  startup_timeout: ["provider_unavailable", 504],
  runner_scheduling_failure: ["provider_unavailable", 503],
  runner_connection_timeout: ["provider_unavailable", 503],
  runner_disconnected: ["provider_unavailable", 503],
  runner_connection_refused: ["provider_unavailable", 503],
  runner_connection_error: ["provider_unavailable", 503],
  runner_incomplete_response: ["provider_unavailable", 502],
  runner_server_error: ["generation_failed", 500],
  internal_error: ["provider_unavailable", 500],
  client_disconnected: ["canceled", 499],
  client_cancelled: ["canceled", 499],
  bad_request: ["invalid_request", 400],
  // The models'.
  internal_server_error: ["generation_failed", 500],
  generation_timeout: ["generation_timeout", 504],
  downstream_service_error: ["generation_failed", 400],
  downstream_service_unavailable: ["provider_unavailable", 500],
  no_media_generated: ["no_output", 422],
  image_load_error: ["input_unreadable", 422],
  file_download_error: ["input_unreadable", 422],
};

/** Ours, and not the provider's, was the time that ran out before a start. */
const isOurTimeout = (headers: Headers | undefined) => headers?.get("x-fal-request-timeout-type") === "user";

const isFalse = (value: string | null | undefined) => value != null && /^(0|false|no)$/i.test(value);

/**
 * Only what fal does not bill may be tried again by itself: it never charges for a 5xx, and may for a 422. A request
 * that did not start within the time that we gave it would not either at the second try.
 */
const isRetryable = (status: number | undefined, headers: Headers | undefined): boolean => {
  if (status === undefined || status < 500 || isOurTimeout(headers)) return false;
  if (Number(headers?.get("x-fal-billable-units") ?? 0) > 0) return false;
  return !isFalse(headers?.get("x-fal-retryable") ?? headers?.get("x-fal-needs-retry"));
};

/** What a failed request is known by: the HTTP answer of its result, or only what its status said. */
export type Failure = { complaint: Complaint; status?: number; headers?: Headers };

/** The end of a request that went wrong. */
export const failed = ({ complaint, status, headers }: Failure): CheckOutcome => {
  const [known, usual] = KNOWN[complaint.type ?? ""] ?? [];
  const http = status ?? usual;
  if (isModerated(complaint)) return { kind: "moderated" };
  if (http === 499 || known === "canceled") return { kind: "canceled" };
  const isRefusal = http !== undefined && http >= 400 && http < 500;
  const code = known ?? (isRefusal ? "invalid_request" : "generation_failed");
  return {
    kind: "failed",
    code: isOurTimeout(headers) ? "start_timeout" : code,
    message: complaint.message ?? "The generation failed at the provider",
    retryable: isRetryable(http, headers),
  };
};
