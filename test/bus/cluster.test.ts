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
    await manager.streams.delete(STREAM);
  });

  const open = async (replicas: number, url = cluster.url) => {
    const log = createLog("silent");
    const config = { NATS_URL: url, NATS_STREAM_REPLICAS: replicas };
    const bus = await createNatsBus({ config, source: "https://darkroom.example", log });
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
  const isPublished = (relay: Relay) => until(async () => (await relay.lag()) === 0, PATIENCE_MS);
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
});
