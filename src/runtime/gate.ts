import { Problem } from "../errors.ts";
import type { Served } from "../streams/session.ts";
import { refuse } from "./refuse.ts";

/**
 * Stands between the listener and the app:
 *
 *   starting (503) ──open──▶ open ──drain──▶ draining (not ready; every answer is its connection's last)
 */
export type Gate = Served & {
  /** From now on `app` answers. */
  open(app: Served): void;
  /** Readiness fails, so that a load balancer looks elsewhere; the app still answers, and clients reconnect after it. */
  drain(): void;
};

const READINESS = new Set(["/health", "/healthz"]);

/** What answers without an app: 503 with `Retry-After: 1`. The process itself is alive. */
const refusing = (code: "unavailable" | "draining", detail: string): Served => {
  const answer = async (request: Request) =>
    new URL(request.url).pathname === "/livez"
      ? Response.json({ status: "ok" })
      : refuse(request, new Problem(code, detail, { retryAfter: 1 }));
  return { fetch: answer, socket: answer };
};

/**
 * Lets the port be bound before anything else starts: a busy port must not leave a database behind,
 * and early callers are told to come back instead of being cut off.
 */
export const createGate = (): Gate => {
  const stopping = refusing("draining", "Darkroom is stopping");
  let behind = refusing("unavailable", "Darkroom is starting");
  return {
    fetch: (request, peer) => behind.fetch(request, peer),
    socket: (request) => behind.socket(request),
    open: (app) => {
      behind = app;
    },
    drain: () => {
      const app = behind;
      behind = {
        fetch: async (request, peer) => {
          const asked = READINESS.has(new URL(request.url).pathname) ? stopping : app;
          const response = await asked.fetch(request, peer);
          response.headers.set("connection", "close");
          return response;
        },
        socket: (request) => app.socket(request),
      };
    },
  };
};
