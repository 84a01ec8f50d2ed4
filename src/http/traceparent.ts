import { Buffer } from "node:buffer";
import { getRandomValues } from "node:crypto";

/** Version 00 of https://www.w3.org/TR/trace-context: trace, span of the caller, flags. Neither id is all zeros. */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

const hex = (bytes: number) => Buffer.from(getRandomValues(new Uint8Array(bytes))).toString("hex");

/**
 * The trace that a request belongs to: its `traceparent` as it came, since no spans are made here that would come
 * between; a new one, not sampled, when it has none or none that is well-formed.
 */
export const traceparentOf = (request: Request): string => {
  const given = request.headers.get("traceparent") ?? "";
  return TRACEPARENT.test(given) ? given : `00-${hex(16)}-${hex(8)}-00`;
};

/** The id of the trace alone, as logs and tracing backends show it. */
export const traceIdOf = (traceparent: string): string => TRACEPARENT.exec(traceparent)?.[1] ?? "";
