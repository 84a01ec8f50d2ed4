import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { v7 } from "uuid";
import { ownerLine } from "../../src/bus/lines.ts";
import { createMemoryBus } from "../../src/bus/memory.ts";
import { connect } from "../../src/db/connect.ts";
import type { FactLog } from "../../src/facts/log.ts";
import { createLog } from "../../src/log.ts";
import type { Bus } from "../../src/ports.ts";
import { createFeed } from "../../src/streams/feed.ts";
import { createTails } from "../../src/streams/tail.ts";
import { type Ledger, openLedger } from "../facts/ledger.ts";
import { createVirtualClock } from "./clock.ts";
import { until } from "./until.ts";
import { range, watch } from "./watch.ts";

/** A bus that counts who listens. */
const countingBus = () => {
  const bus = createMemoryBus();
  let listeners = 0;
  const counting: Bus = {
    ...bus,
    subscribe: (stream, listener) => {
      const leave = bus.subscribe(stream, listener);
      listeners++;
      return () => {
        leave();
        listeners--;
      };
    },
  };
  return { bus: counting, listeners: () => listeners };
};

/** A node's live side over a log that a test can hold up or break. */
const setup = (log: FactLog, page?: number) => {
  const clock = createVirtualClock();
  const { bus, listeners } = countingBus();
  const tails = createTails({ bus, log, clock, logger: createLog("silent"), page });
  return { bus, clock, listeners, tails, feed: createFeed({ tails, log }), look: () => clock.advance(1000) };
};

