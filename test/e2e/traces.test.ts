import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import sharp from "sharp";
import { connect, type Sql } from "../../src/db/connect.ts";
import type { Envelope } from "../../src/streams/envelope.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { createClient } from "../support/client.ts";
import { jobWhen, optionsOf, press, say, startChat } from "../support/flow.ts";
import { startServer } from "../support/server.ts";

const newTrace = () => `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;

type Traced = { type: string; actor_id: string; traceparent: string | null };

describe("the trace of a request is on every fact that it causes", () => {
  let app: TestApp;
  let sql: Sql;
  before(async () => {
    app = await startApp({ PROVIDER_CONCURRENCY: "4" });
    sql = connect(app.database, { max: 1, role: "admin" });
  });
  after(async () => {
    await sql.end({ timeout: 5 });
    await app[Symbol.asyncDispose]();
  });

  /** A client whose requests all belong to one trace. */
  const traced = () => {
    const traceparent = newTrace();
    return { traceparent, client: createClient(() => app.url, { traceparent }) };
  };
  const typesOf = async (traceparent: string) => {
    const rows = await sql<Traced[]>`select type from facts where traceparent = ${traceparent} order by owner_seq`;
    return rows.map(({ type }) => type);
  };
  const prepare = async (text = "a fox in the snow") => {
    const chat = await startChat(app.client);
    const [option = ""] = optionsOf(await say(app.client, chat.id, text));
    return { chat: chat.id, option };
  };

  it("at once: a chat, what is said in it, its name", async () => {
    const [made, said, renamed] = [traced(), traced(), traced()];
    const chat = await startChat(made.client);
    const { render_chunks } = await say(said.client, chat.id, "a fox");
    await renamed.client.send("PATCH", `/chats/${chat.id}`, { body: { title: "Red foxes" } });
    assert.deepEqual(await typesOf(made.traceparent), ["chat.created"]);
    const options = Array.from({ length: render_chunks.length / 2 }, () => "option.created");
    assert.deepEqual(await typesOf(said.traceparent), ["message.created", "message.created", ...options]);
    assert.deepEqual(await typesOf(renamed.traceparent), ["chat.renamed"]);
  });

  it("through a job, to its end", async () => {
    const { option } = await prepare();
    const { client, traceparent } = traced();
    const job = await press(client, option);
    await jobWhen(app.client, job);
    const types = await typesOf(traceparent);
    assert.deepEqual([types[0], types.at(-1)], ["job.created", "job.succeeded"]);
    const rows = await sql<Traced[]>`select traceparent from facts where actor_id = ${job}`;
    assert.equal(rows.length, types.length);
  });

  it("through a batch and its jobs", async () => {
    const { client, traceparent } = traced();
    const user = randomUUID();
    const headers = { authorization: `Bearer ${await app.token(user)}` };
    const { body } = await client.post<{ job_id: string }>(
      "/api/generate",
      { prompt: "a fox", num_images: 3 },
      headers,
    );
    await (await client.events(`/api/generate/${body.job_id}/stream?after=0`, headers)).rest();
    const facts = await sql<Traced[]>`select type, traceparent from facts where owner_id = ${user}`;
    assert.ok(facts.length > 12);
    assert.deepEqual(new Set(facts.map((fact) => fact.traceparent)), new Set([traceparent]));
    assert.ok(facts.some(({ type }) => type === "batch.succeeded"));
  });

  it("of its retry, whatever made the job before", async () => {
    const { option } = await prepare("[fail] a fox");
    const failed = await press(app.client, option);
    await jobWhen(app.client, failed);
    const { client, traceparent } = traced();
    const { body } = await client.post<{ job_id: string }>(`/jobs/${failed}/retry`);
    await jobWhen(app.client, body.job_id);
    const types = await typesOf(traceparent);
    assert.deepEqual([types[0], types.at(-1)], ["job.created", "job.failed"]);
  });

  it("of a cancel in what follows at once, and of the press again after that", async () => {
    const { option } = await prepare("[slow] a fox");
    const [pressed, canceled] = [traced(), traced()];
    const job = await press(pressed.client, option);
    await jobWhen(app.client, job, ({ state }) => state === "running.waiting");
    assert.equal((await canceled.client.post(`/jobs/${job}/cancel`)).status, 202);
    await jobWhen(app.client, job);
    assert.deepEqual(await typesOf(canceled.traceparent), ["job.cancel_requested"]);
    assert.equal((await typesOf(pressed.traceparent)).at(-1), "job.canceled");
  });

  it("of a deleted chat in the cancels of its jobs", async () => {
    const { chat, option } = await prepare("[slow] a fox");
    const job = await press(app.client, option);
    await jobWhen(app.client, job, ({ state }) => state === "running.waiting");
    const { client, traceparent } = traced();
    assert.equal((await client.send("DELETE", `/chats/${chat}`)).status, 204);
    await app.settle();
    assert.deepEqual(await typesOf(traceparent), ["chat.deleted", "job.cancel_requested"]);
  });

  it("of a canceled batch in the cancels of its jobs", async () => {
    const headers = { authorization: `Bearer ${await app.token(randomUUID())}` };
    const wish = { prompt: "[slow] a fox", num_images: 6 };
    const { body } = await app.client.post<{ job_id: string }>("/api/generate", wish, headers);
    const events = await app.client.events(`/api/generate/${body.job_id}/stream?after=0`, headers);
    await events.until(({ data }) => (data as Envelope).type === "darkroom.job.accepted");
    const { client, traceparent } = traced();
    assert.equal((await client.post(`/api/generate/${body.job_id}/cancel`, undefined, headers)).status, 202);
    await events.rest();
    const types = await typesOf(traceparent);
    assert.equal(types[0], "batch.cancel_requested");
    assert.equal(types.filter((type) => type === "job.cancel_requested" || type === "job.canceled").length, 6);
  });

  it("of the upload's request, also when another has looked at it", async () => {
    const { client, traceparent } = traced();
    const bytes = await sharp({ create: { width: 8, height: 8, channels: 3, background: "#246" } })
      .png()
      .toBuffer();
    const file = { file_name: "fox.png", content_type: "image/png", size: bytes.length };
    const { body } = await client.post<{ upload_url: string; upload_id: string }>("/attachments/presign", file);
    const put = { method: "PUT", headers: { "content-type": "image/png" }, body: new Uint8Array(bytes) };
    assert.equal((await fetch(body.upload_url, put)).status, 200);
    await say(app.client, (await startChat(app.client)).id, "like this", [body.upload_id]);
    assert.deepEqual(await typesOf(traceparent), ["attachment.issued", "attachment.ready"]);
  });

  it("or a new one for each request without", async () => {
    const { option } = await prepare();
    const jobs = [await press(app.client, option), await press(app.client, option)];
    for (const job of jobs) await jobWhen(app.client, job);
    const rows = await sql<Traced[]>`select distinct actor_id, traceparent from facts where actor_id = any(${jobs})`;
    assert.equal(rows.length, 2);
    assert.equal(new Set(rows.map(({ traceparent }) => traceparent)).size, 2);
  });
});

describe("the trace of a request", () => {
  it("is on what its job tells after the process was killed and another went on", async () => {
    const settings = { SIMULATED_LATENCY_MS: "2000", POLL_MIN_MS: "200" };
    await using first = await startServer(settings);
    const traceparent = newTrace();
    let url = first.url;
    const client = createClient(() => url, { traceparent });
    const chat = await startChat(client);
    const job = await press(client, optionsOf(await say(client, chat.id, "a fox"))[0] ?? "");
    await jobWhen(client, job, ({ state }) => state === "running.waiting");
    await first.kill9();
    await using second = await startServer({ ...settings, DATA_DIR: first.dataDir });
    url = second.url;
    const watching = createClient(() => url);
    await jobWhen(watching, job);
    const events = await watching.events(`/sse/${chat.id}?after=0`);
    await events.until(({ data }) => (data as Envelope).type === "darkroom.job.succeeded");
    events.close();
    const told = events.seen.map(({ data }) => data as Envelope).filter(({ subject }) => subject === job);
    assert.ok(told.length > 4);
    assert.deepEqual(new Set(told.map((envelope) => envelope.traceparent)), new Set([traceparent]));
  });
});
