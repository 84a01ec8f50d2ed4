/** Those who watch: each follows one stream on one node after another, with its cursor, and writes down all it gets. */
import { setTimeout as wait } from "node:timers/promises";
import type { Random } from "../../src/embedded/simulated/drawing/random.ts";
import type { Envelope } from "../../src/streams/envelope.ts";
import { createClient } from "../support/client.ts";
import type { ClusterNode } from "./cluster-node.ts";
import type { Watchable } from "./customers.ts";

export type Transport = "sse" | "websocket";
/** One event as it came, on the nth connection of its watcher. */
export type Seen = { connection: number; node: number; seq: number; id: string; type: string; actor: string };
/** What a watcher was shown. `from`: the cursor that it began with. */
export type Watched = {
  stream: string;
  job: string | null;
  transport: Transport;
  from: number;
  seen: Seen[];
  connections: number;
  resets: number;
};

type Message = { id?: string; event: string; data: unknown };
type Listen = (path: string, node: ClusterNode, cursor: number | null, signal: AbortSignal) => AsyncIterable<Message>;

const AGAIN_MS: [from: number, to: number] = [20, 300];
/** After the end of its stream a watcher looks this seldom whether there is more after all. */
const OVER_MS = 1_500;
const STAY_MS: [from: number, to: number] = [500, 8_000];
/** Who had not yet written down the last few events comes back for them. */
const FORGETS = 0.2;
/** A batch is watched by socket as often as not, and now and then by who begins with a snapshot. */
const SNAPSHOT = 0.3;

const listenBySse = (token: string): Listen =>
  async function* (path, node, cursor, signal) {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (cursor !== null) headers["last-event-id"] = String(cursor);
    const events = await createClient(() => node.url).events(path, headers, signal);
    try {
      for (let event = await events.next(60_000); event; event = await events.next(60_000)) yield event;
    } finally {
      events.close();
    }
  };

/** Frames as messages: an envelope is an event of the log, anything else says what it is. */
const asMessage = (text: string): Message => {
  const frame = JSON.parse(text) as Partial<Envelope> & { event?: string; cursor?: number };
  if (frame.event !== undefined) return { event: frame.event, data: frame };
  return { event: "update", data: frame, ...(frame.sequence === undefined ? {} : { id: frame.sequence }) };
};

const listenBySocket = (token: string): Listen =>
  async function* (path, node, cursor, signal) {
    const after = cursor === null ? "" : `&after=${cursor}`;
    const socket = new WebSocket(`${node.url.replace("http", "ws")}${path}?token=${token}${after}`);
    const frames: string[] = [];
    let over = false;
    let look = () => {};
    const end = () => {
      over = true;
      look();
    };
    socket.addEventListener("message", ({ data }) => {
      frames.push(String(data));
      look();
    });
    for (const name of ["close", "error"] as const) socket.addEventListener(name, end);
    signal.addEventListener("abort", end, { once: true });
    try {
      while (!signal.aborted) {
        for (const frame of frames.splice(0)) yield asMessage(frame);
        if (over) return;
        await new Promise<void>((resolve) => {
          look = resolve;
          if (frames.length > 0 || over) resolve();
        });
      }
    } finally {
      socket.close();
    }
  };

export const createWatchers = (
  nodes: readonly ClusterNode[],
  random: Random,
  tokenOf: (user: string) => Promise<string>,
) => {
  const watchers: { watched: Watched; run: Promise<void> }[] = [];
  const closed = new AbortController();
  let last = false;

  const follow = async ({ user, path }: Watchable, watched: Watched, random: Random) => {
    const token = await tokenOf(user);
    const listen = watched.transport === "sse" ? listenBySse(token) : listenBySocket(token);
    let begun = watched.from === 0;
    let over = false;
    const take = ({ id, event, data }: Message, node: ClusterNode) => {
      if (event === "reset") watched.resets++;
      if (event === "snapshot" && !begun) watched.from = (data as { cursor: number }).cursor;
      if (event === "snapshot" || event === "reset") begun = true;
      else if (id !== undefined) {
        const { id: name, type, subject, sequence } = data as Envelope;
        const seq = Number(sequence) === Number(id) ? Number(id) : Number.NaN;
        const { connections: connection, seen } = watched;
        seen.push({
          connection,
          node: node.number,
          seq,
          id: name,
          type: type.replace("darkroom.", ""),
          actor: subject,
        });
      }
    };
    const cursorOf = () => {
      const best = Math.max(watched.from, ...watched.seen.map(({ seq }) => seq));
      return random.chance(FORGETS) ? Math.max(watched.from, best - random.whole(1, 3)) : best;
    };
    while (!closed.signal.aborted) {
      const node = random.pick(nodes);
      const stay = AbortSignal.timeout(last ? 60_000 : random.between(...STAY_MS));
      const signal = AbortSignal.any([closed.signal, stay]);
      watched.connections++;
      try {
        for await (const message of listen(path, node, begun ? cursorOf() : null, signal)) take(message, node);
        over = !signal.aborted;
      } catch (error) {
        over = /no stream: 204/.test(String(error));
      }
      await wait(over ? OVER_MS : random.between(...AGAIN_MS), undefined, { signal: closed.signal }).catch(() => {});
    }
  };

  return {
    watched: (): Watched[] => watchers.map(({ watched }) => watched),
    watch: (what: Watchable) => {
      const own = random.fork(`watcher ${watchers.length}`);
      const isBatch = what.path.startsWith("/api/");
      const transport = isBatch && own.chance(0.5) ? "websocket" : "sse";
      const from = !what.path.startsWith("/sse/") && own.chance(SNAPSHOT) ? -1 : 0;
      const { stream, job } = what;
      const watched: Watched = { stream, job, transport, from, seen: [], connections: 0, resets: 0 };
      const path = transport === "websocket" ? what.path.replace(/\/stream$/, "") : what.path;
      watchers.push({ watched, run: follow({ ...what, path }, watched, own) });
    },
    /** From now on everybody stays where they are. */
    stay: () => {
      last = true;
    },
    close: async () => {
      closed.abort();
      await Promise.all(watchers.map(({ run }) => run));
    },
  };
};
export type Watchers = ReturnType<typeof createWatchers>;
