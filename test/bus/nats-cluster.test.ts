import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { v7 } from "uuid";
import { createNatsBus } from "../../src/bus/nats.ts";
import { STREAM, streamSubject } from "../../src/bus/subjects.ts";
import { readConfig } from "../../src/config.ts";
import { createLog } from "../../src/log.ts";
import type { Bus, Fact } from "../../src/ports.ts";
import { until } from "../streams/until.ts";
import { range } from "../streams/watch.ts";
import { type NatsCluster, startNatsCluster } from "../support/nats-cluster.ts";
import { factsOf } from "./facts.ts";
import { readStored } from "./stored.ts";

const STREAMS = 5;
const FACTS = 60;
const ELECTION_MS = 30_000;

describe("NATS in a cluster of three", () => {
  let cluster: NatsCluster;
  before(async () => {
    cluster = await startNatsCluster();
    console.log(`nats-server ${cluster.version}`);
  });
  after(() => cluster.stop());

  /** Publishes all of them, in order, however often that takes: as the relay does. */
  const publishAll = async (bus: Bus, facts: Fact[]) => {
    let taken = 0;
    await until(async () => {
      taken += await bus.publish(facts.slice(taken));
      return taken === facts.length;
    }, ELECTION_MS);
  };

  it("takes every fact once and in order while the leader of the stream is killed, twice", async () => {
    const config = readConfig({ NATS_URL: cluster.url, NATS_STREAM_REPLICAS: "3", S3_EMBEDDED_SHARED: "1" });
    const bus = await createNatsBus({ config, source: "x", log: createLog("silent") });
    const incarnation = await bus.incarnation();
    const streams = range(1, STREAMS).map(() => v7());
    for (const turn of [0, 1]) {
      const publishing = Promise.all(
        streams.map((stream) => publishAll(bus, factsOf(stream, turn * FACTS + 1, (turn + 1) * FACTS))),
      );
      const dead = await cluster.killLeader(STREAM);
      await publishing;
      await cluster.restart(dead);
      await until(
        () =>
          cluster.current(STREAM).then(
            (current) => current === 3,
            () => false,
          ),
        ELECTION_MS,
      );
    }
    for (const stream of streams) {
      const seqs = (await readStored(cluster.url, streamSubject(stream))).map(({ fact }) => fact.seq);
      assert.equal(seqs.join(" "), range(1, 2 * FACTS).join(" "));
    }
    assert.equal(await bus.incarnation(), incarnation, "the death of a server is no loss of the storage");
    await bus.close();
  });
});
