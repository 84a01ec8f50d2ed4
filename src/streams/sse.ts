import { BUFFER_BYTES, type ConnectionOptions, openConnection } from "./connection.ts";
import type { Message } from "./messages.ts";

/** Reconnect after this, unless the client has its own idea. */
const RETRY_MS = 2_000;

const encoder = new TextEncoder();
/** When to reconnect and, if there is one, the cursor to do so with; and a comment. */
const retry = (ms: number, comment: string, cursor?: number) =>
  encoder.encode(`retry: ${ms}\n${cursor === undefined ? "" : `id: ${cursor}\n`}: ${comment}\n\n`);

/** One SSE frame. `data` is JSON and so a single line. */
export const frame = ({ id, event, json }: Message): Uint8Array =>
  encoder.encode(`${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${json}\n\n`);

/**
 * A response that streams messages as server-sent events. Its buffer is bounded: a client that cannot
 * keep up, or takes nothing between two heartbeats, is closed after what it was sent and comes back with its
 * cursor. A heartbeat comment goes out every 15 s. `start`: the cursor of a client that has not seen any event.
 */
export const sseResponse = (options: ConnectionOptions & { start?: number }): Response => {
  let connection: ReturnType<typeof openConnection> | null = null;
  let left = false;
  let given = 0;
  let taken = -1;

  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        const free = () => controller.desiredSize ?? 0;
        const write = (bytes: Uint8Array) => {
          given += bytes.length;
          controller.enqueue(bytes);
        };
        write(retry(RETRY_MS, "open", options.start));
        connection = openConnection(options, {
          waiting: () => BUFFER_BYTES - free(),
          // Asked before, so that one message larger than the buffer does not lock its client out for ever.
          send: (message) => {
            if (free() <= 0) return false;
            write(frame(message));
            return true;
          },
          beat: () => {
            const waiting = BUFFER_BYTES - free();
            if (waiting > 0 && given - waiting === taken) return false;
            taken = given - waiting;
            write(encoder.encode(": hb\n\n"));
            return true;
          },
          close: (reason) => {
            if (left) return;
            if (reason === "shutdown") write(retry(options.backInMs(), "the node is going away"));
            controller.close();
          },
        });
      },
      pull: () => connection?.drained(),
      cancel: () => {
        left = true;
        connection?.end("client_left");
      },
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
