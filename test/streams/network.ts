import assert from "node:assert/strict";
import type { Subscription } from "rxjs";
import { createMemoryBus } from "../../src/bus/memory.ts";
import type { FactLog } from "../../src/facts/log.ts";
import { createLog } from "../../src/log.ts";
import type { Fact } from "../../src/ports.ts";
import { createFeed } from "../../src/streams/feed.ts";
import { createTails } from "../../src/streams/tail.ts";
import { createVirtualClock } from "./clock.ts";

const STREAM = "s";
const AWAY = "the database is away";

type Question = { answer(): void; fail(): void };
type Client = {
  node: number;
  /** The last seq seen; null before the first of a client that started now. */
  last: number | null;
  subscription: Subscription | null;
  slow: boolean;
  go(): void;
};

/** Lets everything go on that does not wait for the outside world. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * Two nodes over one log, and nothing happens by itself: each query is answered, each announcement is
 * delivered, each slow client takes its next fact when told to. A client checks that it sees its seqs
 * one by one.
 */
export const createNetwork = ({ feedPage, tailPage }: { feedPage: number; tailPage: number }) => {
  const facts: Fact[] = [];
  const questions: Question[] = [];
  const onTheWay: { node: number; fact: Fact }[] = [];
  const clients: Client[] = [];
  const wrong: string[] = [];

  const ask = <T>(read: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      questions.push({ answer: () => resolve(read()), fail: () => reject(new Error(AWAY)) });
    });
  const log: FactLog = {
    read: (_stream, seq, limit) => ask(() => facts.slice(seq, seq + limit).map((fact) => ({ ...fact }))),
    heads: () => ask(() => new Map(facts.length > 0 ? [[STREAM, facts.length]] : [])),
  };
  const nodes = [0, 1].map(() => {
    const clock = createVirtualClock();
    const bus = createMemoryBus();
    const tails = createTails({ bus, log, clock, logger: createLog("silent"), page: tailPage });
    return { bus, clock, tails, feed: createFeed({ tails, log, page: feedPage }) };
  });
  type Node = (typeof nodes)[number];
  const nodeOf = (n: number) => nodes[n] as Node;
  const pick = <T>(list: T[], n: number): T | undefined => list[n % Math.max(1, list.length)];
  const take = <T>(list: T[], n: number): T | undefined => list.splice(n % Math.max(1, list.length), 1)[0];

  const open = (client: Client, cursor: number | null) => {
    const pace = () =>
      client.slow
        ? new Promise<void>((resolve) => {
            client.go = resolve;
          })
        : Promise.resolve();
    client.subscription = nodeOf(client.node)
      .feed(STREAM, { cursor, pace })
      .subscribe({
        next: (item) => {
          if (item.kind === "reset") wrong.push("a reset, though nothing was pruned");
          else {
            if (client.last !== null && item.fact.seq !== client.last + 1)
              wrong.push(`${item.fact.seq} after ${client.last}`);
            client.last = item.fact.seq;
          }
        },
        error: (error) => {
          if (error.message !== AWAY) wrong.push(error.message);
          client.subscription = null;
        },
        complete: () => wrong.push("ended by itself"),
      });
  };

  const look = async () => {
    for (const { clock } of nodes) clock.advance(1000);
    await turn();
  };

  /** Commits on a node; both nodes' announcements of it are on their way. */
  const commit = (node: number, count: number) => {
    for (let n = 0; n < count; n++) {
      const seq = facts.length + 1;
      const fact: Fact = {
        id: `f${seq}`,
        stream: STREAM,
        seq,
        owner: "o",
        ownerSeq: seq,
        type: "message.created",
        at: seq,
        actorKind: "message",
        actorId: `m${seq}`,
        data: { by: node },
        traceparent: null,
      };
      facts.push(fact);
      onTheWay.push({ node, fact }, { node: 1 - node, fact });
    }
  };
  const quiet = async () => {
    onTheWay.length = 0;
    for (let round = 0; round < 2; round++) {
      await look();
      while (questions.length > 0) {
        for (const { answer } of questions.splice(0)) answer();
        await turn();
      }
    }
  };

  return {
    commit,
    /** An announcement arrives; `again`: and will arrive once more. */
    deliver: (n: number, again: boolean) => {
      const announcement = take(onTheWay, n);
      if (!announcement) return;
      nodeOf(announcement.node).bus.announce([announcement.fact]);
      if (again) onTheWay.push(announcement);
    },
    cut: (n: number) => void take(onTheWay, n),
    answer: (n: number) => take(questions, n)?.answer(),
    fail: (n: number) => take(questions, n)?.fail(),
    connect: (node: number, fromStart: boolean, slow: boolean) => {
      const client: Client = { node, last: fromStart ? 0 : null, subscription: null, slow, go: () => {} };
      clients.push(client);
      open(client, client.last);
    },
    go: (n: number) => pick(clients, n)?.go(),
    disconnect: (n: number) => {
      const client = pick(clients, n);
      client?.subscription?.unsubscribe();
      if (client) client.subscription = null;
    },
    /** Comes back with its cursor, perhaps to the other node. */
    resume: (n: number, node: number) => {
      const client = pick(clients, n);
      if (!client || client.subscription) return;
      client.node = node;
      open(client, client.last);
    },
    look,
    turn,
    /** Everything on the way is lost, but the database answers and time goes on. Checks that all have all. */
    settle: async () => {
      await turn();
      for (const client of clients) {
        client.slow = false;
        client.go();
        if (!client.subscription) open(client, client.last ?? 0);
      }
      await quiet();
      // One more for those who came when there was nothing more to come.
      commit(0, 1);
      await quiet();
      assert.deepEqual(wrong, []);
      for (const { last } of clients) assert.equal(last, facts.length);
    },
    /** Everyone leaves. Checks that nothing is left behind. */
    close: async () => {
      for (const client of clients) {
        client.subscription?.unsubscribe();
        client.go();
      }
      await quiet();
      for (const { tails } of nodes) assert.equal(tails.watched(), 0);
      for (const { tails } of nodes) tails.close();
      for (const { clock } of nodes) assert.equal(clock.pending(), 0);
    },
  };
};
export type Network = ReturnType<typeof createNetwork>;
