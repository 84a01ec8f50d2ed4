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

describe("the relay", () => {
  let ledger: Ledger;
  let bus: FakeBus;
  let clock: VirtualClock;
  let stream: string;
  let relays: Relay[];
  let gates: (() => void)[];
  beforeEach(async () => {
    ledger = await openLedger();
    bus = createFakeBus();
    clock = createVirtualClock(Date.now());
    stream = v7();
    relays = [];
    gates = [];
  });
  afterEach(async () => {
    for (const open of gates) open();
    for (const relay of relays) await relay.close();
    await ledger.close();
  });

  /** Something that a test lets go of when it likes. */
  const createGate = () => {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    gates.push(open);
    return { open, opened };
  };
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
    await until(() => clock.pending() >= of.length);
    for (const relay of of) await relay.idle();
  };

  it("publishes what it is told of, in order, and notes it", async () => {
    const relay = start();
    relay.hint(await commit(5));
    await relay.idle();
    assert.deepEqual(bus.seqs(stream), range(1, 5));
    assert.equal((await relay.lag()).facts, 0);
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
    assert.equal((await relay.lag()).facts, 0);
  });

  it("publishes many streams", async () => {
    const relay = start();
    const streams = range(1, 450).map(() => v7());
    for (const of of streams) await commit(2, of);
    relay.hint(streams);
    await relay.idle();
    for (const of of streams) assert.deepEqual(bus.seqs(of), [1, 2]);
    assert.equal((await relay.lag()).facts, 0);
  });

  it("counts what is committed and not yet published, and tells the age of the oldest of it", async () => {
    const relay = start();
    assert.deepEqual(await relay.lag(), { facts: 0, seconds: 0 });
    await commit(3);
    await commit(4, v7());
    const before = await relay.lag();
    assert.equal(before.facts, 7);
    await ledger.query("databaseNow");
    const after = await relay.lag();
    assert.ok(before.seconds > 0 && before.seconds < 60 && after.seconds > before.seconds, `${after.seconds} s`);
  });

  it("finds by its sweep what nobody told it of", async () => {
    const relay = start();
    await commit(3);
    await sweep(relay);
    assert.deepEqual(bus.seqs(stream), [1, 2, 3]);
  });

  it("finds by one look of its sweep all that nobody told it of, however many streams", async () => {
    const relay = start();
    const streams = range(1, 700).map(() => v7());
    await Promise.all(streams.map((of) => commit(1, of)));
    await sweep(relay);
    assert.equal(bus.stored().length, 700);
    assert.equal((await relay.lag()).facts, 0);
  });

  it("looks for what nobody told it of also while hints never cease", async () => {
    const relay = start();
    const forgotten = v7();
    await commit(1, forgotten);
    let busy = true;
    const load = (async () => {
      while (busy) {
        relay.hint(await commit());
        relay.hint(await commit());
      }
    })();
    // Each fact takes longer than the next commit, so that the relay never comes to rest.
    bus.hold = () => new Promise((resolve) => setTimeout(resolve, 20));
    await until(() => bus.sent.length > 3);
    clock.advance(1000);
    await until(() => bus.seqs(forgotten).length === 1);
    busy = false;
    await load;
    bus.hold = () => {};
    await relay.idle();
  });

  it("sends nothing after a fact that was refused, until that is taken", async () => {
    const relay = start();
    bus.refuse = ({ seq }) => seq === 3;
    relay.hint(await commit(5));
    await relay.idle();
    assert.deepEqual(bus.seqs(stream), [1, 2]);
    assert.equal((await relay.lag()).facts, 3);
    bus.refuse = () => false;
    await sweep(relay);
    assert.deepEqual(
      bus.sent.map(({ seq }) => seq),
      [1, 2, 3, 3, 4, 5],
    );
    assert.equal((await relay.lag()).facts, 0);
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
    assert.equal((await relay.lag()).facts, 2);
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

  it("sends no more of a page when its claim may have run out", async () => {
    const relay = start();
    const gate = createGate();
    bus.hold = ({ seq }) => (seq === 3 ? gate.opened : undefined);
    relay.hint(await commit(6));
    await until(() => bus.sent.length === 3);
    clock.advance(10_000);
    const other = v7();
    await claim(10_000, other);
    gate.open();
    await relay.idle();
    assert.equal(bus.sent.length, 3);
    await ledger.query("releaseStreams", [[stream], other]);
    await sweep(relay);
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
    assert.equal((await frozen.lag()).facts, 0);
  });

  it("loses no hint, however close it falls to the end of a round", async () => {
    for (let turns = 0; turns < 15; turns++) {
      let hinted = false;
      const query: Query = async (name, parameters) => {
        if (name !== "releaseStreams" || hinted) return ledger.query(name, parameters);
        // Committed after the round has read its last page; told a little later in each run.
        await commit();
        const answer = await ledger.query(name, parameters);
        let moment = Promise.resolve();
        for (let n = 0; n < turns; n++) moment = moment.then(() => {});
        void moment.then(() => {
          hinted = true;
          relay.hint([stream]);
        });
        return answer as never;
      };
      const relay = start({ query });
      relay.hint(await commit());
      await until(() => hinted);
      await relay.idle();
      assert.equal((await relay.lag()).facts, 0, `after ${turns} turns`);
      await relay.close();
    }
  });

  it("takes a hint of nothing", async () => {
    const relay = start();
    relay.hint(await commit());
    await relay.idle();
    relay.hint([]);
    relay.hint(await commit());
    await relay.idle();
    assert.deepEqual(bus.seqs(stream), [1, 2]);
  });

  it("publishes everything again when the bus lost its storage, though nothing new is committed", async () => {
    const relay = start();
    relay.hint(await commit(250));
    await relay.idle();
    bus.wipe();
    await sweep(relay);
    await sweep(relay);
    assert.deepEqual(bus.seqs(stream), range(1, 250));
    assert.equal((await relay.lag()).facts, 0);
  });

  it("publishes everything again, once, when the bus forgot all and kept its name, though two nodes notice", async () => {
    const relays = [start(), start()];
    relays[0]?.hint(await commit(20));
    await relays[0]?.idle();
    await sweep(...relays);
    bus.forget();
    for (let looks = 0; looks < 4; looks++) await sweep(...relays);
    assert.deepEqual(bus.seqs(stream), range(1, 20));
    const [known] = await ledger.query<{ losses: number; rewound: number }>("readIncarnation", ["nats"]);
    assert.deepEqual([known?.losses, known?.rewound], [1, 1]);
    const sent = bus.sent.length;
    for (let looks = 0; looks < 3; looks++) await sweep(...relays);
    assert.equal(bus.sent.length, sent);
  });

  it("goes back to the start for a node that noticed a loss and died", async () => {
    let died = false;
    const query: Query = async (name, parameters) => {
      if (died || name === "rewindPublished") {
        died = true;
        throw new Error("the node is gone");
      }
      return ledger.query(name, parameters);
    };
    const dying = start({ query });
    dying.hint(await commit(8));
    await dying.idle();
    await sweep(dying);
    bus.forget();
    await sweep(dying);
    assert.ok(died);
    await dying.close();
    const next = start();
    await sweep(next);
    await sweep(next);
    assert.deepEqual(bus.seqs(stream), range(1, 8));
  });

  it("takes the loss of a storage of before for what it was: seen to already", async () => {
    const before = start();
    before.hint(await commit(3));
    await before.idle();
    bus.forget();
    for (let looks = 0; looks < 3; looks++) await sweep(before);
    await before.close();
    const sent = bus.sent.length;
    const next = start();
    for (let looks = 0; looks < 3; looks++) await sweep(next);
    assert.equal(bus.sent.length, sent);
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
    const { storage } = bus;
    bus.storage = async (known) => {
      // As on JetStream: asking makes the stream that was lost.
      bus.refuse = () => false;
      return storage(known);
    };
    await until(() => bus.seqs(stream).length > 0 || bus.stored().length > 0);
    busy = false;
    await load;
    await sweep(relay);
    await sweep(relay);
    assert.deepEqual(bus.seqs(stream), range(1, 5));
    assert.equal((await relay.lag()).facts, 0);
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
    assert.equal((await relay.lag()).facts, 3);
    assert.ok(await isFree());
    broken = false;
    await sweep(relay);
    assert.deepEqual(bus.seqs(stream), [1, 2, 3]);
    assert.equal((await relay.lag()).facts, 0);
  });

  it("notes what it published of the others while somebody keeps a stream locked", async () => {
    const relay = start();
    const other = v7();
    await commit(2);
    await commit(3, other);
    const frozen = connect(ledger.url, { max: 1, role: "admin" });
    const session = await frozen.reserve();
    await session`begin`;
    await session`select 1 from streams where id = ${stream} for update`;
    relay.hint([stream, other]);
    await relay.idle();
    assert.deepEqual(bus.seqs(other), range(1, 3));
    assert.equal((await relay.lag()).facts, 2);
    await session`rollback`;
    session.release();
    await frozen.end();
    await sweep(relay);
    assert.deepEqual(bus.seqs(stream), [1, 2]);
    assert.equal((await relay.lag()).facts, 0);
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
      assert.equal((await relay.lag()).facts, 0, name);
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

  it("takes its locks in the order of the ids, as commits do, so that the two never deadlock", async () => {
    const relay = start();
    const sql = connect(ledger.url, { max: 1, role: "admin" });
    const [low = "", high = ""] = [v7(), v7()].sort();
    await commit(1, low);
    await commit(1, high);
    await sql.begin(async (tx) => {
      await tx`select 1 from streams where id = ${low} for no key update`;
      relay.hint([high, low]);
      await until(async () => {
        const [row] = await tx`select count(*)::int as n from pg_locks where not granted`;
        return row?.n === 1;
      });
      // The relay waits for the first; a deadlock if it held the second.
      await tx`set local lock_timeout = '100ms'`;
      await tx`select 1 from streams where id = ${high} for no key update`;
    });
    await relay.idle();
    await sql.end({ timeout: 5 });
    assert.equal((await relay.lag()).facts, 0);
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
    assert.equal((await relays[0]?.lag())?.facts, 0);
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

  it("closes after the look that is under way", async () => {
    const gate = createGate();
    let closed = false;
    const query: Query = async (name, parameters) => {
      assert.equal(closed, false, `${name} after the end`);
      if (name === "unpublishedStreams") await gate.opened;
      return ledger.query(name, parameters);
    };
    const relay = start({ query });
    await commit(2);
    clock.advance(1000);
    const closing = relay.close().then(() => {
      closed = true;
    });
    gate.open();
    await closing;
    assert.deepEqual(bus.seqs(stream), [1, 2]);
    assert.equal(clock.pending(), 0);
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
    assert.equal((await relay.lag()).facts, 2_000 - bus.sent.length);
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
