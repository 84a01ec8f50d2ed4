import { ElysiaCustomStatusResponse, NotFoundError, ParseError, ValidationError } from "elysia";
import { isTransient } from "../db/sqlstate.ts";
import { type ErrorCode, errorCatalog, type FieldError, Problem } from "../errors.ts";

const MAX_FIELD_ERRORS = 20;

// Beside what db/sqlstate.ts knows: the network's other words, and a standby that lost its primary.
const AWAY = new Set(["EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "25006"]);
// Text that PostgreSQL cannot store: NUL, or a lone surrogate inside jsonb.
const UNSTORABLE_SQLSTATE = /^(22021|22P05)$/;

type Foreign = { code?: unknown; name?: unknown; syscall?: unknown; cause?: unknown };

const isAway = (error: Foreign): boolean => {
  if (error.code === "ENOENT") return error.syscall === "connect"; // a unix socket, not a file, is missing
  if (isTransient(error) || AWAY.has(String(error.code))) return true;
  return error.name === "TimeoutError" || error.name === "AbortError";
};

// TypeBox's own words, unless the schema has better ones in its `error` keyword.
const fieldErrors = (error: ValidationError): FieldError[] =>
  error.all.slice(0, MAX_FIELD_ERRORS).map((each) => {
    const { path, message, schema } = each as { path?: string; message?: string; schema?: { error?: unknown } };
    const own = typeof schema?.error === "string" ? schema.error : undefined;
    return { path: path ?? "", message: own ?? message ?? "Not valid" };
  });

const fromValidation = (error: ValidationError): Problem => {
  if (error.type === "response") return new Problem("internal");
  if (error.type === "params") return new Problem("not_found");
  const where = error.type === "property" ? "query" : error.type; // what Elysia's own coercion calls it
  return new Problem("validation_failed", `The ${where} is not valid`, { errors: fieldErrors(error) });
};

/**
 * Turns whatever was thrown into a problem that a client may see. Nothing of a foreign error's text
 * survives: it may hold SQL, paths or other people's data.
 */
export const classify = (error: unknown): Problem => {
  if (error instanceof Problem) return error;
  if (error instanceof ParseError) return error.cause instanceof Problem ? error.cause : new Problem("malformed_json");
  if (error instanceof ValidationError) return fromValidation(error);
  if (error instanceof NotFoundError) return new Problem("not_found");
  if (error instanceof ElysiaCustomStatusResponse)
    return new Problem((errorCatalog.find(({ status }) => status === error.code)?.code ?? "internal") as ErrorCode);
  for (let cause = error, depth = 0; typeof cause === "object" && cause !== null && depth < 4; depth++) {
    const foreign: Foreign = cause;
    if (foreign instanceof Problem) return foreign;
    if (isAway(foreign)) return new Problem("unavailable");
    if (UNSTORABLE_SQLSTATE.test(String(foreign.code)))
      return new Problem("validation_failed", "The text cannot be stored");
    cause = foreign.cause;
  }
  return new Problem("internal");
};

/** What the log keeps of an error. PostgreSQL's `detail` and `parameters` hold rows, so they stay out. */
export const loggable = (error: unknown): Record<string, unknown> => {
  if (error instanceof ValidationError) return { name: error.name, on: error.type, errors: fieldErrors(error) };
  if (!(error instanceof Error)) return { name: typeof error };
  const { code, cause } = error as Error & Foreign;
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === "string" ? { code } : {}),
    stack: error.stack,
    ...(cause instanceof Error ? { cause: cause.message } : {}),
  };
};
