import type { Observable, Subscription } from "rxjs";
import type { Clock } from "../ports.ts";
import type { Message } from "./messages.ts";

const HEARTBEAT_MS = 15_000;
const BUFFER_BYTES = 1_048_576;
/** Reconnect after this, unless the client has its own idea. */
const RETRY_MS = 2_000;

const encoder = new TextEncoder();

/** One SSE frame. `data` is JSON and so a single line. */
export const frame = ({ id, event, json }: Message): Uint8Array =>
  encoder.encode(`${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${json}\n\n`);

export type SseOptions = {
  messages: (pace: () => Promise<void>) => Observable<Message>;
  clock: Clock;
  /** Ends the stream at this instant (ms): the token expired. */
  expiresAt: number | null;
  /** Called before `onClose("error")`, with what the messages failed with. */
  onError?(error: unknown): void;
  /** Called once, however the stream ends. */
  onClose(reason: string): void;
  /** Aborts when the node shuts down. */
  signal: AbortSignal;
};

/**
 * A response that streams messages as server-sent events. Its buffer is bounded: a client that cannot
 * keep up, or takes nothing between two heartbeats, is closed after what it was sent and comes back with its
 * cursor. A heartbeat comment goes out every 15 s.
 */
export const sseResponse = (options: SseOptions): Response => {
  const { messages, clock, expiresAt, onError, onClose, signal } = options;
  let subscription: Subscription | null = null;
  let stopBeat = () => {};
  let stopExpiry = () => {};
  let closed = false;
  let given = 0;
  let taken = -1;
  let resume = () => {};

  const release = (reason: string) => {
    if (closed) return;
    closed = true;
    subscription?.unsubscribe();
    stopBeat();
    stopExpiry();
    signal.removeEventListener("abort", shutdown);
    resume();
    onClose(reason);
  };
  let end = (_reason: string) => {};
  const shutdown = () => end("shutdown");

  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        end = (reason) => {
          if (closed) return;
          release(reason);
          controller.close();
        };
        const free = () => controller.desiredSize ?? 0;
        // Asked before, so that one message larger than the buffer does not lock its client out for ever.
        const send = (bytes: Uint8Array) => {
          if (closed) return;
          if (free() <= 0) return end("too_slow");
          given += bytes.length;
          controller.enqueue(bytes);
        };
        const beat = () => {
          stopBeat = clock.after(HEARTBEAT_MS, () => {
            const waiting = BUFFER_BYTES - free();
            if (waiting > 0 && given - waiting === taken) return end("too_slow");
            taken = given - waiting;
            send(encoder.encode(": hb\n\n"));
            if (!closed) beat();
          });
        };
        const pace = async () => {
          while (!closed && free() <= BUFFER_BYTES / 2)
            await new Promise<void>((resolve) => {
              resume = resolve;
            });
        };
        send(encoder.encode(`retry: ${RETRY_MS}\n: open\n\n`));
        beat();
        signal.addEventListener("abort", shutdown, { once: true });
        if (signal.aborted) return shutdown();
        if (expiresAt !== null) {
          stopExpiry = clock.after(Math.max(0, expiresAt - clock.now()), () => {
            send(frame({ event: "auth", json: JSON.stringify({ reason: "token_expired" }) }));
            end("token_expired");
          });
        }
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
      pull: () => resume(),
      cancel: () => release("client_left"),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: BUFFER_BYTES }),
  );

  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
};
