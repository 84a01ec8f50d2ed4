import { v7 } from "uuid";
import type { Principal } from "./principal.ts";
import { traceparentOf } from "./traceparent.ts";

/** What is known of one request while it is answered. */
export type Exchange = {
  /** The request id, in logs, problems and `X-Request-Id`. */
  readonly id: string;
  /** W3C trace context, the caller's or a new one: what the request causes carries it. */
  readonly traceparent: string;
  /** `performance.now()` at its arrival. */
  readonly startedAt: number;
  /** The route's pattern, once matched. */
  route?: string;
  principal?: Principal;
  /** The body's bytes as they came, for signatures over them. */
  rawBody?: Uint8Array;
};

export type Exchanges = ReturnType<typeof createExchanges>;

/** Keeps an exchange beside each request for as long as the request itself lives. */
export const createExchanges = () => {
  const known = new WeakMap<Request, Exchange>();
  const open = (request: Request, id: string): Exchange => {
    const exchange = { id, traceparent: traceparentOf(request), startedAt: performance.now() };
    known.set(request, exchange);
    return exchange;
  };
  return {
    open,
    /** The exchange of a request; a new one when it came past the edge, as in a slice's own test. */
    of: (request: Request): Exchange => known.get(request) ?? open(request, v7()),
  };
};
