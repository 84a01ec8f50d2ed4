import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { BatchDetail } from "../../src/batches/words.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { createClient } from "../support/client.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { optionsOf, press, say, startChat } from "../support/flow.ts";
import { startNats, type TestNats } from "../support/nats.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { until } from "../streams/until.ts";
import { range } from "../streams/watch.ts";
import { openLive } from "./frames.ts";

const ADA = "01900000-0000-7000-8000-0000000000ad";

describe("two nodes with NATS", () => {
  let nats: TestNats;
  let opened: AsyncDisposableStack;
  /** Where clients are, and where the work is done. */
  let watched: TestApp;
  let working: TestApp;
  before(async () => {
    nats = await startNats();
  });
  after(() => nats.stop());
  beforeEach(async () => {
    opened = new AsyncDisposableStack();
    const database = await cloneDatabase();
    opened.defer(() => database.drop());
    const directory = await temporaryDirectory();
    opened.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
    const settings = { NATS_URL: nats.url, S3_EMBEDDED_SHARED: "1", DATA_DIR: directory, DEMO: "0" };
    const node = async () => opened.use(await startApp(settings, { database: database.url }));
    watched = await node();
    working = await node();
  });
  afterEach(() => opened.disposeAsync());

  const headOf = async (path: string) => {
    const { body } = await (await working.as(ADA)).get<{ cursor: number }>(path);
    return body.cursor;
  };
  const work = async () => {
    const client = await working.as(ADA);
    const chat = await startChat(client);
    const [option = ""] = optionsOf(await say(client, chat.id, "a fox in the snow"));
    const jobs = await Promise.all(range(1, 3).map(() => press(client, option)));
    return { client, chat: chat.id, jobs };
  };

  it("show on the socket and the feed of one what the other does, each line without a gap", async () => {
    const ada = await watched.as(ADA);
    const mine = await ada.events("/streams/me?after=0");
    opened.defer(() => mine.close());
    const socket = await openLive(`${watched.url}/ws?token=${await watched.token(ADA)}`);
    opened.defer(() => socket.close());
    socket.send({ type: "subscribe", id: "me", stream: "me", after: 0, ack: 500 });
    await socket.next("subscribed");
    const { chat, jobs, client } = await work();
    socket.send({ type: "subscribe", id: "chat", stream: `chat:${chat}`, after: 0 });
    for (const job of jobs) socket.send({ type: "subscribe", id: job, stream: `job:${job}` });
    for (const job of jobs) await socket.next("unsubscribed", ({ id, reason }) => id === job && reason === "complete");
    const head = await headOf(`/chats/${chat}`);
    await socket.next("event", ({ id, cursor }) => id === "chat" && cursor === head);
    assert.deepEqual(socket.cursors("chat"), range(1, head));
    await startChat(client, "the last of it");
    await mine.until(({ data }) => JSON.stringify(data).includes("the last of it"));
    const last = Number(mine.seen.at(-1)?.id);
    await socket.next("event", ({ id, cursor }) => id === "me" && cursor === last);
    assert.deepEqual(socket.cursors("me"), range(1, last));
    assert.deepEqual(
      mine.seen.map(({ id }) => Number(id)),
      range(1, last),
    );
  });

  it("show it all while there is no NATS between them", async () => {
    const socket = await openLive(`${watched.url}/ws?token=${await watched.token(ADA)}`);
    opened.defer(() => socket.close());
    socket.send({ type: "subscribe", id: "me", stream: "me", after: 0 });
    await socket.next("subscribed");
    await nats.kill();
    const { jobs } = await work();
    const ended = () =>
      jobs.every((job) =>
        socket
          .frames()
          .some(
            (frame) =>
              frame.type === "event" && frame.data.type === "darkroom.job.succeeded" && frame.data.subject === job,
          ),
      );
    await until(ended, 20_000);
    await nats.restart();
    const seen = socket.cursors("me");
    assert.deepEqual(seen, range(1, seen.length));
  });

  it("take a ticket on either", async () => {
    const { chat } = await work();
    const wish = { streams: [`chat:${chat}`] };
    const { body } = await (await working.as(ADA)).post<{ ticket: string }>("/streams/tickets", wish);
    const events = await createClient(() => watched.url).events(`/sse/${chat}?after=0&ticket=${body.ticket}`);
    assert.equal((await events.next())?.id, "1");
    events.close();
  });

  it("let a request wait on one for what the other makes", async () => {
    const [here, there] = await Promise.all([watched.as(ADA), working.as(ADA)]);
    const request = { prompt: "a fox", num_images: 2 };
    const key = { "idempotency-key": "both" };
    const begun = await there.post<{ job_id: string }>("/api/generate", request, key);
    const whole = await here.post<BatchDetail>("/api/generate", request, { ...key, prefer: "wait=20" });
    assert.deepEqual([begun.status, whole.status, whole.body.status], [202, 200, "SUCCEEDED"]);
    assert.equal(whole.body.job_id, begun.body.job_id);
    assert.equal(whole.headers.get("idempotency-replayed"), "true");
  });
});
