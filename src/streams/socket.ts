import type { Observable, Subscription } from "rxjs";
import type { Clock } from "../ports.ts";
import type { Message } from "./messages.ts";
import type { SocketClient, SocketSession } from "./session.ts";

const PING_MS = 15_000;
const BUFFER_BYTES = 1_048_576;

/** Close codes: 4xxx are ours. */
const CLOSE = {
  complete: [1000, "complete"],
  shutdown: [1001, "the node is going away; reconnect"],
  error: [1011, "the stream failed; reconnect with ?after="],
  too_slow: [4008, "too slow; reconnect with ?after="],
  token_expired: [4001, "the token expired"],
} as const;

export type SocketOptions = {
  messages: (pace: () => Promise<void>) => Observable<Message>;
  clock: Clock;
  /** Ends the session at this instant (ms): the token expired. */
  expiresAt: number | null;
  /** Called before `onClose("error")`, with what the messages failed with. */
  onError?(error: unknown): void;
  /** Called once, however the session ends. */
  onClose(reason: string): void;
  /** Aborts when the node shuts down. */
  signal: AbortSignal;
};

/**
 * A WebSocket session that sends the same messages as SSE, one text frame each: the envelope itself, or
 * `{"event": …, "data": …}` for what is not in the log. What the client sends is not needed and ignored.
 */
export const socketSession = (options: SocketOptions): SocketSession => {
  const { messages, clock, expiresAt, onError, onClose, signal } = options;
  let subscription: Subscription | null = null;
  let client: SocketClient | null = null;
  let stopPing = () => {};
  let stopExpiry = () => {};
  let resume = () => {};
  let closed = false;

  const release = (reason: string) => {
    if (closed) return;
    closed = true;
    subscription?.unsubscribe();
    stopPing();
    stopExpiry();
    signal.removeEventListener("abort", shutdown);
    resume();
    onClose(reason);
  };
  const end = (reason: keyof typeof CLOSE) => {
    if (closed) return;
    release(reason);
    const [code, why] = CLOSE[reason];
    client?.close(code, why);
  };
  const shutdown = () => end("shutdown");

  // Asked before, so that one message larger than the buffer does not lock its client out for ever.
  const send = (text: string) => {
    if (closed || !client) return;
    if (client.buffered() > BUFFER_BYTES || client.send(text) === 0) end("too_slow");
  };
  const frame = ({ event, json }: Message) =>
    event === "reset" || event === "snapshot" ? `{"event":"${event}",${json.slice(1)}` : json;
  const ping = () => {
    stopPing = clock.after(PING_MS, () => {
      client?.ping();
      if (!closed) ping();
    });
  };

  return {
    open: (opened) => {
      client = opened;
      signal.addEventListener("abort", shutdown, { once: true });
      if (signal.aborted) return shutdown();
      ping();
      if (expiresAt !== null) {
        stopExpiry = clock.after(Math.max(0, expiresAt - clock.now()), () => {
          send(JSON.stringify({ event: "auth", data: { reason: "token_expired" } }));
          end("token_expired");
        });
      }
      const pace = async () => {
        while (!closed && opened.buffered() >= BUFFER_BYTES / 2)
          await new Promise<void>((resolve) => {
            resume = resolve;
          });
      };
      subscription = messages(pace).subscribe({
        next: (message) => send(frame(message)),
        error: (error) => {
          onError?.(error);
          end("error");
        },
        complete: () => end("complete"),
      });
      if (closed) subscription.unsubscribe();
    },
    message: () => {},
    drain: () => resume(),
    close: () => release("client_left"),
  };
};
