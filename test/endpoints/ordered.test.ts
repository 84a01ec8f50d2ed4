import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { randomUUID } from "node:crypto";
import { until } from "../streams/until.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { optionsOf, press, say, startChat } from "../support/flow.ts";
import { changeTo, deliveriesOf, deliveryWhen, sendTest, SETTINGS, subscribe } from "./bundle.ts";
import { openReceiver } from "./receiver.ts";

describe("an ordered endpoint", () => {
  let app: TestApp;
  before(async () => {
    app = await startApp({ ...SETTINGS, WEBHOOK_RETRY_LIMIT: "5" });
  });
  after(() => app[Symbol.asyncDispose]());

  it("gets the events of one stream one after another, although some have to be sent again", async () => {
    const client = await app.as(randomUUID());
    await using receiver = await openReceiver();
    const failed = new Set<string>();
    receiver.answer((response, { id }, nth) => {
      const fails = nth % 3 === 0 && !failed.has(id);
      if (fails) failed.add(id);
      response.writeHead(fails ? 500 : 204).end();
    });
    const webhook = await subscribe(client, receiver, { ordered: true });
    const chats = await Promise.all(["one", "two", "three"].map((title) => startChat(client, title)));
    await Promise.all(
      chats.map(async ({ id }) => {
        const [option = ""] = optionsOf(await say(client, id, "a fox"));
        await Promise.all([press(client, option), press(client, option)]);
      }),
    );
    const ended = () => receiver.types().filter((type) => type === "job.succeeded").length;
    await until(() => ended() >= 6, 30_000);
    await until(
      async () => (await deliveriesOf(client, webhook.id)).every(({ status }) => status === "SUCCEEDED"),
      30_000,
    );
    assert.ok(failed.size > 5);
    for (const { id } of chats) {
      const seqs = receiver.all.filter(({ event }) => event?.stream === id).map(({ event }) => Number(event?.sequence));
      // What failed is there twice, in a row.
      assert.deepEqual(
        [...new Set(seqs)],
        Array.from({ length: Math.max(...seqs) }, (_, n) => n + 1),
      );
      assert.deepEqual(
        seqs,
        seqs.toSorted((a, b) => a - b),
      );
    }
  });

  it("waits for the end of one event, and only in that stream; tests and what is sent anew go past it", async () => {
    const client = await app.as(randomUUID());
    await using receiver = await openReceiver();
    const webhook = await subscribe(client, receiver, { ordered: true });
    const first = await startChat(client, "first");
    await until(() => receiver.all.length === 1);
    receiver.answer((response, { event }) => {
      const busy = event?.stream === first.id;
      response.writeHead(busy ? 429 : 204, busy ? { "retry-after": "600" } : {}).end();
    });
    for (const title of ["a", "b"])
      assert.equal((await client.send("PATCH", `/chats/${first.id}`, { body: { title } })).status, 200);
    const other = await startChat(client, "other");
    await until(() => receiver.all.some(({ event }) => event?.stream === other.id));
    await deliveryWhen(client, await sendTest(client, webhook.id), "SUCCEEDED");
    const inFirst = async () =>
      (await deliveriesOf(client, webhook.id))
        .filter(({ event }) => event.stream === first.id)
        .map(({ status }) => status)
        .reverse();
    assert.deepEqual(await inFirst(), ["SUCCEEDED", "RETRYING", "PENDING"]);

    receiver.accept();
    const created = (await deliveriesOf(client, webhook.id)).find(({ event }) => event.type === "chat.created");
    const { body } = await client.post<{ delivery_id: string }>(`/webhooks/deliveries/${created?.id}/redeliver`);
    await deliveryWhen(client, body.delivery_id, "SUCCEEDED");
    assert.deepEqual((await inFirst()).slice(0, 3), ["SUCCEEDED", "RETRYING", "PENDING"]);

    await changeTo(client, webhook.id, { ordered: false });
    await until(async () => (await inFirst())[2] === "SUCCEEDED");
  });
});
