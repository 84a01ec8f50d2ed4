import type { Observable } from "rxjs";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Clock } from "../ports.ts";
import type { Message } from "./messages.ts";
import type { SocketSession } from "./session.ts";
import { type Dialect, socketSession } from "./socket.ts";
import { sseResponse } from "./sse.ts";

export type Transport = "sse" | "websocket";
/** Clients that are sent away come back spread over time: no sooner than this, and about a thousand a second. */
const BACK_MS = 250;
const LEAST_SPREAD_MS = 1_000;
type Open = { userId: string; expiresAt: number; messages: (pace: () => Promise<void>) => Observable<Message> };
/** `start`: the cursor of who has not seen any event. */
type OpenEvents = Open & { start?: number };

/** Every open stream of this node: bounded per user and in all, counted, and closed with the node. */
export const createClients = (deps: {
  clock: Clock;
  perUser: number;
  most: number;
  counted(transport: Transport, change: 1 | -1): void;
  /** Uniform in [0, 1). */
  random(): number;
  log: Log;
}) => {
  const byUser = new Map<string, number>();
  const stop = new AbortController();
  let all = 0;
  let spreadMs = LEAST_SPREAD_MS;

  const enter = (userId: string, transport: Transport) => {
    if (stop.signal.aborted) throw new Problem("draining", undefined, { retryAfter: 1 });
    const own = byUser.get(userId) ?? 0;
    if (own >= deps.perUser || all >= deps.most) {
      throw new Problem("too_many_connections", "Close another stream first", { retryAfter: 5 });
    }
    byUser.set(userId, own + 1);
    all++;
    deps.counted(transport, 1);
    return () => {
      const left = (byUser.get(userId) ?? 1) - 1;
      if (left > 0) byUser.set(userId, left);
      else byUser.delete(userId);
      all--;
      deps.counted(transport, -1);
    };
  };
  const options = ({ userId, expiresAt, messages }: Open, transport: Transport) => ({
    messages,
    clock: deps.clock,
    expiresAt: Number.isFinite(expiresAt) ? expiresAt : null,
    onError: (error: unknown) => {
      if (!(error instanceof Problem)) deps.log.warn({ err: error, transport }, "a stream failed");
    },
    onClose: enter(userId, transport),
    signal: stop.signal,
    backInMs: () => Math.round(BACK_MS + deps.random() * spreadMs),
  });

  return {
    sse: ({ start, ...open }: OpenEvents): Response => sseResponse({ ...options(open, "sse"), start }),
    socket: (open: Open, dialect?: Dialect): SocketSession => socketSession(options(open, "websocket"), dialect),
    open: () => all,
    /** Ends all of them, and lets no other in. Each is told when to come back. */
    close: () => {
      spreadMs = Math.max(LEAST_SPREAD_MS, all);
      stop.abort();
    },
  };
};
export type Clients = ReturnType<typeof createClients>;
