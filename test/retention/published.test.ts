import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { createQueries, loadQueries } from "../../src/db/queries.ts";
import { readStored } from "../bus/stored.ts";
import { until } from "../streams/until.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { generate, jobWhen } from "../support/flow.ts";
import { startNats, type TestNats } from "../support/nats.ts";
import { HASTY, inspect, remove } from "./bundle.ts";

const GONE_MS = 30_000;

describe("with NATS", () => {
  let opened: AsyncDisposableStack;
  let nats: TestNats;
  let app: TestApp;
  let other: TestApp;
  before(async () => {
    opened = new AsyncDisposableStack();
    nats = await startNats();
    opened.defer(() => nats.stop());
    const directory = await temporaryDirectory();
    opened.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
    const settings = { ...HASTY, NATS_URL: nats.url, S3_EMBEDDED_SHARED: "1", DATA_DIR: directory };
    app = opened.use(await startApp(settings));
    other = opened.use(await startApp(settings, { database: app.database }));
  });
  after(() => opened.disposeAsync());

  it("rows go only after subscribers have heard that they do", async () => {
    await using look = inspect(app);
    const { chat, job } = await generate(app.client, "a fox");
    await jobWhen(app.client, job);
    await nats.kill();
    await remove(app.client, `/chats/${chat}`);
    const erasable = async () => {
      const query = createQueries(look.sql, loadQueries());
      return (await query<{ id: string }>("erasableChats", [new Date(Date.now() + 3_600_000), true, 10])).length;
    };
    assert.equal(await erasable(), 0);
    await nats.restart();
    await until(async () => (await look.sql`select from chats`).length === 0, GONE_MS);
    const told = (await readStored(nats.url)).filter(({ fact }) => fact.stream === chat).map(({ fact }) => fact.type);
    assert.equal(told.at(-1), "chat.deleted");
    assert.ok(told.includes("job.succeeded"));
    await until(async () => Object.keys(await look.rows()).length === 0, GONE_MS);
  });

  it("a user who was deleted on one node is refused by the other within seconds", async () => {
    const id = randomUUID();
    const [here, there] = [await app.as(id), await other.as(id)];
    assert.equal((await there.get("/chats")).status, 200);
    assert.equal((await here.send("DELETE", "/api/auth/me")).status, 204);
    await until(async () => (await there.get("/chats")).status === 401, 6_000);
    assert.equal((await there.post("/chats", {})).status, 401);
  });

  it("a stream on the other node ends as well", async () => {
    const { chat, job } = await generate(app.client, "a fox");
    await jobWhen(app.client, job);
    const watched = await other.client.events(`/sse/${chat}`);
    await remove(app.client, `/chats/${chat}`);
    assert.equal((await watched.rest()).at(-1)?.event, "chat.deleted");
  });
});
