import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Envelope } from "../../src/streams/envelope.ts";
import { until } from "../streams/until.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { generate, getJob, jobWhen, optionsOf, press, say, startChat } from "../support/flow.ts";
import { openSocket } from "../support/socket.ts";
import { HASTY, inspect, remove, upload } from "./bundle.ts";

const GONE_MS = 30_000;
type Created = { job_id: string };

const order = async (client: Client, prompt: string, num_images: number): Promise<string> => {
  const { status, body } = await client.post<Created>("/api/generate", { prompt, num_images });
  assert.equal(status, 202);
  return body.job_id;
};
const typesIn = (events: readonly { data: unknown }[]) =>
  events.map(({ data }) => (data as Envelope).type?.replace("darkroom.", ""));

describe("what is deleted", () => {
  let app: TestApp;
  let look: ReturnType<typeof inspect>;
  before(async () => {
    app = await startApp({ ...HASTY, PUBLIC_URL: "own", SIMULATED_LATENCY_MS: "200" });
    look = inspect(app);
  });
  after(async () => {
    await look[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
  });
  const someone = async () => {
    const id = randomUUID();
    return { id, client: await app.as(id) };
  };
  /** Waits until nothing is left of anything. */
  const allGone = async () => {
    await until(async () => Object.keys(await look.rows()).length + (await look.objects()).length === 0, GONE_MS).catch(
      async (error) => assert.fail(`${error.message}: ${JSON.stringify([await look.rows(), await look.objects()])}`),
    );
  };

  it("is gone with every row and object: a chat in the middle of its jobs", async () => {
    const { client } = await someone();
    const chat = await startChat(client);
    const { id: attachment } = await upload(client);
    const said = await say(client, chat.id, "like this", [attachment]);
    const [option = ""] = optionsOf(said);
    const done = await press(client, option);
    assert.equal((await jobWhen(client, done)).status, "SUCCEEDED");
    const [other = ""] = optionsOf(await say(client, chat.id, "[stuck] a fox"));
    const running = await press(client, other);
    await jobWhen(client, running, ({ state }) => state === "running.waiting");
    const late = await press(client, option);
    await jobWhen(client, late, ({ status }) => status === "RUNNING");
    const watched = await client.events(`/sse/${chat.id}`);
    const followed = await client.events(`/jobs/${running}/stream`);

    await remove(client, `/chats/${chat.id}`);
    for (const events of [watched, followed]) assert.equal(typesIn(await events.rest()).at(-1), "chat.deleted");
    await until(async () => {
      const rows = await look.sql`select from simulated_submits where canceled_at is not null`;
      return rows.length > 0;
    }, GONE_MS);
    await remove(client, `/attachments/${attachment}`);
    await allGone();
  });

  it("is gone with its outputs: a job, in a chat whose stream goes on without a gap", async () => {
    const { client } = await someone();
    const { chat, option, job } = await generate(client, "a fox");
    await jobWhen(client, job);
    const kept = await press(client, option);
    await jobWhen(client, kept);
    const watched = await client.events(`/sse/${chat}?after=0`);
    await remove(client, `/options/jobs/${job}`);
    const told = await watched.until(({ event }) => event === "job.deleted");
    assert.deepEqual((told.data as Envelope).data, { job_id: job });
    // At once, before anything is erased, and afterwards.
    const seen = async () => {
      const events = await client.events(`/sse/${chat}?after=0`);
      await events.until(({ event }) => event === "job.deleted");
      events.close();
      return events.seen.map(({ data }) => data as Envelope);
    };
    const linksIn = (events: Envelope[]) => events.filter(({ subject, data }) => subject === job && data.result);
    assert.deepEqual(linksIn(await seen()), []);
    assert.equal((await client.get(`/jobs/${job}/timeline`)).status, 404);
    await until(async () => (await look.sql`select from jobs where id = ${job}`).length === 0, GONE_MS);
    const after = await seen();
    assert.deepEqual(
      after.map(({ sequence }) => Number(sequence)),
      after.map((_, n) => n + 1),
    );
    for (const { subject, data } of after.filter(({ subject }) => subject === job))
      assert.deepEqual(data, { job_id: subject });
    watched.close();

    // The same picture, made for the same user: it is there as long as one of them is.
    const { result } = await getJob(client, kept);
    assert.equal((await fetch(result?.raw_url ?? "")).status, 200);
    await remove(client, `/chats/${chat}`);
    await allGone();
  });

  it("takes its jobs along: a request for several images, on SSE and WebSocket", async () => {
    const { id, client } = await someone();
    const batch = await order(client, "[stuck] a fox", 3);
    const events = await client.events(`/api/generate/${batch}/stream`);
    const detail = async () =>
      (await client.get<{ results: Created[]; status: string }>(`/api/generate/${batch}`)).body;
    await until(async () => (await detail()).status === "RUNNING");
    const socket = await openSocket(`${app.url}/api/generate/${batch}?token=${await app.token(id)}`);
    const [job] = (await detail()).results;
    await remove(client, `/api/generate/${batch}`);
    const last = (await events.rest()).at(-1);
    assert.deepEqual([last?.event, (last?.data as Envelope).data], ["batch.deleted", { job_id: batch }]);
    await socket.closed;
    assert.equal((socket.seen.at(-1) as Envelope).type, "darkroom.batch.deleted");
    for (const path of [`/jobs/${job?.job_id}`, `/api/generate/${batch}`, `/api/generate/${batch}/metrics`])
      assert.equal((await client.get(path)).status, 404, path);
    for (const list of ["/jobs", "/api/generate"])
      assert.deepEqual((await client.get<{ items: unknown[] }>(list)).body.items, [], list);
    await allGone();
  });

  it("leaves the others of a request: one of its jobs", async () => {
    const { client } = await someone();
    const batch = await order(client, "a fox", 2);
    await (await client.events(`/api/generate/${batch}/stream`)).rest();
    const detail = async () =>
      (await client.get<{ results: Created[]; completed: number }>(`/api/generate/${batch}`)).body;
    const [first, second] = (await detail()).results;
    await remove(client, `/jobs/${first?.job_id}`);
    const { results, completed } = await detail();
    assert.deepEqual([results.map(({ job_id }) => job_id), completed], [[second?.job_id], 2]);
    await remove(client, `/api/generate/${batch}`);
    await allGone();
  });

  it("may have been made again: the new job stays, and so does what it was made with", async () => {
    const { client } = await someone();
    const { chat, job } = await generate(client, "[fail] a fox");
    await jobWhen(client, job);
    const { body } = await client.post<Created>(`/jobs/${job}/retry`);
    await jobWhen(client, body.job_id);
    await remove(client, `/jobs/${job}`);
    assert.equal((await client.post(`/jobs/${job}/retry`)).status, 404);
    await until(async () => (await look.sql`select from jobs where id = ${job}`).length === 0, GONE_MS);
    assert.equal((await getJob(client, body.job_id)).retry_of, null);
    await remove(client, `/chats/${chat}`);
    await allGone();
  });

  it("is of no use any more: an upload, its link, and the options that name it", async () => {
    const { client } = await someone();
    const chat = await startChat(client);
    const { id, link } = await upload(client);
    const [option = ""] = optionsOf(await say(client, chat.id, "like this", [id]));
    assert.equal((await client.get(link)).status, 302);
    await remove(client, `/attachments/${id}`);
    for (const path of [link, `/attachments/${id}`]) assert.equal((await client.get(path)).status, 404, path);
    const pressed = await client.post<{ code: string }>(`/options/${option}/generate`, {}, { "idempotency-key": "x" });
    assert.equal(pressed.body.code, "attachment_not_ready");
    const refused = await client.post<{ code: string }>(`/chats/${chat.id}/messages`, { text: "x", attachments: [id] });
    assert.equal(refused.body.code, "attachment_not_ready");
    await remove(client, `/chats/${chat.id}`);
    await allGone();
  });

  it("of a user is everything, and the user: no token is good any more", async () => {
    const [ada, bob] = [await someone(), await someone()];
    const hers = await generate(ada.client, "a fox");
    const his = await generate(bob.client, "a fox");
    await Promise.all([jobWhen(ada.client, hers.job), jobWhen(bob.client, his.job)]);
    const { link } = await upload(ada.client);
    assert.equal((await ada.client.get(link)).status, 302);
    const batch = await order(ada.client, "[stuck] a fox", 2);
    const events = await ada.client.events(`/api/generate/${batch}/stream`);
    const watched = await ada.client.events(`/sse/${hers.chat}`);

    assert.equal((await ada.client.send("DELETE", "/api/auth/me")).status, 204);
    assert.equal((await app.client.get(link)).status, 404);
    await until(async () => (await ada.client.get("/chats")).status === 401);
    for (const path of ["/api/auth/me", `/chats/${hers.chat}`, `/api/generate/${batch}`])
      assert.equal((await ada.client.get(path)).status, 401, path);
    assert.equal((await ada.client.post("/chats", {})).status, 401);
    assert.equal((await ada.client.send("DELETE", "/api/auth/me")).status, 401);
    assert.equal(typesIn(await events.rest()).at(-1), "batch.deleted");
    assert.equal(typesIn(await watched.rest()).at(-1), "chat.deleted");

    const left = async () => look.sql<{ erased: boolean; empty: boolean }[]>`
      select erased_at is not null as erased, email is null and password_hash is null as empty
      from users where id = ${ada.id}`;
    await until(async () => (await left())[0]?.erased === true, GONE_MS);
    assert.equal((await left())[0]?.empty, true);
    for (const name of ["chats", "jobs", "batches", "attachments", "outputs", "idempotency"])
      assert.deepEqual([...(await look.sql.unsafe(`select from ${name} where user_id = '${ada.id}'`))], [], name);
    for (const name of ["facts", "streams", "actors", "turns"])
      assert.deepEqual([...(await look.sql.unsafe(`select from ${name} where owner_id = '${ada.id}'`))], [], name);
    await until(async () => !(await look.objects()).some((key) => key.includes(ada.id)), GONE_MS);

    const { result } = await getJob(bob.client, his.job);
    assert.equal((await fetch(result?.raw_url ?? "")).status, 200);
    await remove(bob.client, `/chats/${his.chat}`);
    await allGone();
  });

  it("is never the demo user", async () => {
    const login = { email: "test@example.com", password: "password123" };
    const { body } = await app.client.post<{ access_token: string }>("/api/auth/login", login);
    const refused = await app.client.send<{ code: string; detail: string }>("DELETE", "/api/auth/me", {
      headers: { authorization: `Bearer ${body.access_token}` },
    });
    assert.deepEqual([refused.status, refused.body.code], [403, "forbidden"]);
    assert.match(refused.body.detail, /demo user/);
  });

  it("cannot be deleted by others", async () => {
    const { client } = await someone();
    const { chat, job } = await generate(client, "a fox");
    const stranger = (await someone()).client;
    for (const path of [`/chats/${chat}`, `/jobs/${job}`]) {
      assert.equal((await stranger.send("DELETE", path)).status, 404, path);
      assert.equal((await client.get(path)).status, 200, path);
    }
    await remove(client, `/chats/${chat}`);
    await allGone();
  });
});
