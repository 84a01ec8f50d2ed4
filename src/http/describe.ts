import type { DocumentDecoration } from "elysia";
import type { ErrorCode } from "../errors.ts";

/** What a route says of itself beyond its schemas; `openapi.ts` turns the `x-` fields into OpenAPI. */
export type Description = {
  tag: string;
  summary: string;
  description?: string;
  /** Codes beyond those that follow from the route: 401, a bad id, body or query, 500 and 503. */
  problems?: ErrorCode[];
  /** The route needs `Idempotency-Key` and answers `Idempotency-Replayed`. */
  idempotent?: boolean;
  /** The route takes `Prefer: wait=N` and answers `Preference-Applied`. */
  waits?: boolean;
  /** An example of the request body. */
  example?: unknown;
  /** By status: what it means, an example of the body, and headers with their meaning. */
  answers?: Record<number, { description?: string; example?: unknown; headers?: Record<string, string> }>;
};

/** Of a route that `waits`: what it answers then. */
export const ENDED_IN_TIME: NonNullable<Description["answers"]> = {
  200: {
    description: "With `Prefer: wait=N`: it has ended, and this is the whole of it",
    headers: { "Preference-Applied": "the wait that was granted", Location: "where it is" },
  },
};

/** What `openapi.ts` reads back; a stream's `events` are frames as on the wire. */
export type Extension = Omit<Description, "tag" | "summary" | "description"> & { events?: string[] };
export type Detail = DocumentDecoration & { "x-darkroom": Extension };

/** The `detail` of a route. */
export const describe = ({ tag, summary, description, ...rest }: Description & { events?: string[] }): Detail => ({
  tags: [tag],
  summary,
  ...(description === undefined ? {} : { description }),
  "x-darkroom": rest,
});

/** The `detail` of a route that answers with server-sent events, shown by frames as on the wire. */
export const describeStream = (route: Omit<Description, "answers"> & { events: string[] }): Detail => describe(route);

/** A WebSocket, which Elysia does not know of. Where `path` has a GET, it is described beside that. */
export type SocketDescription = { path: string; tag: string; summary: string; description: string };
