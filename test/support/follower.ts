import { setTimeout as wait } from "node:timers/promises";
import type { Client } from "./client.ts";

/** An EventSource that comes back by itself, with its cursor, whatever happens to the server. */
export type Follower = {
  /** Every event's seq, in the order of arrival, over all connections. */
  seqs: readonly number[];
  /** How often it had to connect. */
  connections(): number;
  /** Resolves when this seq has come. Rejects after `ms`. */
  reached(seq: number, ms: number): Promise<void>;
  close(): Promise<void>;
};

const RETRY_MS = 50;

/** Follows a stream from its beginning. */
export const follow = (client: Client, path: string): Follower => {
  const seqs: number[] = [];
  let connections = 0;
  let closed = false;
  let hangUp = () => {};
  let look = () => {};

  const connect = async () => {
    const last = seqs.at(-1) ?? 0;
    const events = await client.events(path, { "last-event-id": String(last) });
    connections++;
    hangUp = events.close;
    if (closed) hangUp();
    for (let event = await events.next(60_000); event; event = await events.next(60_000)) {
      if (event.id === undefined) continue;
      seqs.push(Number(event.id));
      look();
    }
  };
  const run = (async () => {
    while (!closed) {
      await connect().catch(() => {});
      if (!closed) await wait(RETRY_MS);
    }
  })();

  return {
    seqs,
    connections: () => connections,
    reached: (seq, ms) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`seq ${seq} did not come in ${ms} ms: ${seqs}`)), ms);
        look = () => {
          if ((seqs.at(-1) ?? 0) < seq) return;
          clearTimeout(timer);
          resolve();
        };
        look();
      }),
    close: async () => {
      closed = true;
      hangUp();
      await run;
    },
  };
};

/** 1 to `n`: what a stream must be. */
export const contiguous = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);