describe("a feed", () => {
  let ledger: Ledger;
  let stream: string;
  before(async () => {
    ledger = await openLedger();
  });
  after(() => ledger.close());

  let node: ReturnType<typeof setup>;
  beforeEach(() => {
    stream = v7();
    node = setup(ledger.log);
  });
  afterEach(() => node.tails.close());

  /** A client that is past its backfill. */
  const live = async (cursor: number | null = null) => {
    const client = watch(node.feed, stream, { cursor });
    await until(() => node.tails.watched() > 0);
    return client;
  };

  it("starts now without a cursor", async () => {
    await ledger.append(stream, 3);
    const client = await live();
    node.bus.announce(await ledger.append(stream));
    await client.reached(4);
    assert.deepEqual(client.seqs(), [4]);
  });

  it("gives all after cursor 0", async () => {
    await ledger.append(stream, 450);
    const client = await live(0);
    node.bus.announce(await ledger.append(stream));
    await client.reached(451);
    assert.deepEqual(client.seqs(), range(1, 451));
  });

  it("waits for the first fact of a stream that has none", async () => {
    const client = await live(0);
    node.bus.announce(await ledger.append(stream));
    await client.reached(1);
    assert.equal(client.items.length, 1);
  });

  it("resumes after its cursor", async () => {
    await ledger.append(stream, 10);
    const client = await live(7);
    await client.reached(10);
    assert.deepEqual(client.seqs(), [8, 9, 10]);
  });

  it("resets a cursor beyond the head", async () => {
    await ledger.append(stream, 3);
    const client = await live(9);
    await until(() => client.items.length > 0);
    assert.deepEqual(client.items, [{ kind: "reset", cursor: 3 }]);
    node.bus.announce(await ledger.append(stream));
    await client.reached(4);
  });

  it("takes a cursor that its own tail has not heard of yet", async () => {
    await ledger.append(stream, 3);
    await live();
    const [silent] = await ledger.append(stream);
    const client = watch(node.feed, stream, { cursor: silent?.seq ?? 0 });
    await until(() => node.tails.watched() === 1);
    node.bus.announce(await ledger.append(stream));
    await client.reached(5);
    assert.deepEqual(
      client.items.map((item) => item.kind),
      ["fact"],
    );
  });

  it("resets a cursor whose next fact was pruned", async () => {
    await ledger.append(stream, 5);
    node.tails.close();
    node = setup({ ...ledger.log, read: (of, seq, limit) => ledger.log.read(of, Math.max(seq, 3), limit) });
    const client = await live(1);
    await until(() => client.items.length > 0);
    assert.deepEqual(client.items, [{ kind: "reset", cursor: 5 }]);
  });

  it("resets a slow client whose next page was pruned meanwhile", async () => {
    await ledger.append(stream, 600);
    let pruned = 0;
    const log: FactLog = {
      ...ledger.log,
      read: (of, seq, limit) => ledger.log.read(of, Math.max(seq, pruned), limit),
    };
    node.tails.close();
    node = setup(log);
    let go = () => {};
    let held = false;
    const pace = () =>
      held
        ? Promise.resolve()
        : new Promise<void>((resolve) => {
            held = true;
            go = resolve;
          });
    const client = watch(node.feed, stream, { cursor: 0, pace });
    await until(() => held);
    pruned = 500;
    go();
    await until(() => client.items.some(({ kind }) => kind === "reset") || client.seqs().at(-1) === 600);
    assert.deepEqual(client.items.at(-1), { kind: "reset", cursor: 600 });
    assert.deepEqual(client.seqs(), range(1, 200));
  });

  it("puts 6 that comes before 5 behind it, once", async () => {
    await ledger.append(stream, 4);
    const client = await live();
    const [five] = await ledger.append(stream);
    const [six] = await ledger.append(stream);
    assert.ok(five && six);
    node.bus.announce([six]);
    node.bus.announce([five]);
    await client.reached(6);
    assert.deepEqual(client.seqs(), [5, 6]);
  });

  it("finds what nobody announced at the next look", async () => {
    const client = await live(0);
    await ledger.append(stream, 3);
    node.look();
    await client.reached(3);
    assert.deepEqual(client.seqs(), [1, 2, 3]);
  });

  it("looks again after a look that failed", async () => {
    let broken = false;
    node.tails.close();
    node = setup({
      ...ledger.log,
      heads: async (streams) => {
        if (broken) throw new Error("the database is away");
        return ledger.log.heads(streams);
      },
    });
    const client = await live(0);
    await ledger.append(stream);
    broken = true;
    node.look();
    await until(() => node.clock.pending() === 1);
    broken = false;
    node.look();
    await client.reached(1);
  });

  it("is not taken for erased when it began while a look was under way", async () => {
    const other = v7();
    const gate = Promise.withResolvers<void>();
    let looks = 0;
    node.tails.close();
    node = setup({
      ...ledger.log,
      heads: async (lines) => {
        const heads = await ledger.log.heads(lines);
        if (lines.length > 1 && ++looks === 1) await gate.promise;
        return heads;
      },
    });
    await ledger.append(stream);
    const old = await live();
    const young = watch(node.feed, other, { cursor: 0 });
    await until(() => node.tails.watched() === 2);
    node.look();
    const third = v7();
    await ledger.append(third);
    const late = watch(node.feed, third, { cursor: 0 });
    await late.reached(1);
    node.bus.announce(await ledger.append(other));
    await young.reached(1);
    await until(() => looks === 1);
    gate.resolve();
    node.bus.announce([
      ...(await ledger.append(stream)),
      ...(await ledger.append(other)),
      ...(await ledger.append(third)),
    ]);
    await Promise.all([old.reached(2), young.reached(2), late.reached(2)]);
    assert.deepEqual([old.done(), young.done(), late.done()], [false, false, false]);
  });

  it("catches up with more than a page that nobody announced", async () => {
    const client = await live();
    await ledger.append(stream, 1200);
    node.look();
    await client.reached(1200);
    assert.deepEqual(client.seqs(), range(1, 1200));
  });

  it("drops doubled and late announcements", async () => {
    const client = await live();
    const facts = await ledger.append(stream, 3);
    node.bus.announce(facts);
    node.bus.announce(facts);
    node.bus.announce(facts.slice(0, 1));
    node.bus.announce(await ledger.append(stream));
    await client.reached(4);
    assert.deepEqual(client.seqs(), [1, 2, 3, 4]);
  });

  it("gives only what its filter wants and minds no gaps in that", async () => {
    const client = watch(node.feed, stream, { cursor: 0, filter: ({ seq }) => seq % 2 === 0 });
    await until(() => node.tails.watched() === 1);
    node.bus.announce(await ledger.append(stream, 6));
    await client.reached(6);
    assert.deepEqual(client.seqs(), [2, 4, 6]);
  });

  it("shares one tail, which the last client closes", async () => {
    const first = await live();
    const second = await live();
    assert.equal(node.listeners(), 1);
    node.bus.announce(await ledger.append(stream));
    await Promise.all([first.reached(1), second.reached(1)]);
    // The same object: it is rendered once for all.
    assert.ok(first.facts()[0] === second.facts()[0]);
    first.leave();
    assert.equal(node.listeners(), 1);
    second.leave();
    assert.equal(node.listeners(), 0);
    assert.equal(node.tails.watched(), 0);
  });

  it("survives that the first client leaves while the tail is being opened", async () => {
    const first = watch(node.feed, stream, { cursor: 0 });
    const second = watch(node.feed, stream, { cursor: 0 });
    first.leave();
    node.bus.announce(await ledger.append(stream));
    node.look();
    await second.reached(1);
    second.leave();
    assert.equal(node.listeners(), 0);
  });

  it("leaves nothing behind when every client left before the tail was open", async () => {
    watch(node.feed, stream, { cursor: 0 }).leave();
    watch(node.feed, stream, { cursor: 0 }).leave();
    await until(() => node.listeners() === 0 && node.tails.watched() === 0);
  });

  it("misses nothing that is committed while the tail is being opened", async () => {
    let answered = () => {};
    const gate = new Promise<void>((resolve) => {
      answered = resolve;
    });
    let read = false;
    node.tails.close();
    node = setup({
      ...ledger.log,
      heads: async (streams) => {
        const heads = await ledger.log.heads(streams);
        read = true;
        await gate;
        return heads;
      },
    });
    const client = watch(node.feed, stream, { cursor: null });
    await until(() => read);
    node.bus.announce(await ledger.append(stream));
    answered();
    await client.reached(1);
  });

  it("reads no further once the client has left", async () => {
    await ledger.append(stream, 1000);
    let pages = 0;
    node.tails.close();
    node = setup({
      ...ledger.log,
      read: async (...of) => {
        pages++;
        return ledger.log.read(...of);
      },
    });
    const client = watch(node.feed, stream, { cursor: 0, pace: async () => client.leave() });
    await until(() => client.items.length > 0 && node.listeners() === 0);
    const seen = client.items.length;
    await ledger.append(stream);
    assert.equal(client.items.length, seen);
    assert.ok(pages <= 2, `${pages} pages`);
  });

  it("fails alone when the database goes away in its backfill", async () => {
    await ledger.append(stream, 500);
    let broken = false;
    node.tails.close();
    node = setup({
      ...ledger.log,
      read: async (...of) => {
        if (broken) throw new Error("the database is away");
        return ledger.log.read(...of);
      },
    });
    const other = await live();
    await until(() => other.items.length === 0);
    const client = watch(node.feed, stream, {
      cursor: 0,
      pace: async () => {
        broken = true;
      },
    });
    await until(() => client.error() !== undefined);
    assert.match(client.error()?.message ?? "", /database is away/);
    assert.equal(other.error(), undefined);
    node.bus.announce(await ledger.append(stream));
    await other.reached(501);
    other.leave();
    assert.equal(node.listeners(), 0);
  });

  it("fails when its tail cannot be opened, and the next client opens another", async () => {
    let broken = true;
    node.tails.close();
    node = setup({
      ...ledger.log,
      heads: async (streams) => {
        if (broken) throw new Error("the database is away");
        return ledger.log.heads(streams);
      },
    });
    const first = watch(node.feed, stream, { cursor: 0 });
    await until(() => first.error() !== undefined);
    assert.equal(node.listeners(), 0);
    broken = false;
    const second = await live(0);
    node.bus.announce(await ledger.append(stream));
    await second.reached(1);
  });

  it("goes on behind what was pruned under the tail, after a reset, and does not read for ever", async () => {
    await ledger.append(stream, 1);
    let pages = 0;
    node.tails.close();
    node = setup(
      {
        ...ledger.log,
        read: async (of, seq, limit) => {
          pages++;
          return ledger.log.read(of, Math.max(seq, 5), limit);
        },
      },
      10,
    );
    const client = await live();
    await ledger.append(stream, 100);
    node.look();
    await until(() => pages > 0);
    await client.reached(101);
    // As many queries as it would take to read on and on.
    for (let n = 0; n < 50; n++) await ledger.query("databaseNow");
    client.leave();
    assert.deepEqual(client.items[0], { kind: "reset", cursor: 5 });
    assert.deepEqual(client.seqs(), range(6, 101));
    assert.equal(pages, 10);
  });

  it("tells at the next look that the last of it was pruned before anybody here read it", async () => {
    await ledger.append(stream, 1);
    node.tails.close();
    node = setup({ ...ledger.log, read: async () => [] });
    const client = await live();
    await ledger.append(stream, 3);
    node.look();
    await until(() => client.items.length > 0);
    assert.deepEqual(client.items, [{ kind: "reset", cursor: 4 }]);
    node.bus.announce(await ledger.append(stream));
    await client.reached(5);
  });

  it("of all that an owner owns goes by its own numbers, over all streams", async () => {
    const line = ownerLine(ledger.owner);
    const before = (await ledger.log.heads([line])).get(line) ?? 0;
    const other = v7();
    const client = watch(node.feed, line, { cursor: null });
    await until(() => node.tails.watched() === 1);
    const announced = [
      ...(await ledger.append(stream, 2)),
      ...(await ledger.append(other, 3)),
      ...(await ledger.append(stream, 1)),
    ];
    node.bus.announce(announced.toReversed());
    await until(() => client.facts().length === 6);
    assert.deepEqual(
      client.facts().map(({ ownerSeq }) => ownerSeq),
      range(before + 1, before + 6),
    );
    const again = watch(node.feed, line, { cursor: before + 4 });
    await until(() => again.facts().length === 2);
    assert.deepEqual(
      again.facts().map(({ seq }) => seq),
      [3, 3],
    );
  });

  it("of all that an owner owns starts over where something was erased, and goes on", async () => {
    const line = ownerLine(ledger.owner);
    const erased = v7();
    await ledger.append(erased, 2);
    const [kept] = await ledger.append(stream, 1);
    const sql = connect(ledger.url, { max: 1, role: "admin" });
    await sql`delete from facts where stream_id = ${erased}`.finally(() => sql.end());
    const place = kept?.ownerSeq ?? 0;
    const client = watch(node.feed, line, { cursor: place - 3 });
    await until(() => client.items.length > 0);
    assert.deepEqual(client.items, [{ kind: "reset", cursor: place }]);
    const later = watch(node.feed, line, { cursor: place - 1 });
    await until(() => later.facts().length === 1);
    node.bus.announce(await ledger.append(stream, 1));
    await until(() => client.facts().length === 1 && later.facts().length === 2);
  });

  it("ends when the node closes, also while its tail is being opened", async () => {
    const client = await live();
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = setup({
      ...ledger.log,
      heads: async (streams) => {
        await gate;
        return ledger.log.heads(streams);
      },
    });
    const early = watch(slow.feed, stream, { cursor: 0 });
    await until(() => slow.listeners() === 1);
    node.tails.close();
    slow.tails.close();
    release();
    await until(client.done);
    await until(() => early.done() || early.error() !== undefined);
    assert.equal(node.listeners() + slow.listeners(), 0);
    assert.equal(node.clock.pending() + slow.clock.pending(), 0);
    const late = watch(slow.feed, stream, { cursor: 0 });
    await until(() => late.error() !== undefined);
    assert.equal(slow.listeners(), 0);
  });
});
