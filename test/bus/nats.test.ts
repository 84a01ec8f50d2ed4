import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { connect } from "nats";
import { v7 } from "uuid";
import { encodeFact } from "../../src/bus/message.ts";
import { ownerLine } from "../../src/bus/lines.ts";
import { createNatsBus } from "../../src/bus/nats.ts";
import { lineSubject, subjectOf } from "../../src/bus/subjects.ts";
import { createLog } from "../../src/log.ts";
import type { Bus, Fact } from "../../src/ports.ts";
import { recordingLog } from "../http/bundle.ts";
import { until } from "../streams/until.ts";
import { range } from "../streams/watch.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { startNats, type TestNats } from "../support/nats.ts";
import { startBareServer } from "./bare-server.ts";
import { describeBus } from "./contract.ts";
import { openDoor } from "./door.ts";
import { factsOf } from "./facts.ts";
import { readStored } from "./stored.ts";

describe("NATS", () => {
  let nats: TestNats;
  let store: string;
  before(async () => {
    store = await temporaryDirectory();
    nats = await startNats({ storeDir: store });
  });
  after(async () => {
    await nats.stop();
    await rm(store, { recursive: true, force: true });
  });

  const open = (url = nats.url, log = createLog("silent")) =>
    createNatsBus({ config: { NATS_URL: url }, source: "https://darkroom.example", log });
  const nameOf = async (bus: Bus) => (await bus.storage(null)).name;
  /** The disk is lost with the server. */
  const wipe = async () => {
    await nats.kill();
    for (const name of await readdir(store)) await rm(join(store, name), { recursive: true, force: true });
    await nats.restart();
  };

  describeBus("NATS", () => open());

  describe("between two nodes", () => {
    let here: Bus;
    let there: Bus;
    let stream: string;
    before(async () => {
      here = await open();
      there = await open();
    });
    after(async () => {
      await here.close();
      await there.close();
    });
    beforeEach(() => {
      stream = v7();
    });
    const listen = async (bus: Bus) => {
      const heard: Fact[] = [];
      const leave = bus.subscribe(stream, (fact) => void heard.push(fact));
      // A round trip later the server knows of it.
      await bus.check();
      return { heard, leave };
    };

    it("carries each fact, whole", async () => {
      const { heard, leave } = await listen(there);
      const facts = factsOf(stream, 1, 20);
      assert.equal(await here.publish(facts), 20);
      await until(() => heard.length === 20);
      assert.deepEqual(heard, facts);
      leave();
    });

    it("carries each fact to who listens to its stream and who listens to its owner, to each once", async () => {
      const facts = factsOf(stream, 1, 5);
      const { heard, leave } = await listen(there);
      const all: Fact[] = [];
      const leaveAll = there.subscribe(ownerLine(facts[0]?.owner ?? ""), (fact) => void all.push(fact));
      await there.check();
      await here.publish(facts);
      await here.publish(factsOf(v7(), 6, 6));
      await until(() => all.length >= 6);
      assert.deepEqual(
        all.map(({ ownerSeq }) => ownerSeq),
        range(1, 6),
      );
      assert.deepEqual(heard, facts);
      leave();
      leaveAll();
    });

    it("announces on its own node only", async () => {
      const near = await listen(here);
      const far = await listen(there);
      here.announce(factsOf(stream, 1, 1));
      await here.publish(factsOf(stream, 2, 2));
      await until(() => far.heard.length === 1);
      assert.equal(far.heard[0]?.seq, 2);
      assert.equal(near.heard[0]?.seq, 1);
      near.leave();
      far.leave();
    });

    it("stores a fact that is published again only once", async () => {
      const facts = factsOf(stream, 1, 5);
      assert.equal(await here.publish(facts), 5);
      assert.equal(await there.publish(facts), 5);
      const stored = await readStored(nats.url, lineSubject(stream));
      assert.deepEqual(
        stored.map(({ fact }) => fact.seq),
        range(1, 5),
      );
      assert.deepEqual(
        stored.map(({ messageId }) => messageId),
        range(1, 5).map((seq) => `${stream}:${seq}`),
      );
    });
  });

  it("sends nothing after a fact that was refused", async () => {
    const bus = await open();
    const stream = v7();
    const facts = factsOf(stream, 1, 5).map((fact) =>
      // Larger than a server takes.
      fact.seq === 3 ? { ...fact, data: { text: "x".repeat(2_000_000) } } : fact,
    );
    assert.equal(await bus.publish(facts), 2);
    const stored = await readStored(nats.url, lineSubject(stream));
    assert.deepEqual(
      stored.map(({ fact }) => fact.seq),
      [1, 2],
    );
    await bus.close();
  });

  it("is no longer listened to when the last listener of a stream has left", async () => {
    const { log, lines } = recordingLog();
    const bus = await open(nats.url, log);
    const raw = await connect({ servers: nats.url });
    const stream = v7();
    const [fact] = factsOf(stream, 1, 1);
    assert.ok(fact);
    // Whether the bus hears of a stream shows in what it says to rubbish there.
    const { headers } = encodeFact(fact, "x");
    const hears = async () => {
      const before = lines.length;
      raw.publish(subjectOf(fact), "{", { headers });
      await raw.flush();
      await bus.check();
      return lines.length > before;
    };
    assert.equal(await hears(), false);
    const first = bus.subscribe(stream, () => {});
    const second = bus.subscribe(stream, () => {});
    await bus.check();
    assert.equal(await hears(), true);
    first();
    await bus.check();
    assert.equal(await hears(), true);
    second();
    await bus.check();
    assert.equal(await hears(), false);
    const again = bus.subscribe(stream, () => {});
    await bus.check();
    assert.equal(await hears(), true);
    again();
    await raw.close();
    await bus.close();
  });

  it("comes back by itself after kill -9, with its listeners and what it had taken", async () => {
    const bus = await open();
    const stream = v7();
    const seqs: number[] = [];
    bus.subscribe(stream, ({ seq }) => void seqs.push(seq));
    const before = await nameOf(bus);
    assert.equal(await bus.publish(factsOf(stream, 1, 3)), 3);
    await nats.kill();
    await assert.rejects(bus.check());
    const lost = bus.publish(factsOf(stream, 4, 6));
    await nats.restart();
    assert.equal(await lost, 0);
    await until(() =>
      bus.check().then(
        () => true,
        () => false,
      ),
    );
    assert.equal(await nameOf(bus), before);
    assert.equal(await bus.publish(factsOf(stream, 4, 6)), 3);
    await until(() => seqs.at(-1) === 6);
    const stored = await readStored(nats.url, lineSubject(stream));
    assert.deepEqual(
      stored.map(({ fact }) => fact.seq),
      range(1, 6),
    );
    await bus.close();
  });

  it("goes by another name after its storage was lost", async () => {
    const bus = await open();
    const before = await nameOf(bus);
    await wipe();
    let now = before;
    await until(async () => {
      now = await nameOf(bus).catch(() => before);
      return now !== before;
    });
    assert.equal(await nameOf(bus), now);
    assert.equal(await bus.publish(factsOf(v7(), 1, 2)), 2);
    await bus.close();
  });

  it("is not sent to after a break before its storage was looked at: it may be another", async () => {
    const door = await openDoor(nats.url);
    const bus = await open(door.url);
    const stream = v7();
    assert.equal(await bus.publish(factsOf(stream, 1, 1)), 1);
    door.cut();
    await until(async () => (await bus.publish(factsOf(stream, 2, 2))) === 0);
    door.mend();
    await until(() =>
      bus.check().then(
        () => true,
        () => false,
      ),
    );
    assert.equal(await bus.publish(factsOf(stream, 2, 2)), 0);
    await bus.storage(null);
    assert.equal(await bus.publish(factsOf(stream, 2, 2)), 1);
    await bus.close();
    await door.close();
  });

  it("can be left while it is away, and is not knocked at any more", async () => {
    const [left, kept] = [await openDoor(nats.url), await openDoor(nats.url)];
    const leaving = await open(left.url);
    const staying = await open(kept.url);
    leaving.subscribe(v7(), () => {});
    left.cut();
    kept.cut();
    await until(() => left.knocks() > 1);
    await leaving.close();
    const [before, control] = [left.knocks(), kept.knocks()];
    await until(() => kept.knocks() >= control + 3);
    assert.equal(left.knocks(), before);
    await staying.close();
    await left.close();
    await kept.close();
  });

  it("must be there", async () => {
    const bare = await startBareServer();
    await bare.stop();
    await assert.rejects(
      createNatsBus({ config: { NATS_URL: bare.url }, source: "x", log: createLog("silent") }),
      /NATS cannot be reached; look at NATS_URL \(CONNECTION_REFUSED\)/,
    );
  });

  it("must offer JetStream", async () => {
    const bare = await startBareServer();
    await assert.rejects(
      createNatsBus({ config: { NATS_URL: bare.url }, source: "x", log: createLog("silent") }),
      /NATS does not offer JetStream; start nats-server with -js/,
    );
    await until(() => bare.clients() === 0);
    await bare.stop();
  });
});
