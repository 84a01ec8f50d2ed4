import type { Observable, Subscription } from "rxjs";
import { Problem } from "../errors.ts";
import type { Clock } from "../ports.ts";
import type { Message } from "./messages.ts";

const BEAT_MS = 15_000;
/** What may wait for one client. */
export const BUFFER_BYTES = 1_048_576;

/** How a connection can end, for clients, metrics and the log. */
export type Ending = "complete" | "shutdown" | "error" | "too_slow" | "too_fast" | "token_expired" | "client_left";

export type ConnectionOptions = {
  messages: (pace: () => Promise<void>) => Observable<Message>;
  clock: Clock;
  /** Ends the connection at this instant (ms): the token expired. */
  expiresAt: number | null;
  /** Called before `onClose("error")`, with what the messages failed with. */
  onError?(error: unknown): void;
  /** Called once, however the connection ends. */
  onClose(reason: Ending): void;
  /** Aborts when the node shuts down. */
  signal: AbortSignal;
  /** After how long a client that is then sent away should come back, ms. */
  backInMs(): number;
};

/** What SSE and WebSocket do differently. */
export type Line = {
  /** Takes a message; false: the client cannot keep up. */
  send(message: Message): boolean;
  /** Bytes that wait for the client. */
  waiting(): number;
  /** Every 15 s; false: the client takes nothing. */
  beat(): boolean;
  close(reason: Ending): void;
};

/**
 * The life of one client: messages, heartbeat, the token's end, the node's end; released exactly once. It lasts
 * until `end` is called or one of these ends it. `drained` is to be called when the line has room again.
 */
export const openConnection = (options: ConnectionOptions, line: Line) => {
  const { messages, clock, expiresAt, onError, onClose, signal } = options;
  let subscription: Subscription | null = null;
  let stopBeat = () => {};
  let stopExpiry = () => {};
  /** Those who wait for room: one per stream on the line. */
  const paused = new Set<() => void>();
  let closed = false;

  const resume = () => {
    const all = [...paused];
    paused.clear();
    for (const go of all) go();
  };
  const end = (reason: Ending) => {
    if (closed) return;
    closed = true;
    subscription?.unsubscribe();
    stopBeat();
    stopExpiry();
    signal.removeEventListener("abort", shutdown);
    resume();
    onClose(reason);
    line.close(reason);
  };
  const shutdown = () => end("shutdown");

  const send = (message: Message) => {
    if (!closed && !line.send(message)) end("too_slow");
  };
  const beat = () => {
    stopBeat = clock.after(BEAT_MS, () => {
      if (!line.beat()) end("too_slow");
      if (!closed) beat();
    });
  };
  const pace = async () => {
    while (!closed && line.waiting() >= BUFFER_BYTES / 2)
      await new Promise<void>((resolve) => void paused.add(resolve));
  };

  signal.addEventListener("abort", shutdown, { once: true });
  if (signal.aborted) shutdown();
  if (!closed) beat();
  if (!closed && expiresAt !== null) {
    stopExpiry = clock.after(Math.max(0, expiresAt - clock.now()), () => {
      send({ event: "auth", json: JSON.stringify({ reason: "token_expired" }) });
      end("token_expired");
    });
  }
  if (!closed) {
    subscription = messages(pace).subscribe({
      next: send,
      error: (error) => {
        onError?.(error);
        end(error instanceof Problem && error.code === "too_many_requests" ? "too_fast" : "error");
      },
      complete: () => end("complete"),
    });
    if (closed) subscription.unsubscribe();
  }
  return { end, drained: resume };
};
