import { BUFFER_BYTES, type ConnectionOptions, type Ending, openConnection } from "./connection.ts";
import type { Message } from "./messages.ts";
import type { SocketSession } from "./session.ts";

/** Close codes: 4xxx are ours. */
const CLOSE: Record<Exclude<Ending, "client_left" | "shutdown">, readonly [code: number, why: string]> = {
  complete: [1000, "complete"],
  error: [1011, "the stream failed; reconnect with ?after="],
  too_slow: [4008, "too slow; reconnect with ?after="],
  too_fast: [4029, "too many frames"],
  token_expired: [4001, "the token expired"],
};

/** An event from the log is its envelope; what is not in the log says what it is. */
const frame = ({ event, json }: Message): string => {
  if (event === "reset" || event === "snapshot") return `{"event":"${event}",${json.slice(1)}`;
  return event === "auth" ? `{"event":"auth","data":${json}}` : json;
};

/** How a socket speaks, where it is more than a stream of events. */
export type Dialect = {
  frame(message: Message): string;
  /** Takes what the client says. */
  hear(text: string): void;
};
const EVENTS: Dialect = { frame, hear: () => {} };

/** A WebSocket session that sends the same messages as SSE, one text frame each. What the client sends is ignored. */
export const socketSession = (options: ConnectionOptions, dialect = EVENTS): SocketSession => {
  let connection: ReturnType<typeof openConnection> | null = null;
  let unopened = true;
  return {
    open: (client) => {
      unopened = false;
      connection = openConnection(options, {
        waiting: () => client.buffered(),
        // Asked before, so that one message larger than the buffer does not lock its client out for ever.
        send: (message) => client.buffered() <= BUFFER_BYTES && client.send(dialect.frame(message)) !== 0,
        beat: () => {
          client.ping();
          return true;
        },
        close: (reason) => {
          if (reason === "shutdown")
            client.close(1001, `the node is going away; reconnect in ${options.backInMs()} ms`);
          else if (reason !== "client_left") client.close(...CLOSE[reason]);
        },
      });
    },
    message: dialect.hear,
    drain: () => connection?.drained(),
    close: () => {
      connection?.end("client_left");
      // It ended before it was opened: its place was taken already.
      if (unopened) options.onClose("client_left");
      unopened = false;
    },
  };
};
