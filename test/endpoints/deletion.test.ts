import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { HASTY, inspect, remove } from "../retention/bundle.ts";
import { until } from "../streams/until.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { startChat } from "../support/flow.ts";
import { deliveriesOf, deliveryWhen, sendTest, SETTINGS, subscribe } from "./bundle.ts";
import { openReceiver } from "./receiver.ts";

const GONE_MS = 30_000;

describe("a deleted webhook", () => {
  let app: TestApp;
  let look: ReturnType<typeof inspect>;
  before(async () => {
    app = await startApp({ ...SETTINGS, ...HASTY });
    look = inspect(app);
  });
  after(async () => {
    await look[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
  });
  const allGone = () =>
    until(async () => Object.keys(await look.rows()).length === 0, GONE_MS).catch(async (error) =>
      assert.fail(`${error.message}: ${JSON.stringify(await look.rows())}`),
    );

  it("is gone with all that it was to be sent, and is sent nothing more", async () => {
    const client = await app.as(randomUUID());
    await using receiver = await openReceiver();
    const webhook = await subscribe(client, receiver);
    receiver.answer((response) => void response.writeHead(410).end());
    const failed = await sendTest(client, webhook.id);
    await deliveryWhen(client, failed, "FAILED");
    const chat = await startChat(client);
    await remove(client, `/webhooks/${webhook.id}`);
    const came = receiver.all.length;
    await remove(client, `/chats/${chat.id}`);
    await allGone();
    assert.equal(receiver.all.length, came);
  });

  it("need not be deleted: it goes with its user", async () => {
    const ada = await app.as(randomUUID());
    await using receiver = await openReceiver();
    const webhook = await subscribe(ada, receiver);
    receiver.answer((response) => void response.writeHead(429, { "retry-after": "600" }).end());
    await startChat(ada);
    await until(async () => (await deliveriesOf(ada, webhook.id)).some(({ status }) => status === "RETRYING"));
    assert.equal((await ada.send("DELETE", "/api/auth/me")).status, 204);
    await allGone();
    assert.deepEqual(receiver.types(), ["chat.created"]);
  });

  it("may stay: what was sent is forgotten after 30 days", async () => {
    const client = await app.as(randomUUID());
    await using receiver = await openReceiver();
    const webhook = await subscribe(client, receiver);
    const [old, young] = [await sendTest(client, webhook.id), await sendTest(client, webhook.id)];
    for (const id of [old, young]) await deliveryWhen(client, id, "SUCCEEDED");
    await look.sql`update actors set finished_at = now() - interval '31 days' where id = ${old}`;
    await look.sql`update actors set finished_at = now() - interval '29 days' where id = ${young}`;
    await until(async () => (await deliveriesOf(client, webhook.id)).length === 1, GONE_MS);
    assert.deepEqual(
      (await deliveriesOf(client, webhook.id)).map(({ id }) => id),
      [young],
    );
    assert.deepEqual([...(await look.sql`select from transitions where actor_id = ${old}`)], []);
  });
});
