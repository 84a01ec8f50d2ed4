import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { connect, type JetStreamManager, type NatsConnection } from "nats";
import { v7 } from "uuid";
import { createNatsBus } from "../../src/bus/nats.ts";
import { STREAM } from "../../src/bus/subjects.ts";
import { createRelay, type Relay } from "../../src/facts/relay.ts";
import { createLog } from "../../src/log.ts";
import { realClock } from "../actors/bundle.ts";
import { type Ledger, openLedger } from "../facts/ledger.ts";
import { until } from "../streams/until.ts";
import { range } from "../streams/watch.ts";
import { startNatsCluster, type TestCluster } from "../support/nats-cluster.ts";
import { readEach } from "./stored.ts";

const STREAMS = 6;
/** Debian's takes 10 s and more to find another leader. */
const PATIENCE_MS = 60_000;
const LIMIT = { timeout: 180_000 };

describe("a cluster of three NATS servers", () => {
  let cluster: TestCluster;
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let opened: AsyncDisposableStack;
  let ledger: Ledger;
  let streams: string[];
  before(async () => {
    cluster = await startNatsCluster();
    connection = await connect({ servers: cluster.url.split(","), maxReconnectAttempts: -1, reconnectTimeWait: 250 });
    manager = await connection.jetstreamManager({ timeout: 5_000 });
  });
  after(async () => {
    await connection.close();
    await cluster.stop();
  });
  beforeEach(async () => {
    opened = new AsyncDisposableStack();
    ledger = await openLedger();
    opened.defer(() => ledger.close());
    streams = range(1, STREAMS).map(() => v7());
  });
  afterEach(async () => {
    await opened.disposeAsync();
    const remove = async () => {
      await manager.streams.delete(STREAM);
      return true;
    };
    await until(() => remove().catch((error) => /not found/.test(String(error))), PATIENCE_MS);
  });

  const open = async (replicas: number, { url = cluster.url, staleMs = undefined as number | undefined } = {}) => {
    const log = createLog("silent");
    const config = { NATS_URL: url, NATS_STREAM_REPLICAS: replicas };
    const bus = await createNatsBus({ config, source: "https://darkroom.example", log, staleMs });
    const relay = createRelay({ query: ledger.query, bus, clock: realClock, node: v7(), log });
    opened.defer(async () => {
      await relay.close();
      await bus.close();
    });
    relay.start();
    return relay;
  };

  /** Commits to all streams until it is stopped. */
  const load = (relay: Relay) => {
    let total = 0;
    let go = true;
    const done = (async () => {
      while (go) {
        await Promise.all(streams.map((stream) => ledger.append(stream, 2)));
        total += 2 * STREAMS;
        relay.hint(streams);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    return {
      total: () => total,
      reached: (count: number) => until(() => total >= count, PATIENCE_MS),
      stop: async () => {
        go = false;
        await done;
        return total;
      },
    };
  };
  const isPublished = (relay: Relay) => until(async () => (await relay.lag()).facts === 0, PATIENCE_MS);
  const stateOf = async () => {
    const { config, cluster: raft, state } = await manager.streams.info(STREAM);
    const current = (raft?.replicas ?? []).filter((peer) => peer.current && !peer.offline).length;
    return { replicas: config.num_replicas, current, messages: state.messages };
  };
  /** Every fact, each stream in its order, once. */
  const isWhole = async (total: number) => {
    const byStream = Map.groupBy(await readEach(cluster.url), ({ fact }) => fact.stream);
    for (const stream of streams) {
      assert.deepEqual(
        byStream.get(stream)?.map(({ fact }) => fact.seq),
        range(1, total / STREAMS),
      );
    }
  };

  it("keeps three copies of each fact, in order and once, though the leader is killed under load", LIMIT, async () => {
    const relay = await open(3);
    assert.equal((await stateOf()).replicas, 3);
    const work = load(relay);
    await work.reached(300);
    const leader = await cluster.leaderOf(STREAM);
    await leader.kill();
    const killedAt = performance.now();
    const before = work.total();
    await until(async () => (await stateOf().catch(() => null)) !== null, PATIENCE_MS);
    await work.reached(before + 300);
    const total = await work.stop();
    await isPublished(relay);
    const caughtUp = performance.now() - killedAt;
    await isWhole(total);
    await leader.restart();
    await until(async () => (await stateOf().catch(() => null))?.current === 2, PATIENCE_MS);
    await isWhole(total);
    console.log(
      `cluster: ${total} facts over ${STREAMS} streams, leader killed after ${before}, all stored ${(caughtUp / 1000).toFixed(1)} s later, none twice`,
    );
  });

  /** The one server that holds the stream loses its disk; on a cluster the stream comes back empty, by its old name. */
  const loseTheOnlyCopy = async () => {
    const before = await manager.streams.info(STREAM);
    const holder = await cluster.leaderOf(STREAM);
    await holder.kill();
    await holder.restart({ wiped: true });
    await until(
      async () => (await manager.streams.info(STREAM).catch(() => null))?.cluster?.leader !== undefined,
      PATIENCE_MS,
    );
    const { created } = await manager.streams.info(STREAM);
    assert.equal(created, before.created);
  };

  it("gets everything again when the only copy was lost, though nothing new happens", LIMIT, async () => {
    const relay = await open(1, { staleMs: 1_000 });
    for (const stream of streams) await ledger.append(stream, 20);
    relay.hint(streams);
    await isPublished(relay);
    await isWhole(20 * STREAMS);
    await loseTheOnlyCopy();
    await until(
      () =>
        isWhole(20 * STREAMS).then(
          () => true,
          () => false,
        ),
      PATIENCE_MS,
    );
  });

  it("gets everything again when the only copy was lost under load", LIMIT, async () => {
    const relay = await open(1);
    const work = load(relay);
    await work.reached(200);
    await loseTheOnlyCopy();
    await work.reached(work.total() + 200);
    const total = await work.stop();
    await until(async () => {
      if ((await relay.lag()).facts > 0) return false;
      const stored = await readEach(cluster.url);
      return new Set(stored.map(({ messageId }) => messageId)).size === total;
    }, PATIENCE_MS);
    // Some that were published after the loss came before those from the start; consumers go by their numbers.
    const ids = new Set<string>();
    const once = (await readEach(cluster.url)).filter(({ messageId }) => !ids.has(messageId) && ids.add(messageId));
    assert.equal(once.length, total);
  });

  it("catches up a server that lost its disk, and is not told everything again", LIMIT, async () => {
    const relay = await open(3);
    for (const stream of streams) await ledger.append(stream, 10);
    relay.hint(streams);
    await isPublished(relay);
    const leader = await cluster.leaderOf(STREAM);
    await leader.kill();
    await leader.restart({ wiped: true });
    await until(async () => (await stateOf().catch(() => null))?.current === 2, PATIENCE_MS);
    for (const stream of streams) await ledger.append(stream, 10);
    relay.hint(streams);
    await isPublished(relay);
    await isWhole(20 * STREAMS);
    assert.equal((await stateOf()).messages, 20 * STREAMS);
    const [known] = await ledger.query<{ losses: number }>("readIncarnation", ["nats"]);
    assert.equal(known?.losses, 0);
  });

  it("is used by way of another server when the one that a node talks to stands still", LIMIT, async () => {
    await open(3);
    const leader = await cluster.leaderOf(STREAM);
    const still = cluster.servers.find(({ name }) => name !== leader.name);
    assert.ok(still);
    // The first of the list is tried first; the others are heard of from it.
    const relay = await open(3, { url: still.url });
    await ledger.append(streams[0] ?? "", 5);
    relay.hint(streams);
    await isPublished(relay);
    still.freeze();
    try {
      await ledger.append(streams[0] ?? "", 5);
      relay.hint(streams);
      await isPublished(relay);
    } finally {
      still.thaw();
    }
  });
});
