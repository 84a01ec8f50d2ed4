import assert from "node:assert/strict";
import type { Subscription } from "rxjs";
import { createMultiplex } from "../../src/streams/multiplex.ts";
import type { ServerFrame } from "../../src/streams/words.ts";
import type { Network } from "./network.ts";

type Followed = { line: string; last: number; ack: number | null; live: boolean };

/**
 * A client of the one socket in a network where nothing happens by itself. It checks that every subscription sees the
 * places of its line one by one, and never more than it may without an acknowledgement.
 */
export const createDialogue = (network: Network, wrong: string[]) => {
  const followed = new Map<string, Followed>();
  let connection: Subscription | null = null;
  let hear: (text: string) => void = () => {};
  let acknowledged = new Map<string, number[]>();
  let names = 0;

  const take = (frame: ServerFrame) => {
    if (!("id" in frame) || frame.id === undefined) return;
    const of = followed.get(frame.id);
    if (!of) return void wrong.push(`a frame for nobody: ${JSON.stringify(frame)}`);
    if (frame.type === "unsubscribed") {
      of.live = false;
      if (frame.cursor !== of.last) wrong.push(`left at ${frame.cursor}, seen ${of.last}`);
    }
    if (frame.type !== "event" && frame.type !== "reset") return;
    const place = frame.cursor ?? -1;
    (frame.type === "event" ? network.judge : network.judgeReset)(of.line, of.last, place);
    of.last = place;
    const out = acknowledged.get(frame.id) ?? [];
    out.push(place);
    acknowledged.set(frame.id, out);
    if (of.ack !== null && out.length > of.ack) wrong.push(`${out.length} without an acknowledgement`);
  };
  const say = (frame: object) => hear(JSON.stringify(frame));
  const subscribe = (id: string, of: Followed) => {
    of.live = true;
    acknowledged.delete(id);
    say({ type: "subscribe", id, stream: "me", after: of.last, ...(of.ack === null ? {} : { ack: of.ack }) });
  };

  const connect = (node: number) => {
    const opening: string[] = [...followed].map(([, { line }]) => line);
    const { messages, clock } = network.nodeOf(node);
    const multiplex = createMultiplex({
      clock,
      messages,
      // Opened in the order in which they were asked for.
      open: async () => {
        const line = opening.shift() ?? "";
        const snapshot = () => network.ask(() => ({ cursor: network.headOf(line), data: {} }));
        return { stream: line, head: 0, snapshot, over: async () => false };
      },
      problemOf: () => ({}),
    });
    hear = multiplex.hear;
    acknowledged = new Map();
    connection = multiplex.messages(async () => {}).subscribe(({ json }) => take(JSON.parse(json)));
    for (const [id, of] of followed) subscribe(id, of);
    return opening;
  };
  let opening: string[] = [];

  return {
    /** Connects, or comes back after a cut, perhaps to the other node. */
    connect: (node: number) => {
      if (!connection) opening = connect(node);
    },
    cut: () => {
      connection?.unsubscribe();
      connection = null;
    },
    follow: (line: string, ack: number | null) => {
      if (!connection) return;
      const id = String(++names);
      const of = { line, last: 0, ack, live: true };
      followed.set(id, of);
      opening.push(line);
      subscribe(id, of);
    },
    /** Acknowledges all that a subscription has seen. */
    acknowledge: (n: number) => {
      const [id, of] = [...followed][n % Math.max(1, followed.size)] ?? [];
      if (!connection || id === undefined || !of?.live || of.ack === null) return;
      acknowledged.set(id, []);
      say({ type: "ack", id, cursor: of.last });
    },
    /** Comes back for what failed, and acknowledges on. Resolves to whether all have all. */
    goOn: async (): Promise<boolean> => {
      for (const [id, of] of followed) {
        if (!of.live) {
          opening.push(of.line);
          subscribe(id, of);
        } else if (of.ack !== null && (acknowledged.get(id)?.length ?? 0) > 0) {
          acknowledged.set(id, []);
          say({ type: "ack", id, cursor: of.last });
        }
      }
      await network.quiet();
      return [...followed.values()].every(({ line, last }) => last === network.headOf(line));
    },
    check: () => {
      for (const { line, last } of followed.values()) assert.equal(last, network.headOf(line), line);
    },
  };
};
