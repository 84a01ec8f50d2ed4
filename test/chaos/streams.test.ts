import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { BatchDetail } from "../../src/batches/words.ts";
import type { ChatDetail } from "../../src/chats/words.ts";
import { connect } from "../../src/db/connect.ts";
import type { Envelope } from "../../src/streams/envelope.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { jobWhen, optionsOf, press, say, startChat } from "../support/flow.ts";
import { contiguous, follow } from "../support/follower.ts";
import { startNats, type TestNats } from "../support/nats.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { openSocket } from "../support/socket.ts";

const USER = "0f7c41ab-6a53-4c86-9b6f-3a5d1d0c8a11";
const PATIENCE_MS = 20_000;

describe("a client of three nodes that commit to its stream at the same time", () => {
  let nats: TestNats;
  let opened: AsyncDisposableStack;
  let url: string;
  let nodes: [a: TestApp, b: TestApp, c: TestApp];
  let clients: [a: Client, b: Client, c: Client];
  before(async () => {
    nats = await startNats();
  });
  after(() => nats.stop());
  beforeEach(async () => {
    opened = new AsyncDisposableStack();
    const database = await cloneDatabase();
    opened.defer(() => database.drop());
    url = database.url;
    const directory = await temporaryDirectory();
    opened.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
    const settings = {
      NATS_URL: nats.url,
      PUBLIC_URL: "http://darkroom.example",
      S3_EMBEDDED_SHARED: "1",
      DATA_DIR: directory,
      SIMULATED_LATENCY_MS: "400",
      // So that there is a queue to cancel in.
      PROVIDER_CONCURRENCY: "3",
    };
    const start = async () => opened.use(await startApp(settings, { database: url }));
    nodes = [await start(), await start(), await start()];
    clients = (await Promise.all(nodes.map((node) => node.as(USER)))) as typeof clients;
  });
  afterEach(() => opened.disposeAsync());

  /** Ids of a stream's facts, or of one actor's, in the order of the log. */
  const logOf = async (stream: string, actor: string | null = null): Promise<string[]> => {
    const sql = connect(url, { max: 1, role: "read" });
    const rows = await sql`select id from facts where stream_id = ${stream}
      and (${actor}::uuid is null or actor_id = ${actor}::uuid) order by seq`;
    await sql.end();
    return rows.map(({ id }) => id);
  };
  const idOf = (data: unknown) => (data as Envelope).id;
  const seqOf = (frame: unknown) => Number((frame as Envelope).sequence ?? 0);
  /** Events of the log: what is told aside has no place in it. */
  const isLogged = ({ id }: { id?: string }) => id !== undefined;

  const prepare = async (client: Client) => {
    const chat = await startChat(client);
    const [option = ""] = optionsOf(await say(client, chat.id, "a fox in the snow"));
    return { chat: chat.id, option };
  };

  it("sees a chat on one node and goes on on another, in order and once", async () => {
    const [a, b, c] = clients;
    const { chat, option } = await prepare(b);
    const first = await a.events(`/sse/${chat}?after=0`);
    const jobs = await Promise.all(clients.flatMap((client) => [press(client, option), press(client, option)]));
    await first.until(({ data }) => (data as Envelope).type === "darkroom.job.accepted");
    first.close();
    const seen = first.seen.filter(isLogged);
    jobs.push(await press(b, option), await press(c, option));

    const second = await c.events(`/sse/${chat}`, { "last-event-id": String(seen.at(-1)?.id) });
    opened.defer(() => second.close());
    await Promise.all(jobs.map((job) => jobWhen(b, job, undefined, PATIENCE_MS)));
    const { cursor } = (await b.get<ChatDetail>(`/chats/${chat}`)).body;
    await second.until(({ id }) => Number(id) === cursor);
    seen.push(...second.seen.filter(isLogged));
    assert.deepEqual(
      seen.map(({ id }) => Number(id)),
      contiguous(cursor),
    );
    assert.deepEqual(
      seen.map(({ data }) => idOf(data)),
      await logOf(chat),
    );
  });

  it("sees one job that another node steps, and goes on on a third", async () => {
    const [a, b, c] = clients;
    const { chat, option } = await prepare(b);
    const [job = ""] = await Promise.all([b, a, c, b].map((client) => press(client, option)));
    const first = await a.events(`/jobs/${job}/stream?after=0`);
    await first.until(({ data }) => (data as Envelope).type === "darkroom.job.started");
    first.close();
    const seen = first.seen.filter(isLogged);
    const second = await c.events(`/jobs/${job}/stream`, { "last-event-id": String(seen.at(-1)?.id) });
    seen.push(...(await second.rest(PATIENCE_MS)).filter(isLogged));
    assert.deepEqual(
      seen.map(({ data }) => idOf(data)),
      await logOf(chat, job),
    );
  });

  it("sees a batch by WebSocket on one node and goes on on another, in order and once", async () => {
    const [a, b, c] = clients;
    const body = { prompt: "a fox in the snow", num_images: 9 };
    const batch = (await b.post<{ job_id: string }>("/api/generate", body)).body.job_id;
    const token = await nodes[0].token(USER);
    const first = await openSocket(`${nodes[0].url}/api/generate/${batch}?token=${token}&after=0`);
    const { results } = (await b.get<BatchDetail>(`/api/generate/${batch}`)).body;
    // A command is carried out by the node that takes it, so all three commit to this stream.
    const cancel = (client: Client, n: number) => client.post(`/jobs/${results[n]?.job_id}/cancel`);
    await Promise.all([cancel(a, 0), cancel(b, 1), cancel(c, 2), cancel(a, 3), cancel(c, 4)]);
    await first.until((frame) => (frame as Envelope).type === "darkroom.batch.progressed");
    first.close();
    const seen = first.seen.filter((frame) => seqOf(frame) > 0);

    const after = seqOf(seen.at(-1));
    const second = await openSocket(`${nodes[2].url}/api/generate/${batch}?token=${token}&after=${after}`);
    assert.equal(await second.closed, 1000);
    seen.push(...second.seen.filter((frame) => seqOf(frame) > 0));
    const { cursor, status } = (await b.get<BatchDetail>(`/api/generate/${batch}`)).body;
    assert.equal(status, "PARTIAL");
    assert.deepEqual(seen.map(seqOf), contiguous(cursor));
    assert.deepEqual(seen.map(idOf), await logOf(batch));
  });

  it("misses nothing however often it changes the node", async () => {
    const { chat, option } = await prepare(clients[0]);
    let turn = 0;
    const follower = follow(
      {
        ...clients[0],
        // Each connection is cut by the client after its first event, so each node shows a little.
        events: async (path, headers) => {
          const events = await (clients[turn++ % clients.length] as Client).events(path, headers);
          const next = async (ms?: number) => {
            if (events.seen.some(isLogged)) {
              events.close();
              return null;
            }
            return events.next(ms);
          };
          return { ...events, next };
        },
      },
      `/sse/${chat}`,
    );
    opened.defer(() => follower.close());
    const jobs = await Promise.all(clients.flatMap((client) => [press(client, option), press(client, option)]));
    await Promise.all(jobs.map((job) => jobWhen(clients[1], job, undefined, PATIENCE_MS)));
    const { cursor } = (await clients[1].get<ChatDetail>(`/chats/${chat}`)).body;
    await follower.reached(cursor, PATIENCE_MS);
    assert.deepEqual(follower.seqs, contiguous(cursor));
    assert.ok(follower.connections() > 3);
  });
});
