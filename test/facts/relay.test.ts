import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { v7 } from "uuid";
import { connect } from "../../src/db/connect.ts";
import type { Query } from "../../src/db/queries.ts";
import { createRelay, type Relay } from "../../src/facts/relay.ts";
import { createLog } from "../../src/log.ts";
import { createVirtualClock, type VirtualClock } from "../streams/clock.ts";
import { until } from "../streams/until.ts";
import { range } from "../streams/watch.ts";
import { createFakeBus, type FakeBus } from "./fake-bus.ts";
import { type Ledger, openLedger } from "./ledger.ts";

/** Something a test lets go of when it likes. */
const createGate = () => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
};

describe("the relay", () => {
  let ledger: Ledger;
  let bus: FakeBus;
  let clock: VirtualClock;
  let stream: string;
  let relays: Relay[];
  beforeEach(async () => {
    ledger = await openLedger();
    bus = createFakeBus();
    clock = createVirtualClock(Date.now());
    stream = v7();
    relays = [];
  });
  afterEach(async () => {
    for (const relay of relays) await relay.close();
    await ledger.close();
  });

  const start = ({ query = ledger.query, node = v7(), on = bus } = {}) => {
    const relay = createRelay({ query, bus: on, clock, node, log: createLog("silent") });
    relays.push(relay);
    relay.start();
    return relay;
  };
  const commit = async (count = 1, of = stream) => {
    await ledger.append(of, count);
    return [of];
  };
  const claims = () => ledger.query("claimStreams", [[stream], v7(), new Date(clock.now()), new Date(clock.now())]);
  /** Whether another node could claim the stream now. Claims it, already expired. */
  const isFree = async () => (await claims()).length === 1;
  /** Another node's claim. */
  const claim = (ms: number, node = v7()) =>
    ledger.query("claimStreams", [[stream], node, new Date(clock.now() + ms), new Date(clock.now())]);
  /** One look of the sweep, to its end. */
  const sweep = async (...of: Relay[]) => {
    clock.advance(1000);
    await until(() => clock.pending() >= relays.length);
    for (const relay of of) await relay.idle();
  };

  it("publishes what it is told of, in order, and notes it", async () => {
    const relay = start();
    relay.hint(await commit(5));
    await relay.idle();
    assert.deepEqual(bus.seqs(stream), range(1, 5));
    assert.equal(await relay.lag(), 0);
    assert.ok(await isFree());
  });

  it("publishes a stream that has more than a page", async () => {
    const relay = start();
    relay.hint(await commit(650));
    await relay.idle();
    assert.deepEqual(
      bus.sent.map(({ seq }) => seq),
      range(1, 650),
    );
    assert.equal(await relay.lag(), 0);
  });

  it("publishes many streams", async () => {
    const relay = start();
    const streams = range(1, 450).map(() => v7());
    for (const of of streams) await commit(2, of);
    relay.hint(streams);
    await relay.idle();
    for (const of of streams) assert.deepEqual(bus.seqs(of), [1, 2]);
    assert.equal(await relay.lag(), 0);
  });

  it("counts what is committed and not yet published", async () => {
    const relay = start();
    await commit(3);
    await commit(4, v7());
    assert.equal(await relay.lag(), 7);
  });

  it("finds by its sweep what nobody told it of", async () => {
    const relay = start();
    await commit(3);
    await sweep(relay);
    assert.deepEqual(bus.seqs(stream), [1, 2, 3]);
  });

  it("sends nothing after a fact that was refused, until that is taken", async () => {
    const relay = start();
    bus.refuse = ({ seq }) => seq === 3;
    relay.hint(await commit(5));
    await relay.idle();
    assert.deepEqual(bus.seqs(stream), [1, 2]);
    assert.equal(await relay.lag(), 3);
    bus.refuse = () => false;
    await sweep(relay);
    assert.deepEqual(
      bus.sent.map(({ seq }) => seq),
      [1, 2, 3, 3, 4, 5],
    );
    assert.equal(await relay.lag(), 0);
  });

  it("goes on with the other streams when one is refused", async () => {
    const relay = start();
    const other = v7();
    bus.refuse = (fact) => fact.stream === stream;
    await commit(2);
    await commit(2, other);
    relay.hint([stream, other]);
    await relay.idle();
    assert.deepEqual(bus.seqs(other), [1, 2]);
    assert.equal(await relay.lag(), 2);
  });

  it("never sends a fact before the one before it was taken", async () => {
    const relay = start();
    let underWay = 0;
    bus.hold = async () => {
      assert.equal(++underWay, 1);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
    };
    relay.hint(await commit(50));
    await relay.idle();
    assert.deepEqual(bus.seqs(stream), range(1, 50));
  });

  it("leaves alone what another node has claimed, until it is released", async () => {
    const relay = start();
    const other = v7();
    await claim(10_000, other);
    relay.hint(await commit(2));
    await relay.idle();
    await sweep(relay);
    assert.deepEqual(bus.sent, []);
    await ledger.query("releaseStreams", [[stream], other]);
    await sweep(relay);
    assert.deepEqual(bus.seqs(stream), [1, 2]);
  });

  it("takes over what a node that died had claimed, when the claim has run out", async () => {
    const relay = start();
    await commit(2);
    await claim(10_000);
    for (let second = 1; second < 10; second++) await sweep(relay);
    assert.deepEqual(bus.sent, []);
    await sweep(relay);
    assert.deepEqual(bus.seqs(stream), [1, 2]);
  });

  it("sends no more of a page when its own claim may run out", async () => {
    const relay = start();
    const gate = createGate();
    bus.hold = ({ seq }) => (seq === 3 ? gate.opened : undefined);
    relay.hint(await commit(6));
    await until(() => bus.sent.length === 3);
    clock.advance(6_000);
    bus.hold = ({ seq }) => {
      // By then it must have claimed again.
      assert.ok(seq > 3);
    };
    gate.open();
    await relay.idle();
    assert.deepEqual(bus.seqs(stream), range(1, 6));
    assert.deepEqual(
      bus.sent.map(({ seq }) => seq),
      range(1, 6),
    );
  });

  it("keeps the order when a frozen node wakes after another took over", async () => {
    const frozen = start();
    const gate = createGate();
    bus.hold = ({ seq }) => (seq === 3 ? gate.opened : undefined);
    frozen.hint(await commit(6));
    await until(() => bus.sent.length === 3);
    clock.advance(10_000);
    bus.hold = () => {};
    const awake = start();
    awake.hint([stream]);
    await awake.idle();
    assert.deepEqual(bus.seqs(stream), range(1, 6));
    await commit(2);
    gate.open();
    await frozen.idle();
    awake.hint([stream]);
    await awake.idle();
    assert.deepEqual(bus.seqs(stream), range(1, 8));
    assert.equal(await frozen.lag(), 0);
  });

  it("loses no hint, however it falls between two rounds", async () => {
    const relay = start();
    for (let turns = 0; turns < 12; turns++) {
      relay.hint(await commit());
      const released = relay.idle();
      await commit(1);
      // A little later each time: once it is the very moment at which the round ends.
      let late: Promise<void> = Promise.resolve();
      const hinted = released.then(async () => {});
      for (let n = 0; n < turns; n++) late = late.then(() => {});
      relay.hint([stream]);
      await Promise.all([hinted, late]);
      await relay.idle();
      assert.equal(await relay.lag(), 0, `after ${turns} turns`);
    }
  });

  it("publishes everything again when the bus lost its storage, though nothing new is committed", async () => {
    const relay = start();
    relay.hint(await commit(250));
    await relay.idle();
    bus.wipe();
    await sweep(relay);
    await sweep(relay);
    assert.deepEqual(bus.seqs(stream), range(1, 250));
    assert.equal(await relay.lag(), 0);
  });

  it("notices a lost storage also while hints never cease", async () => {
    const relay = start();
    relay.hint(await commit(5));
    await relay.idle();
    bus.wipe();
    bus.refuse = () => true;
    let busy = true;
    const load = (async () => {
      while (busy) {
        relay.hint(await commit(1, v7()));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const incarnation = bus.incarnation;
    bus.incarnation = async () => {
      // As on JetStream: asking makes the stream that was lost.
      bus.refuse = () => false;
      return incarnation();
    };
    await until(() => bus.seqs(stream).length > 0 || bus.stored().length > 0);
    busy = false;
    await load;
    await sweep(relay);
    await sweep(relay);
    assert.deepEqual(bus.seqs(stream), range(1, 5));
    assert.equal(await relay.lag(), 0);
  });

  it("publishes everything again also when a node was in the middle as another noticed", async () => {
    const late = start();
    const other = v7();
    late.hint(await commit(4, other));
    await late.idle();
    const gate = createGate();
    bus.hold = ({ seq, stream: of }) => (of === stream && seq === 4 ? gate.opened : undefined);
    late.hint(await commit(4));
    await until(() => bus.sent.some(({ seq, stream: of }) => of === stream && seq === 4));
    bus.wipe();
    // This one notices, goes back to the start, and publishes what is not claimed.
    const first = start();
    await commit(1, other);
    first.hint([other]);
    await first.idle();
    await sweep(first);
    bus.hold = () => {};
    gate.open();
    await late.idle();
    // `late` has now noted facts 1 to 4 as published: they were, on the storage that is lost.
    for (let looks = 0; looks < 3; looks++) await sweep(first, late);
    assert.deepEqual(bus.seqs(stream), range(1, 4));
    assert.deepEqual(bus.seqs(other), range(1, 5));
  });

  it("publishes again what it could not note, and releases its claim", async () => {
    let broken = true;
    const query: Query = async (name, parameters) => {
      if (broken && name === "movePublished") throw new Error("the database is away");
      return ledger.query(name, parameters);
    };
    const relay = start({ query });
    relay.hint(await commit(3));
    await relay.idle();
    assert.equal(await relay.lag(), 3);
    assert.ok(await isFree());
    broken = false;
    await sweep(relay);
    assert.deepEqual(bus.seqs(stream), [1, 2, 3]);
    assert.equal(await relay.lag(), 0);
  });

  it("outlives a database that is away for any of its queries", async () => {
    let broken = "";
    const query: Query = async (name, parameters) => {
      if (name === broken) throw new Error("the database is away");
      return ledger.query(name, parameters);
    };
    const relay = start({ query });
    const names = ["unpublishedStreams", "readIncarnation", "claimStreams", "unpublishedFacts", "movePublished"];
    for (const name of [...names, "releaseStreams"]) {
      broken = name;
      relay.hint(await commit(2));
      await relay.idle();
      await sweep(relay);
      broken = "";
      clock.advance(10_000);
      await until(() => clock.pending() >= 1);
      await sweep(relay);
      assert.equal(await relay.lag(), 0, name);
    }
    assert.deepEqual(bus.seqs(stream), range(1, 12));
  });

  it("outlives a bus that is away", async () => {
    const relay = start();
    bus.away = true;
    relay.hint(await commit(2));
    await relay.idle();
    await sweep(relay);
    bus.away = false;
    await sweep(relay);
    assert.deepEqual(bus.seqs(stream), [1, 2]);
  });

  it("never waits for a stream while it holds another against a commit", async () => {
    const relay = start();
    const sql = connect(ledger.url, { max: 1, role: "admin" });
    const [low = "", high = ""] = [v7(), v7()].sort();
    for (const [mine, wanted] of [
      [low, high],
      [high, low],
    ] as const) {
      await commit(1, low);
      await commit(1, high);
      await sql.begin(async (tx) => {
        await tx`select 1 from streams where id = ${mine} for no key update`;
        relay.hint([low, high]);
        await until(async () => {
          const [row] = await tx`select count(*)::int as n from pg_locks where not granted`;
          return row?.n === 1;
        });
        // A deadlock if the relay held it.
        await tx`set local lock_timeout = '100ms'`;
        await tx`select 1 from streams where id = ${wanted} for no key update`;
      });
      await relay.idle();
    }
    await sql.end({ timeout: 5 });
    assert.equal(await relay.lag(), 0);
  });

  it("keeps the order with two nodes on the same streams", async () => {
    const relays = [start(), start()];
    const streams = range(1, 5).map(() => v7());
    bus.hold = () => new Promise((resolve) => setImmediate(resolve));
    await Promise.all(
      range(1, 6).map(async (worker) => {
        for (let round = 0; round < 25; round++) {
          const of = streams[(worker + round) % streams.length] ?? "";
          relays[worker % 2]?.hint(await commit(1 + (round % 3), of));
        }
      }),
    );
    for (const relay of relays) await relay.idle();
    await sweep(...relays);
    await sweep(...relays);
    assert.equal(await relays[0]?.lag(), 0);
    for (const of of streams) {
      const seqs = bus.seqs(of);
      assert.deepEqual(seqs, range(1, seqs.length));
    }
    assert.equal(bus.stored().length, 6 * (9 * 1 + 8 * 2 + 8 * 3));
  });

  it("publishes what it knows of before it closes, and nothing after", async () => {
    const relay = start();
    relay.hint(await commit(300));
    await relay.close();
    assert.deepEqual(bus.seqs(stream), range(1, 300));
    assert.equal(clock.pending(), 0);
    relay.hint(await commit(1));
    await relay.idle();
    assert.equal(bus.sent.length, 300);
    assert.ok(await isFree());
  });

  it("closes in time though there is always more, and goes on from there at the next start", async () => {
    const relay = start();
    bus.hold = () => new Promise((resolve) => setImmediate(resolve));
    relay.hint(await commit(2_000));
    await until(() => bus.sent.length > 10);
    const closed = relay.close();
    clock.advance(3_000);
    await closed;
    assert.ok(bus.sent.length < 2_000, "it did not stop");
    assert.equal(await relay.lag(), 2_000 - bus.sent.length);
    assert.ok(await isFree());
    assert.equal(clock.pending(), 0);
    const next = start();
    next.hint([stream]);
    await next.idle();
    assert.deepEqual(
      bus.sent.map(({ seq }) => seq),
      range(1, 2_000),
    );
  });
});
