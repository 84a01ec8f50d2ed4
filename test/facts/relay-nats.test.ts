import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { connect } from "nats";
import { v7 } from "uuid";
import { createNatsBus } from "../../src/bus/nats.ts";
import { STREAM } from "../../src/bus/subjects.ts";
import { createRelay } from "../../src/facts/relay.ts";
import { createRenewal } from "../../src/facts/renewal.ts";
import { createLog } from "../../src/log.ts";
import { realClock } from "../actors/bundle.ts";
import { openDoor } from "../bus/door.ts";
import { readStored } from "../bus/stored.ts";
import { until } from "../streams/until.ts";
import { range } from "../streams/watch.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { startNats, type TestNats } from "../support/nats.ts";
import { type Ledger, openLedger } from "./ledger.ts";

const STREAMS = 8;

describe("the relay on a real nats-server", () => {
  let nats: TestNats;
  let store: string;
  let ledger: Ledger;
  let streams: string[];
  let opened: AsyncDisposableStack;
  before(async () => {
    store = await temporaryDirectory();
    nats = await startNats({ storeDir: store });
  });
  after(async () => {
    await nats.stop();
    await rm(store, { recursive: true, force: true });
  });
  beforeEach(async () => {
    opened = new AsyncDisposableStack();
    ledger = await openLedger();
    opened.defer(() => ledger.close());
    streams = range(1, STREAMS).map(() => v7());
  });
  afterEach(() => opened.disposeAsync());

  const start = async (url = nats.url) => {
    const log = createLog("silent");
    const beforeNew = createRenewal({ query: ledger.query, clock: realClock });
    const config = { NATS_URL: url };
    const bus = await createNatsBus({ config, source: "https://darkroom.example", beforeNew, log });
    const relay = createRelay({ query: ledger.query, bus, clock: realClock, node: v7(), log });
    opened.defer(async () => {
      await relay.close();
      await bus.close();
    });
    relay.start();
    return relay;
  };
  type Relay = Awaited<ReturnType<typeof start>>;

  /** Commits to all streams, on one node after the other, until it is stopped. */
  const load = (relays: Relay[]) => {
    const committed = new Map<string, number>();
    let go = true;
    const done = (async () => {
      for (let round = 0; go; round++) {
        await Promise.all(
          streams.map(async (stream, n) => {
            const count = 1 + ((round + n) % 3);
            await ledger.append(stream, count);
            committed.set(stream, (committed.get(stream) ?? 0) + count);
            relays[(round + n) % relays.length]?.hint([stream]);
          }),
        );
      }
    })();
    const total = () => [...committed.values()].reduce((sum, count) => sum + count, 0);
    return {
      total,
      reached: (count: number) => until(() => total() >= count),
      stop: async () => {
        go = false;
        await done;
      },
    };
  };
  const isPublished = (relay: Relay) => until(async () => (await relay.lag()).facts === 0, 20_000);
  /** Every fact, each stream in its order. Resolves to how many of them were stored more than once. */
  const isWhole = async (total: number) => {
    let facts = 0;
    let doubled = 0;
    for (const stream of streams) {
      const stored = await readStored(nats.url, `darkroom.*.${stream}.>`);
      const ids = new Set<string>();
      const once = stored.filter(({ messageId }) => !ids.has(messageId) && ids.add(messageId));
      assert.deepEqual(
        once.map(({ fact }) => fact.seq),
        range(1, once.length),
      );
      assert.ok(stored.every(({ fact, messageId }) => messageId === `${stream}:${fact.seq}`));
      facts += once.length;
      doubled += stored.length - once.length;
    }
    assert.equal(facts, total);
    return doubled;
  };

  it("brings every committed fact to JetStream, as it is in the log", async () => {
    const relay = await start();
    const [stream = ""] = streams;
    const facts = await ledger.append(stream, 30, { text: "énd 🦊" });
    relay.hint([stream]);
    await isPublished(relay);
    const stored = await readStored(nats.url, `darkroom.*.${stream}.>`);
    assert.deepEqual(
      stored.map(({ fact }) => fact),
      facts,
    );
    assert.equal(stored[0]?.subject, `darkroom.${ledger.owner}.${stream}.message.${facts[0]?.actorId}.created`);
  });

  it("loses nothing and keeps the order when the server is killed under load", async () => {
    const relay = await start();
    const work = load([relay]);
    await work.reached(300);
    await nats.kill();
    const before = work.total();
    await work.reached(before + 600);
    await nats.restart();
    await work.reached(before + 900);
    await work.stop();
    await isPublished(relay);
    // Within the two minutes in which JetStream remembers message ids, none is stored twice.
    assert.equal(await isWhole(work.total()), 0);
  });

  it("loses nothing and keeps the order when one of two nodes is cut off under load", async () => {
    const door = await openDoor(nats.url);
    opened.defer(() => door.close());
    const near = await start();
    const far = await start(door.url);
    const work = load([near, far]);
    await work.reached(300);
    door.cut();
    await work.reached(work.total() + 600);
    door.mend();
    await work.reached(work.total() + 300);
    await work.stop();
    await isPublished(near);
    assert.equal(await isWhole(work.total()), 0);
  });

  it("publishes everything again after the storage was lost", async () => {
    const relay = await start();
    const work = load([relay]);
    await work.reached(200);
    await work.stop();
    await isPublished(relay);
    await nats.kill();
    for (const name of await readdir(store)) await rm(join(store, name), { recursive: true, force: true });
    await nats.restart();
    await until(
      () =>
        isWhole(work.total()).then(
          () => true,
          () => false,
        ),
      20_000,
    );
    assert.equal(await isWhole(work.total()), 0);
  });

  it("keeps the order when the storage is lost while three nodes publish", async () => {
    const relays = [await start(), await start(), await start()];
    const work = load(relays);
    await work.reached(300);
    for (let time = 0; time < 3; time++) {
      const connection = await connect({ servers: nats.url });
      await (await connection.jetstreamManager()).streams.delete(STREAM);
      await connection.close();
      await work.reached(work.total() + 600);
    }
    await work.stop();
    await isPublished(relays[0] as Relay);
    await until(
      () =>
        isWhole(work.total()).then(
          () => true,
          () => false,
        ),
      20_000,
    );
    await isWhole(work.total());
  });
});
