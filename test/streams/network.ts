import assert from "node:assert/strict";
import type { Subscription } from "rxjs";
import { ownerLine, ownerOf, placeIn } from "../../src/bus/lines.ts";
import { createMemoryBus } from "../../src/bus/memory.ts";
import type { FactLog } from "../../src/facts/log.ts";
import { createLog } from "../../src/log.ts";
import type { Fact } from "../../src/ports.ts";
import { createEnvelopes } from "../../src/streams/envelope.ts";
import { createFeed } from "../../src/streams/feed.ts";
import { createMessages } from "../../src/streams/messages.ts";
import { createTails } from "../../src/streams/tail.ts";
import { createVirtualClock } from "./clock.ts";

const OWNER = "o";
/** Two streams of one owner, and all that the owner owns. */
export const LINES = ["s", "t", ownerLine(OWNER)] as const;
/** Another one that nobody follows alone. */
const ERASABLE = "u";
const AWAY = "the database is away";

type Question = { answer(): void; fail(): void };
type Client = {
  node: number;
  line: string;
  /** The last place seen; null before the first of a client that started now. */
  last: number | null;
  subscription: Subscription | null;
  slow: boolean;
  go(): void;
};

/** Lets everything go on that does not wait for the outside world. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * Two nodes over one log, and nothing happens by itself: each query is answered, each announcement is
 * delivered, each slow client takes its next fact when told to. A client checks that it sees the places of its line
 * one by one, and that it has to start over only where something was erased.
 */
export const createNetwork = ({ feedPage, tailPage }: { feedPage: number; tailPage: number }) => {
  /** All that was committed, and what is left of it. */
  const facts: Fact[] = [];
  const gone = new Set<Fact>();
  const questions: Question[] = [];
  const onTheWay: { node: number; fact: Fact }[] = [];
  const clients: Client[] = [];
  const wrong: string[] = [];

  const ask = <T>(read: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      questions.push({ answer: () => resolve(read()), fail: () => reject(new Error(AWAY)) });
    });
  const onLine = (line: string) => facts.filter((fact) => ownerOf(line) !== null || fact.stream === line);
  const headOf = (line: string) => onLine(line).length;
  const log: FactLog = {
    read: (line, place, limit) =>
      ask(() =>
        onLine(line)
          .filter((fact) => placeIn(line, fact) > place && !gone.has(fact))
          .slice(0, limit)
          .map((fact) => ({ ...fact })),
      ),
    heads: (lines) =>
      ask(() => new Map(lines.flatMap((line) => (headOf(line) > 0 ? [[line, headOf(line)] as const] : [])))),
  };
  /** Notes what is wrong with the next place that a client is shown. */
  const judge = (line: string, last: number | null, place: number) => {
    if (last !== null && place !== last + 1) wrong.push(`${place} after ${last} of ${line}`);
  };
  const judgeReset = (line: string, last: number | null, cursor: number) => {
    const missed = (fact: Fact) => placeIn(line, fact) > (last ?? 0) && placeIn(line, fact) <= cursor;
    if (!onLine(line).some((fact) => gone.has(fact) && missed(fact))) wrong.push(`a reset of ${line} for nothing`);
    if (cursor < (last ?? 0)) wrong.push(`back to ${cursor} from ${last} of ${line}`);
  };
  const nodes = [0, 1].map(() => {
    const clock = createVirtualClock();
    const bus = createMemoryBus();
    const tails = createTails({ bus, log, clock, logger: createLog("silent"), page: tailPage });
    const feed = createFeed({ tails, log, page: feedPage });
    const envelopes = createEnvelopes({ render: async ({ data }) => data, source: "", log: createLog("silent") });
    return { bus, clock, tails, feed, messages: createMessages({ feed, envelopes }) };
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
      .feed(client.line, { cursor, pace })
      .subscribe({
        next: (item) => {
          const place = item.kind === "reset" ? item.cursor : placeIn(client.line, item.fact);
          (item.kind === "reset" ? judgeReset : judge)(client.line, client.last, place);
          client.last = place;
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
  const commit = (node: number, count: number, to = 0) => {
    const stream = [...LINES.slice(0, 2), ERASABLE][to] ?? LINES[0];
    for (let n = 0; n < count; n++) {
      const ownerSeq = facts.length + 1;
      const fact: Fact = {
        id: `f${ownerSeq}`,
        stream,
        seq: headOf(stream) + 1,
        owner: OWNER,
        ownerSeq,
        type: "message.created",
        at: ownerSeq,
        actorKind: "message",
        actorId: `m${ownerSeq}`,
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
    /** All of one stream that there is goes from the log; what was announced of it is still on its way. */
    erase: () => {
      for (const fact of facts) if (fact.stream === ERASABLE) gone.add(fact);
    },
    nodeOf,
    headOf,
    ask,
    judge,
    judgeReset,
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
    connect: (node: number, fromStart: boolean, slow: boolean, to = 0) => {
      const client: Client = {
        node,
        line: LINES[to] ?? LINES[0],
        last: fromStart ? 0 : null,
        subscription: null,
        slow,
        go: () => {},
      };
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
    quiet,
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
      commit(0, 1, 0);
      commit(1, 1, 1);
      await quiet();
      assert.deepEqual(wrong, []);
      for (const { last, line } of clients) assert.equal(last, headOf(line), line);
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
