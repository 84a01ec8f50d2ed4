import { type FieldError, Problem } from "../errors.ts";

const MAX_DEPTH = 64;
const SLOWEST_UPLOAD_MS = 30_000;

/**
 * Reads a request's body, counting as it goes: a runtime may have no limit of its own, and a chunked body
 * declares no length. Throws `too_large`, or `bad_request` when it has not arrived within `ms`.
 */
export const readBody = async (request: Request, maxBytes: number, ms = SLOWEST_UPLOAD_MS): Promise<Uint8Array> => {
  if (!request.body) return new Uint8Array();
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    reader.cancel().catch(() => {});
  }, ms);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (late) throw new Problem("bad_request", "The body did not arrive in time");
      if (done) break;
      size += value.byteLength;
      if (size > maxBytes) {
        reader.cancel().catch(() => {});
        throw new Problem("too_large", `The limit is ${maxBytes} bytes`);
      }
      chunks.push(value);
    }
  } finally {
    clearTimeout(timer);
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
};

// PostgreSQL stores neither NUL nor a lone surrogate, and every walker of a body is recursive.
const flawOf = (value: unknown, depth: number): FieldError | undefined => {
  if (typeof value === "string") {
    if (value.includes("\0")) return { path: "", message: "Must not contain NUL characters" };
    return value.isWellFormed() ? undefined : { path: "", message: "Must be well-formed Unicode" };
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (depth >= MAX_DEPTH) return { path: "", message: `Must not be nested deeper than ${MAX_DEPTH}` };
  for (const [key, child] of Object.entries(value)) {
    const flaw = flawOf(key, depth) ?? flawOf(child, depth + 1);
    if (flaw) return { path: `/${pointer(key)}${flaw.path}`, message: flaw.message };
  }
  return undefined;
};

const pointer = (key: string) =>
  (key.includes("\0") ? key.replaceAll("\0", "") : key).toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1");

/** Parses JSON that can be stored. Throws `malformed_json`, or `validation_failed` for what cannot. */
export const parseJson = (bytes: Uint8Array): unknown => {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Problem("malformed_json");
  }
  const flaw = flawOf(value, 0);
  if (flaw) throw new Problem("validation_failed", "The body cannot be stored", { errors: [flaw] });
  return value;
};

/** Whether a content type, without its parameters, is JSON. A body without any is taken as JSON. */
export const isJson = (contentType: string): boolean =>
  /^(|application\/json|application\/[\w.-]+\+json)$/i.test(contentType.trim());
