/**
 * The closed set of errors a client may see. Each has a stable `code`, an HTTP status and whether
 * the same request may succeed later; `http/problems.ts` renders them as RFC 9457 documents.
 */
const CODES = {
  bad_request: [400, false, "The request is malformed"],
  malformed_json: [400, false, "The body is not valid JSON"],
  unauthenticated: [401, false, "A valid access token is required"],
  invalid_credentials: [401, false, "The email or the password is wrong"],
  forbidden: [403, false, "This role may not do that"],
  host_not_allowed: [403, false, "This Host header is not allowed"],
  origin_not_allowed: [403, false, "This Origin is not allowed"],
  not_found: [404, false, "There is no such resource"],
  method_not_allowed: [405, false, "This method is not supported here"],
  conflict: [409, false, "The resource is not in a state that allows this"],
  too_large: [413, false, "The body is larger than the limit"],
  unsupported_media_type: [415, false, "This content type is not supported"],
  validation_failed: [422, false, "Some fields are not valid"],
  idempotency_key_reused: [422, false, "This Idempotency-Key was used with another body"],
  attachment_not_ready: [422, false, "An attachment was not uploaded or was refused"],
  too_many_connections: [429, true, "Too many connections are open"],
  too_many_uploads: [429, true, "Too many uploads are neither finished nor expired"],
  too_many_subscriptions: [429, true, "Too many streams are subscribed to on this connection"],
  too_many_requests: [429, true, "Too much is asked for at once"],
  internal: [500, true, "Something went wrong on our side"],
  unavailable: [503, true, "A dependency is away; try again shortly"],
  draining: [503, true, "This node is shutting down; try again"],
} as const;

export type ErrorCode = keyof typeof CODES;

/** One invalid field: JSON-pointer path and what is wrong with it. */
export type FieldError = { path: string; message: string };

/** An error meant for the client. Everything else thrown becomes `internal`, its text unseen. */
export class Problem extends Error {
  readonly status: number;
  readonly retryable: boolean;
  readonly title: string;
  constructor(
    readonly code: ErrorCode,
    readonly detail?: string,
    readonly extra: { errors?: FieldError[]; retryAfter?: number } = {},
  ) {
    const [status, retryable, title] = CODES[code];
    super(detail ?? title);
    this.name = "Problem";
    this.status = status;
    this.retryable = retryable;
    this.title = title;
  }
}

/** Every code with its status, for the API docs. */
export const errorCatalog = Object.entries(CODES).map(([code, [status, retryable, title]]) => ({
  code,
  status,
  retryable,
  title,
}));

/**
 * A failure that whoever threw it has classified: `code` is stable and becomes the job's, `retryable` says whether
 * another try may help. The message may be shown to people.
 */
export class Classified extends Error {
  constructor(
    readonly code: string,
    readonly retryable: boolean,
    message: string,
  ) {
    super(message);
    this.name = new.target.name;
  }
}
