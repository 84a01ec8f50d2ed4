import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createMemoryBus } from "../../src/bus/memory.ts";
import type { FactLog } from "../../src/facts/log.ts";
import { createLog } from "../../src/log.ts";
import type { Fact } from "../../src/ports.ts";
import { listen } from "../../src/runtime/select.ts";
import { createClients } from "../../src/streams/clients.ts";
import { createEnvelopes } from "../../src/streams/envelope.ts";
import { createFeed } from "../../src/streams/feed.ts";
import { createMessages } from "../../src/streams/messages.ts";
import type { Listening, Served } from "../../src/streams/session.ts";
import { createTails } from "../../src/streams/tail.ts";
import { createVirtualClock } from "./clock.ts";
import { until } from "./until.ts";
import { range } from "./watch.ts";
import { dechunk, openWire, textFrames } from "./wire.ts";

const FACTS = 10_000;
const FACT_BYTES = 3_000;
/** What the buffers of the runtime and of the network may take on top of our own. */
const MOST_BYTES = 16_000_000;
const UPGRADE = [
  "connection: Upgrade",
  "upgrade: websocket",
  "sec-websocket-version: 13",
  "sec-websocket-key: ZGFya3Jvb20tdGVzdC1rZQ==",
];

const facts = range(1, FACTS).map(
  (seq): Fact => ({
    id: `fact-${seq}`,
    stream: "stream",
    seq,
    owner: "owner",
    ownerSeq: seq,
    traceparent: null,
    type: "message.created",
    at: seq,
    actorKind: "message",
    actorId: "message-1",
    data: { text: "x".repeat(FACT_BYTES) },
  }),
);

/** A node that streams a log of 30 MB. */
const setup = () => {
  const log: FactLog = {
    read: async (_stream, seq, limit) => facts.slice(seq, seq + limit),
    heads: async () => new Map([["stream", FACTS]]),
  };
  const clock = createVirtualClock();
  const bus = createMemoryBus();
  const tails = createTails({ bus, log, clock, logger: createLog("silent") });
  const clients = createClients({
    clock,
    perUser: 10,
    most: 10,
    counted: () => {},
    random: () => 0,
    log: createLog("silent"),
  });
  let rendered = 0;
  const envelopes = createEnvelopes({
    source: "test",
    log: createLog("silent"),
    render: async ({ data }) => {
      rendered++;
      return data;
    },
  });
  const messages = createMessages({ feed: createFeed({ tails, log }), envelopes });
  const open = (cursor: number) => ({
    userId: "ann",
    expiresAt: Number.POSITIVE_INFINITY,
    messages: (pace: () => Promise<void>) =>
      messages({
        stream: "stream",
        cursor,
        pace,
        greet: false,
        snapshot: () => Promise.reject(new Error("not asked for")),
      }),
  });
  const cursorOf = (request: Request) => Number(new URL(request.url).searchParams.get("after"));
  const served: Served = {
    fetch: async (request) => clients.sse(open(cursorOf(request))),
    socket: async (request) => clients.socket(open(cursorOf(request))),
  };
  return { served, tails, clients, rendered: () => rendered };
};

/** Waits until a count has not moved for a while. */
const still = async (count: () => number) => {
  for (let last = -1; last !== count(); await wait(100)) last = count();
};

describe("a stream through a real listener", () => {
  let listening: Listening;
  let node: ReturnType<typeof setup>;
  const gate: Served = { fetch: (...of) => node.served.fetch(...of), socket: (...of) => node.served.socket(...of) };
  before(async () => {
    listening = await listen({ host: "127.0.0.1", port: 0, maxBody: 1024 }, gate);
  });
  after(() => listening.stop());
  beforeEach(() => {
    node = setup();
  });
  afterEach(() => {
    node.clients.close();
    node.tails.close();
  });
  const isReleased = () => until(() => node.clients.open() === 0 && node.tails.watched() === 0);

  it("holds little for an SSE client that stops reading 10,000 facts, and loses none", async () => {
    const wire = await openWire(listening.port, "/?after=0");
    wire.stop();
    await still(node.rendered);
    // The client may have read some of it before it stopped.
    const ahead = node.rendered() * FACT_BYTES - wire.bytes().length;
    assert.ok(ahead < MOST_BYTES, `${ahead} bytes were rendered ahead`);
    assert.equal(node.clients.open(), 1);
    wire.go();
    const ids = () => [...dechunk(wire.bytes()).matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    await until(() => node.rendered() === FACTS, 20_000);
    await until(() => ids().length === FACTS, 20_000);
    assert.deepEqual(ids(), range(1, FACTS));
    wire.socket.destroy();
    await isReleased();
  });

  it("holds little for a WebSocket client that stops reading 10,000 facts, and loses none", async () => {
    const wire = await openWire(listening.port, "/?after=0", UPGRADE);
    wire.stop();
    await still(node.rendered);
    // The client may have read some of it before it stopped.
    const ahead = node.rendered() * FACT_BYTES - wire.bytes().length;
    assert.ok(ahead < MOST_BYTES, `${ahead} bytes were rendered ahead`);
    assert.equal(node.clients.open(), 1);
    wire.go();
    const seqs = () => textFrames(wire.bytes()).map((text) => Number(JSON.parse(text).sequence));
    await until(() => node.rendered() === FACTS, 20_000);
    await until(() => seqs().length === FACTS, 20_000);
    assert.deepEqual(seqs(), range(1, FACTS));
    wire.socket.destroy();
    await isReleased();
  });

  it("releases an idle SSE client that hangs up", async () => {
    const wire = await openWire(listening.port, `/?after=${FACTS}`);
    await until(() => node.tails.watched() === 1);
    wire.socket.destroy();
    await isReleased();
  });

  it("releases an idle WebSocket client that hangs up", async () => {
    const wire = await openWire(listening.port, `/?after=${FACTS}`, UPGRADE);
    await until(() => node.tails.watched() === 1);
    wire.socket.destroy();
    await isReleased();
  });

  it("ends both kinds when the node goes away", async () => {
    const wires = [
      await openWire(listening.port, `/?after=${FACTS}`, ["connection: close"]),
      await openWire(listening.port, `/?after=${FACTS}`, UPGRADE),
    ];
    await until(() => node.clients.open() === 2);
    node.clients.close();
    await isReleased();
    const [sse, socket] = wires;
    await until(() => sse?.ended() === true);
    // 0x88: close; 1001: going away.
    await until(() => socket?.bytes()[0] === 0x88);
    assert.equal(socket?.bytes().readUInt16BE(2), 1001);
    socket?.socket.destroy();
  });
});
