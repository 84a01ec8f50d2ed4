import { cors } from "@elysiajs/cors";
import { isLoopback } from "../config.ts";
import { hostOf } from "./hosts.ts";

const parse = (origin: string): URL | null => {
  try {
    return new URL(origin);
  } catch {
    return null;
  }
};

const entriesOf = (origins: string): string[] =>
  origins
    .split(",")
    .map((entry) => entry.trim().replace(/\/$/, ""))
    .filter((entry) => entry !== "");

/** Whose pages there are: our own origin and the entries of `CORS_ORIGINS`. */
export const pageOrigins = (config: { PUBLIC_URL: string; CORS_ORIGINS: string }): string[] => [
  ...new Set([new URL(config.PUBLIC_URL).origin, ...entriesOf(config.CORS_ORIGINS)]),
];

/**
 * Who may call from a browser. `shared` are the origins of `CORS_ORIGINS` (`localhost` = any loopback
 * origin, `*` = all), told to browsers by CORS. `trusted` adds our own pages and callers that are no
 * browsers; it decides on writes and on WebSocket upgrades, which CORS does not protect.
 */
export const createOrigins = (config: { PUBLIC_URL: string; CORS_ORIGINS: string }) => {
  const listed = new Set(entriesOf(config.CORS_ORIGINS));
  const own = new URL(config.PUBLIC_URL).origin;
  const allowed = (origin: string): boolean => {
    if (listed.has(origin) || listed.has("*")) return true;
    return listed.has("localhost") && isLoopback(parse(origin)?.hostname ?? "");
  };
  const shared = (request: Request): boolean => allowed(request.headers.get("origin") ?? "");
  const trusted = (request: Request): boolean => {
    const origin = request.headers.get("origin");
    if (!origin || origin === own || shared(request)) return true;
    const host = parse(origin)?.host;
    return host !== undefined && host === hostOf(request)?.host;
  };
  return { allowed, shared, trusted };
};

export type Origins = ReturnType<typeof createOrigins>;

/** Answers preflights and adds the CORS headers. Tokens travel in a header, so cookies stay out. */
export const createCors = (origins: Origins) =>
  cors({
    origin: origins.shared,
    methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
    allowedHeaders: [
      "Authorization",
      "Content-Type",
      "Idempotency-Key",
      "If-None-Match",
      "Last-Event-ID",
      "Prefer",
      "Traceparent",
      "X-Request-Id",
    ],
    exposeHeaders: ["ETag", "Location", "Retry-After", "Idempotency-Replayed", "Preference-Applied", "X-Request-Id"],
    credentials: false,
    maxAge: 600,
  });
