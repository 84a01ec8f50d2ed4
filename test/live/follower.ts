import { setTimeout as wait } from "node:timers/promises";
import type { ServerFrame } from "../../src/streams/words.ts";
import { type LiveSocket, openLive } from "./frames.ts";

const RETRY_MS = 50;

/** A client of `/ws` that comes back by itself, with the cursor of each of its streams, whatever happens to the server. */
export type LiveFollower = {
  /** Cursors of a stream's events in the order in which they came, over all connections. */
  cursors(stream: string): readonly number[];
  connections(): number;
  close(): Promise<void>;
};

/** `url` is asked at each connect, so that it may be another node's. Follows the streams from their beginnings. */
export const followLive = (url: () => string, streams: readonly string[]): LiveFollower => {
  const seen = new Map(streams.map((stream) => [stream, [] as number[]]));
  let connections = 0;
  let closed = false;
  let socket: LiveSocket | null = null;

  const take = (frame: ServerFrame) => {
    if (frame.type === "event" && frame.cursor !== undefined) seen.get(frame.id)?.push(frame.cursor);
  };
  const connect = async () => {
    socket = await openLive(url(), take);
    connections++;
    for (const [stream, cursors] of seen)
      socket.send({ type: "subscribe", id: stream, stream, after: cursors.at(-1) ?? 0, ack: 5 });
    if (closed) socket.close();
    await socket.closed;
  };
  const acknowledge = setInterval(() => {
    for (const [stream, cursors] of seen)
      if (cursors.length > 0) socket?.send({ type: "ack", id: stream, cursor: cursors.at(-1) });
  }, RETRY_MS);
  const run = (async () => {
    while (!closed) {
      await connect().catch(() => {});
      if (!closed) await wait(RETRY_MS);
    }
  })();

  return {
    cursors: (stream) => seen.get(stream) ?? [],
    connections: () => connections,
    close: async () => {
      closed = true;
      clearInterval(acknowledge);
      socket?.close();
      await run;
    },
  };
};
