import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { connect as connectNats } from "nats";
import { LIVE_SUBJECTS } from "../../src/bus/subjects.ts";
import { connect } from "../../src/db/connect.ts";
import { createQueries, loadQueries, type Query } from "../../src/db/queries.ts";
import { createFactLog } from "../../src/facts/log.ts";
import type { Sighting } from "../../src/ports.ts";
import { until } from "../streams/until.ts";
import { range } from "../streams/watch.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { temporaryDirectory } from "../support/directory.ts";
import type { Events } from "../support/events.ts";
import { optionsOf, press, say, startChat } from "../support/flow.ts";
import { startNats, type TestNats } from "../support/nats.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { readStored } from "./stored.ts";

/** What all nodes are known by: the load balancer in front of them. */
const SOURCE = "http://darkroom.example";
const ENDS = /^darkroom\.job\.(succeeded|failed|timed_out|canceled)$/;
type Envelope = { type: string; subject: string; sequence: string };

describe("nodes with NATS", () => {
  let nats: TestNats;
  let opened: AsyncDisposableStack;
  let query: Query;
  let node: () => Promise<TestApp>;
  before(async () => {
    nats = await startNats();
  });
  after(() => nats.stop());
  beforeEach(async () => {
    opened = new AsyncDisposableStack();
    const database = await cloneDatabase();
    opened.defer(() => database.drop());
    const sql = connect(database.url, { max: 2, role: "read" });
    opened.defer(() => sql.end({ timeout: 5 }));
    query = createQueries(sql, loadQueries());
    const directory = await temporaryDirectory();
    opened.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
    node = async () => {
      const settings = {
        NATS_URL: nats.url,
        PUBLIC_URL: SOURCE,
        S3_EMBEDDED_SHARED: "1",
        DATA_DIR: directory,
        SIMULATED_LATENCY_MS: "400",
      };
      return opened.use(await startApp(settings, { database: database.url }));
    };
  });
  afterEach(() => opened.disposeAsync());

  /** A chat with a message, and what presses one of its options. */
  const prepare = async ({ client }: TestApp) => {
    const chat = await startChat(client);
    const [option = ""] = optionsOf(await say(client, chat.id, "a fox in the snow"));
    return { chat: chat.id, generate: () => press(client, option) };
  };
  const watch = async ({ client }: TestApp, chat: string) => {
    const events = await client.events(`/sse/${chat}?after=0`);
    opened.defer(() => events.close());
    return events;
  };
  /** Reads until all these jobs have ended. */
  const seeEnds = async (events: Events, jobs: string[]) => {
    const open = new Set(jobs);
    for (const { data } of events.seen) if (ENDS.test((data as Envelope).type)) open.delete((data as Envelope).subject);
    while (open.size > 0) {
      const { data } = await events.until(({ data }) => ENDS.test((data as Envelope).type));
      open.delete((data as Envelope).subject);
    }
  };
  /** Without pulses, which have none. */
  const seqsOf = (events: Events) => events.seen.flatMap(({ id }) => (id === undefined ? [] : [Number(id)]));
  const allPublished = () =>
    until(async () => (await query<{ lag: number }>("countUnpublished"))[0]?.lag === 0, 20_000);

  /** Everything that the log has of a stream is on JetStream, in order, once. */
  const isOnJetStream = async (chat: string) => {
    await allPublished();
    const facts = await createFactLog(query).read(chat, 0, 1000);
    assert.ok(facts.length > 5);
    const stored = await readStored(nats.url, `darkroom.*.${chat}.>`);
    assert.deepEqual(
      stored.map(({ fact }) => fact),
      facts,
    );
    for (const { headers, fact, messageId } of stored) {
      assert.equal(messageId, `${chat}:${fact.seq}`);
      assert.equal(headers.get("ce-specversion"), "1.0");
      assert.equal(headers.get("ce-type"), `darkroom.${fact.type}`);
      assert.equal(headers.get("ce-source"), SOURCE);
      assert.equal(headers.get("ce-subject"), fact.actorId);
      assert.equal(headers.get("content-type"), "application/json");
    }
    return facts;
  };

  it("bring every fact of a job to JetStream", async () => {
    const app = await node();
    const { chat, generate } = await prepare(app);
    const events = await watch(app, chat);
    const job = await generate();
    await seeEnds(events, [job]);
    const facts = await isOnJetStream(chat);
    const types = facts.filter(({ actorId }) => actorId === job).map(({ type }) => type);
    assert.deepEqual([types[0], types.at(-1)], ["job.created", "job.succeeded"]);
  });

  it("show their own lives and their breakers to whoever listens, and keep that nowhere", async () => {
    const connection = await connectNats({ servers: nats.url });
    opened.defer(() => connection.close());
    const heard: { subject: string; type: string; seen: Omit<Sighting, "id" | "at"> }[] = [];
    connection.subscribe(LIVE_SUBJECTS, {
      callback: (_, { subject, headers, data }) => {
        heard.push({ subject, type: headers?.get("ce-type") ?? "", seen: JSON.parse(new TextDecoder().decode(data)) });
      },
    });
    await connection.flush();
    await using one = await node();
    await using other = await node();
    const ids = () => [...new Set(heard.map(({ seen }) => seen.node))];
    await until(() => ids().length === 2 && heard.filter(({ seen }) => seen.state === "ready").length === 2);
    await other[Symbol.asyncDispose]();
    await until(() => heard.some(({ seen }) => seen.state === "stopped"));
    const [stays, leaves] = ids();
    const livesOf = (of?: string) =>
      heard.filter(({ subject }) => subject === `darkroom-live.node.${of}`).map(({ seen }) => seen.state);
    assert.deepEqual(livesOf(stays), ["starting", "ready"]);
    assert.deepEqual(livesOf(leaves), ["starting", "ready", "draining.leaving", "draining.finishing", "stopped"]);
    const breaker = heard.find(({ subject }) => subject === `darkroom-live.breaker.${stays}.simulated`);
    assert.deepEqual(breaker, {
      subject: `darkroom-live.breaker.${stays}.simulated`,
      type: "darkroom.breaker.seen",
      seen: {
        node: stays,
        machine: "breaker",
        provider: "simulated",
        state: "closed",
        context: { submits: 0, checks: 0, trips: 0 },
      },
    });
    const streams = await connection
      .jetstreamManager()
      .then((manager) => manager.streams.names("darkroom-live.>").next());
    assert.deepEqual(streams, []);
    assert.equal((await one.client.get("/healthz")).status, 200);
  });

  it("show every event while nats-server is killed and restarted", async () => {
    const app = await node();
    const { chat, generate } = await prepare(app);
    const events = await watch(app, chat);
    const first = await generate();
    await events.until(({ data }) => (data as Envelope).type === "darkroom.job.started");
    await nats.kill();
    const health = await app.client.get<{ status: string }>("/healthz");
    assert.deepEqual([health.status, health.body.status], [200, "degraded"], "nobody is sent away for it");
    const second = await generate();
    await seeEnds(events, [first, second]);
    await nats.restart();
    const third = await generate();
    await seeEnds(events, [third]);
    assert.deepEqual(seqsOf(events), range(1, seqsOf(events).length));
    await isOnJetStream(chat);
  });

  it("show on one what another does, in order and once", async () => {
    const watched = await node();
    const working = await node();
    const { chat, generate } = await prepare(working);
    const events = await watch(watched, chat);
    const jobs = await Promise.all(range(1, 5).map(generate));
    await seeEnds(events, jobs);
    assert.deepEqual(seqsOf(events), range(1, seqsOf(events).length));
    await isOnJetStream(chat);
  });

  it("show on one what another does while there is no NATS between them", async () => {
    const watched = await node();
    const working = await node();
    const { chat, generate } = await prepare(working);
    const events = await watch(watched, chat);
    await nats.kill();
    const jobs = await Promise.all(range(1, 3).map(generate));
    await seeEnds(events, jobs);
    assert.deepEqual(seqsOf(events), range(1, seqsOf(events).length));
    await nats.restart();
    await isOnJetStream(chat);
  });
});
