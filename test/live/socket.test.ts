import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { v7 } from "uuid";
import type { JobDetail } from "../../src/jobs/words.ts";
import type { Overview } from "../../src/live/words.ts";
import { MOST_SUBSCRIPTIONS } from "../../src/streams/multiplex.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { generate, getJob, jobWhen, say, startChat } from "../support/flow.ts";
import { metricsOf } from "../support/metrics.ts";
import { upgradeStatus } from "../support/socket.ts";
import { until } from "../streams/until.ts";
import { range } from "../streams/watch.ts";
import { type LiveSocket, openLive } from "./frames.ts";

const ADA = "01900000-0000-7000-8000-0000000000ad";
const BOB = "01900000-0000-7000-8000-0000000000bb";
type ProblemLike = { code: string; status: number; errors?: { path: string }[] };

describe("the one socket for many streams", () => {
  let app: TestApp;
  let ada: Client;
  let opened: AsyncDisposableStack;
  before(async () => {
    app = await startApp();
    ada = await app.as(ADA);
  });
  after(() => app[Symbol.asyncDispose]());
  beforeEach(() => {
    opened = new AsyncDisposableStack();
  });
  afterEach(() => opened.disposeAsync());

  const connect = async (user = ADA): Promise<LiveSocket> => {
    const socket = await openLive(`${app.url}/ws?token=${await app.token(user)}`);
    opened.defer(() => socket.close());
    return socket;
  };
  const problemFor = async (socket: LiveSocket, frame: unknown): Promise<ProblemLike & { id: string | undefined }> => {
    const known = socket.frames().filter(({ type }) => type === "error").length;
    socket.send(frame);
    await until(() => socket.frames().filter(({ type }) => type === "error").length > known);
    const last = socket.frames().findLast((one) => one.type === "error");
    return { ...(last?.problem as ProblemLike), id: last?.id };
  };

  it("carries a chat, a job, a batch and all that one owns side by side, each with its own cursor", async () => {
    const { chat, job } = await generate(ada, "a fox in the snow");
    const batch = await ada.post<{ job_id: string }>("/api/generate", { prompt: "a fox", num_images: 2 });
    const socket = await connect();
    socket.send({ type: "subscribe", id: "c", stream: `chat:${chat}`, after: 0 });
    socket.send({ type: "subscribe", id: "j", stream: `job:${job}` });
    socket.send({ type: "subscribe", id: "b", stream: `batch:${batch.body.job_id}`, after: 0 });
    socket.send({ type: "subscribe", id: "m", stream: "me", after: 0 });
    await socket.next("unsubscribed", ({ id }) => id === "j");
    await socket.next("unsubscribed", ({ id }) => id === "b");
    const { body } = await ada.get<{ cursor: number }>(`/chats/${chat}`);
    await socket.next("event", ({ id, cursor }) => id === "c" && cursor === body.cursor);
    assert.deepEqual(socket.cursors("c"), range(1, body.cursor));
    assert.equal(socket.types("j")[0], "subscribed");
    assert.equal(socket.types("j")[1], "snapshot");
    assert.equal(socket.types("j").at(-1), "unsubscribed");
    const mine = socket.cursors("m");
    assert.deepEqual(mine, range(1, mine.length), "no gap over all streams");
    const all = socket.frames().filter((frame) => frame.type === "event" && frame.id === "m");
    const kinds = new Set(all.map((frame) => frame.type === "event" && frame.event));
    for (const kind of ["chat.updated", "message.created", "option.created", "job.updated", "batch.updated"])
      assert.ok(kinds.has(kind), `${kind} of ${[...kinds]}`);
    const [first] = all;
    assert.ok(first?.type === "event" && "ownersequence" in first.data && first.data.ownersequence === "1");
  });

  it("greets without a cursor with a snapshot that the events go on from", async () => {
    const chat = await startChat(ada);
    const socket = await connect();
    socket.send({ type: "subscribe", id: "me", stream: "me" });
    socket.send({ type: "subscribe", id: "chat", stream: `chat:${chat.id}` });
    const snapshot = await socket.next("snapshot", ({ id }) => id === "chat");
    const overview = await socket.next("snapshot", ({ id }) => id === "me");
    assert.equal((overview.data as Overview).chats[0]?.id, chat.id);
    await say(ada, chat.id, "A red fox");
    const event = await socket.next("event", ({ id }) => id === "chat");
    assert.deepEqual([event.cursor, event.event], [snapshot.cursor + 1, "message.created"]);
    const mine = await socket.next("event", ({ id }) => id === "me");
    assert.equal(mine.cursor, overview.cursor + 1);
  });

  it("resumes each stream after its own cursor, and starts over where the cursor is unknown", async () => {
    const { chat, job } = await generate(ada, "a fox");
    await jobWhen(ada, job);
    const { cursor, stream } = await getJob(ada, job);
    assert.equal(stream, chat);
    const socket = await connect();
    socket.send({ type: "subscribe", id: "late", stream: `chat:${chat}`, after: cursor - 2 });
    socket.send({ type: "subscribe", id: "over", stream: `job:${job}`, after: cursor });
    socket.send({ type: "subscribe", id: "wild", stream: `chat:${chat}`, after: 1_000_000 });
    socket.send({ type: "subscribe", id: "mine", stream: "me", after: 1_000_000 });
    await socket.next("event", ({ id, cursor: at }) => id === "late" && at === cursor);
    assert.deepEqual(socket.cursors("late"), [cursor - 1, cursor]);
    const ended = await socket.next("unsubscribed", ({ id }) => id === "over");
    assert.deepEqual([ended.reason, ended.cursor], ["complete", cursor]);
    const reset = await socket.next("reset", ({ id }) => id === "wild");
    assert.equal(reset.cursor, cursor);
    const { data } = await socket.next("reset", ({ id }) => id === "mine");
    const shown = (data as Overview).jobs.find(({ job_id }) => job_id === job);
    assert.equal(shown?.status, "SUCCEEDED");
    const { result } = (await ada.get<JobDetail>(`/jobs/${job}`)).body;
    assert.equal(shown?.result?.mime, result?.mime);
  });

  it("answers a ping, and lets go of what is not wanted any more", async () => {
    const chat = await startChat(ada);
    const socket = await connect();
    socket.send({ type: "ping" });
    await socket.next("pong");
    socket.send({ type: "subscribe", id: "1", stream: `chat:${chat.id}`, after: 1 });
    await socket.next("subscribed");
    socket.send({ type: "unsubscribe", id: "1" });
    const { reason, cursor } = await socket.next("unsubscribed");
    assert.deepEqual([reason, cursor], ["asked", 1]);
    await say(ada, chat.id, "Nobody hears this");
    socket.send({ type: "subscribe", id: "1", stream: `chat:${chat.id}`, after: 1 });
    await socket.next("event", ({ cursor }) => cursor === 3);
    assert.deepEqual(socket.cursors("1").slice(0, 2), [2, 3]);
  });

  it("stops after as many events as may be unacknowledged, and goes on from there, with none left out", async () => {
    const chat = await startChat(ada);
    for (const n of range(1, 5)) await say(ada, chat.id, `Message ${n}`);
    const { body } = await ada.get<{ cursor: number }>(`/chats/${chat.id}`);
    const socket = await connect();
    socket.send({ type: "subscribe", id: "slow", stream: `chat:${chat.id}`, after: 0, ack: 2 });
    socket.send({ type: "subscribe", id: "fast", stream: `chat:${chat.id}`, after: 0 });
    await socket.next("event", ({ id, cursor }) => id === "fast" && cursor === body.cursor);
    await socket.next("event", ({ id, cursor }) => id === "slow" && cursor === 2);
    assert.deepEqual(socket.cursors("slow"), [1, 2]);
    socket.send({ type: "ack", id: "slow", cursor: 1 });
    await socket.next("event", ({ id, cursor }) => id === "slow" && cursor === 3);
    for (let at = 3; at < body.cursor; at = socket.cursors("slow").at(-1) ?? 0) {
      socket.send({ type: "ack", id: "slow", cursor: at });
      await socket.next("event", ({ id, cursor = 0 }) => id === "slow" && cursor > at);
    }
    assert.deepEqual(socket.cursors("slow"), range(1, body.cursor));
  });

  it("refuses with problem documents, and goes on", async () => {
    const chat = await startChat(ada);
    const socket = await connect();
    const refusals: [frame: unknown, code: string, path?: string][] = [
      ["{", "malformed_json"],
      ["[]", "validation_failed", "/type"],
      [{ type: "shout" }, "validation_failed", "/type"],
      [{ type: "constructor" }, "validation_failed", "/type"],
      [{ type: "subscribe", id: "x", stream: "chat:1" }, "validation_failed", "/stream"],
      [{ type: "subscribe", id: "", stream: "me" }, "validation_failed", "/id"],
      [{ type: "subscribe", id: "x", stream: "me", after: -1 }, "validation_failed", "/after"],
      [{ type: "subscribe", id: "x", stream: "me", ack: 1001 }, "validation_failed", "/ack"],
      [{ type: "unsubscribe", id: "nobody" }, "not_found"],
      [{ type: "ack", id: "nobody", cursor: 1 }, "not_found"],
      [{ type: "subscribe", id: "x", stream: `job:${v7()}` }, "not_found"],
      ["x".repeat(5_000), "too_large"],
    ];
    for (const [frame, code, path] of refusals) {
      const problem = await problemFor(socket, frame);
      assert.deepEqual([problem.code, problem.errors?.[0]?.path], [code, path], JSON.stringify(frame).slice(0, 80));
    }
    socket.send({ type: "subscribe", id: "1", stream: `chat:${chat.id}`, after: 0 });
    await socket.next("event", ({ id }) => id === "1");
    const twice = await problemFor(socket, { type: "subscribe", id: "1", stream: "me" });
    assert.deepEqual([twice.code, twice.id], ["conflict", "1"]);
    await say(ada, chat.id, "Still there?");
    await socket.next("event", ({ id, cursor }) => id === "1" && cursor === 2);
  });

  it("knows nothing of what others own, and theirs is not ours", async () => {
    const { chat, job } = await generate(ada, "a fox");
    const batch = await ada.post<{ job_id: string }>("/api/generate", { prompt: "a fox" });
    const socket = await connect(BOB);
    for (const stream of [`chat:${chat}`, `job:${job}`, `batch:${batch.body.job_id}`]) {
      const { code, id } = await problemFor(socket, { type: "subscribe", id: stream, stream });
      assert.deepEqual([code, id], ["not_found", stream]);
      const failed = await socket.next("unsubscribed", (frame) => frame.id === stream);
      assert.deepEqual([failed.reason, failed.cursor], ["failed", undefined]);
    }
    socket.send({ type: "subscribe", id: "me", stream: "me", after: 0 });
    await startChat(await app.as(BOB));
    await socket.next("event", ({ id }) => id === "me");
    assert.deepEqual(socket.cursors("me"), [1]);
  });

  it("is bounded in subscriptions, and in frames a second: 4029", async () => {
    const socket = await connect();
    for (const n of range(1, MOST_SUBSCRIPTIONS))
      socket.send({ type: "subscribe", id: `${n}`, stream: "me", after: 0 });
    const { code } = await problemFor(socket, { type: "subscribe", id: "one more", stream: "me" });
    assert.equal(code, "too_many_subscriptions");
    socket.send({ type: "unsubscribe", id: "1" });
    await socket.next("unsubscribed");
    socket.send({ type: "subscribe", id: "one more", stream: "me" });
    await socket.next("subscribed", ({ id }) => id === "one more");
    for (let n = 0; n < 2_000; n++) socket.send({ type: "ping" });
    assert.equal(await socket.closed, 4029);
  });

  it("is let in by a good token or, in demo mode, by none; not from a stranger's page", async () => {
    assert.equal(await upgradeStatus(`${app.url}/ws`), 101);
    assert.equal(await upgradeStatus(`${app.url}/ws?token=forged`), 401);
    assert.equal(await upgradeStatus(`${app.url}/ws?ticket=forged`), 401);
    assert.equal(await upgradeStatus(`${app.url}/ws`, { origin: "https://evil.example" }), 403);
    assert.equal(await upgradeStatus(`${app.url}/ws`, { host: "evil.example" }), 403);
    assert.equal(await upgradeStatus(`${app.url}/wss`), 404);
  });

  it("leaves nothing behind when the client goes, and is one stream of its user", async () => {
    const open = async () => (await metricsOf(app.client)).value("darkroom_streams_open");
    const before = await open();
    const socket = await openLive(`${app.url}/ws?token=${await app.token(ADA)}`);
    socket.send({ type: "subscribe", id: "1", stream: "me" });
    await socket.next("snapshot");
    assert.equal(await open(), before + 1);
    socket.close();
    await until(async () => (await open()) === before);
  });

  it("tells that the token expires, and closes with 4001", async () => {
    await using brief = await startApp({ JWT_TTL_S: "2" });
    const socket = await openLive(`${brief.url}/ws?token=${await brief.token(ADA)}`);
    socket.send({ type: "subscribe", id: "1", stream: "me" });
    await socket.next("subscribed");
    assert.equal(await socket.closed, 4001);
    assert.deepEqual(socket.frames().at(-1), { type: "auth", reason: "token_expired" });
  });
});
