import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Endpoint } from "../../src/endpoints/words.ts";
import { connect } from "../../src/db/connect.ts";
import { until } from "../streams/until.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { startChat } from "../support/flow.ts";
import { changeTo, deliveriesOf, deliveryWhen, sendTest, SETTINGS, subscribe } from "./bundle.ts";
import { openReceiver } from "./receiver.ts";

const FAILING_MS = "1500";

describe("an endpoint", () => {
  let app: TestApp;
  before(async () => {
    app = await startApp({
      ...SETTINGS,
      WEBHOOK_RETRY_LIMIT: "30",
      WEBHOOK_RETRY_MAX_MS: "200",
      WEBHOOK_DISABLE_AFTER_MS: FAILING_MS,
    });
  });
  after(() => app[Symbol.asyncDispose]());
  const get = async (client: Client, id: string) => (await client.get<Endpoint>(`/webhooks/${id}`)).body;
  const disabled = async (client: Client, id: string) => {
    await until(async () => (await get(client, id)).disabled_at !== null);
    return (await get(client, id)).disabled_reason;
  };
  const facts = async (id: string) => {
    const sql = connect(app.database, { max: 1, role: "admin" });
    const rows = await sql<{ type: string; reason: string | null }[]>`
      select type, data->>'reason' as reason from facts where stream_id = ${id} and actor_kind = 'webhook' order by seq`;
    await sql.end();
    return rows.map(({ type, reason }) => [type, reason]);
  };

  it("is disabled when everything has failed for long, its owner is told, and it goes on when it is enabled", async () => {
    const client = await app.as(randomUUID());
    await using receiver = await openReceiver();
    const webhook = await subscribe(client, receiver, { events: ["chat.created"] });
    receiver.answer((response) => void response.writeHead(500).end());
    await startChat(client, "one");
    await until(async () => (await get(client, webhook.id)).failing_since !== null);
    assert.equal(await disabled(client, webhook.id), "failing");
    assert.deepEqual(await facts(webhook.id), [["webhook.disabled", "failing"]]);
    await startChat(client, "two");
    const asked = receiver.all.length;
    assert.equal((await client.post(`/webhooks/${webhook.id}/test`)).status, 409);
    const [held] = await deliveriesOf(client, webhook.id);
    assert.equal((await client.post(`/webhooks/deliveries/${held?.id}/redeliver`)).status, 409);

    receiver.accept();
    const enabled = await changeTo(client, webhook.id, { disabled: false });
    assert.deepEqual([enabled.disabled_at, enabled.failing_since], [null, null]);
    await until(() => receiver.all.length >= asked + 2);
    assert.deepEqual(
      receiver.all
        .slice(-2)
        .map(({ event }) => event?.data.title)
        .toSorted(),
      ["one", "two"],
      "nothing is lost",
    );
    assert.deepEqual((await facts(webhook.id)).at(-1), ["webhook.enabled", null]);
  });

  it("is disabled at once when it says that it is gone", async () => {
    const client = await app.as(randomUUID());
    await using receiver = await openReceiver();
    const webhook = await subscribe(client, receiver);
    receiver.answer((response) => void response.writeHead(410).end());
    const id = await sendTest(client, webhook.id);
    assert.equal((await deliveryWhen(client, id, "FAILED")).error, "gone");
    assert.equal(await disabled(client, webhook.id), "gone");
    assert.deepEqual(await facts(webhook.id), [["webhook.disabled", "gone"]]);
  });

  it("stays enabled while anything is taken", async () => {
    const client = await app.as(randomUUID());
    await using receiver = await openReceiver();
    const webhook = await subscribe(client, receiver);
    receiver.answer((response, _, nth) => void response.writeHead(nth % 2 === 0 ? 200 : 500).end());
    const later = performance.now() + 2 * Number(FAILING_MS);
    while (performance.now() < later) await deliveryWhen(client, await sendTest(client, webhook.id), "SUCCEEDED");
    assert.equal((await get(client, webhook.id)).disabled_at, null);
    assert.deepEqual(await facts(webhook.id), []);
  });

  it("is disabled and enabled by its owner, who gets later what happened meanwhile", async () => {
    const client = await app.as(randomUUID());
    await using receiver = await openReceiver();
    const webhook = await subscribe(client, receiver, { events: ["chat.created"] });
    const off = await changeTo(client, webhook.id, { disabled: true });
    assert.equal(off.disabled_reason, "user");
    const again = await changeTo(client, webhook.id, { disabled: true, events: ["chat.*"] });
    assert.deepEqual([again.disabled_at, again.events], [off.disabled_at, ["chat.*"]]);
    await startChat(client, "meanwhile");
    await changeTo(client, webhook.id, { disabled: false });
    await until(() => receiver.all.length === 1);
    assert.equal(receiver.all[0]?.event?.data.title, "meanwhile");
    assert.deepEqual(await facts(webhook.id), [
      ["webhook.disabled", "user"],
      ["webhook.enabled", null],
    ]);
  });
});
