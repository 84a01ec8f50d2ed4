import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A connection on which nothing moves, in either direction. */
const IDLE_MS = 30_000;
/** The same while a request is being answered: longer than anybody may prefer to wait for that. */
const WAIT_MS = 75_000;
const LOOK_MS = 5000;
/** Requests that a client may send before the answer to the one in front. */
const AHEAD = 64;

/** Those whose request is being answered. */
const asking = new WeakSet<Socket>();

/** Hangs up when nothing has left or come for a while, also when a whole answer waits for a client who does not read. */
export const watch = (socket: Socket): void => {
  let before = 0;
  let since = performance.now();
  const timer = setInterval(() => {
    const moved = socket.bytesRead + socket.bytesWritten - socket.writableLength;
    if (moved !== before) since = performance.now();
    before = moved;
    const waits = asking.has(socket) && socket.writableLength === 0;
    if (performance.now() - since > (waits ? WAIT_MS : IDLE_MS)) socket.destroy();
  }, LOOK_MS);
  timer.unref();
  socket.once("close", () => clearInterval(timer));
};

type Serve = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>;

/**
 * Serves the requests of a connection one after another: the server would begin all that were sent at once, and keep
 * their answers in memory for a client who may not read the first. Who sends too many is hung up on.
 */
export const inTurn = (serve: Serve) => {
  const lines = new WeakMap<Socket, { last: Promise<unknown>; length: number }>();
  return (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { socket } = incoming;
    const line = lines.get(socket) ?? { last: Promise.resolve(), length: 0 };
    lines.set(socket, line);
    if (line.length >= AHEAD) return void socket.destroy();
    line.length++;
    const closed = once(outgoing, "close");
    line.last = line.last.then(async () => {
      if (!socket.destroyed) {
        asking.add(socket);
        await serve(incoming, outgoing);
        await closed;
        asking.delete(socket);
      }
      line.length--;
    });
  };
};

/** Resolves when it takes more, or nothing any more. */
export const room = (outgoing: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    if (outgoing.destroyed) return resolve();
    const go = () => {
      outgoing.off("drain", go).off("close", go);
      resolve();
    };
    outgoing.on("drain", go).on("close", go);
  });
