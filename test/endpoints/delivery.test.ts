import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { type CloudEvent, HTTP } from "cloudevents";
import { connect } from "../../src/db/connect.ts";
import { until } from "../streams/until.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { generate, jobWhen, startChat } from "../support/flow.ts";
import { changeTo, deliveriesOf, deliveryWhen, sendTest, SETTINGS, subscribe } from "./bundle.ts";
import { openReceiver, type Receiver } from "./receiver.ts";

describe("a webhook", () => {
  let app: TestApp;
  let client: Client;
  let receiver: Receiver;
  before(async () => {
    app = await startApp({ ...SETTINGS, WEBHOOK_RETRY_LIMIT: "3" });
  });
  after(() => app[Symbol.asyncDispose]());
  beforeEach(async () => {
    client = await app.as(randomUUID());
    receiver = await openReceiver();
  });
  afterEach(() => receiver[Symbol.asyncDispose]());

  it("brings what happens from then on, once, signed, as streams show it", async () => {
    await startChat(client, "Before");
    const webhook = await subscribe(client, receiver);
    const { chat, job } = await generate(client, "a fox");
    await jobWhen(client, job);
    const events = await client.events(`/sse/${chat}?after=0`);
    await events.until(({ data }) => (data as { type: string }).type === "darkroom.job.succeeded");
    events.close();
    const shown = events.seen.filter(({ id }) => id !== undefined).map(({ data }) => data as { id: string });
    await until(() => receiver.all.length >= shown.length);
    const ids = receiver.all.map(({ event }) => event?.id);
    assert.deepEqual(ids.toSorted(), shown.map(({ id }) => id).toSorted());
    for (const { id, event, headers, body } of receiver.all) {
      assert.equal(id, event?.id);
      assert.equal(headers["content-type"], "application/cloudevents+json; charset=utf-8");
      const read = HTTP.toEvent({ headers, body }) as CloudEvent<unknown>;
      assert.ok(read.validate());
      assert.deepEqual(read.data, event?.data);
      const same = shown.find((one) => one.id === id);
      assert.deepEqual(Object.keys(event ?? {}), Object.keys(same ?? {}));
      assert.equal(headers.traceparent, event?.traceparent);
    }
    const done = receiver.all.find(({ event }) => event?.type === "darkroom.job.succeeded")?.event;
    const { raw_url } = done?.data.result as { raw_url: string };
    assert.equal((await fetch(raw_url)).status, 200, "its links are good");
    await until(async () => (await deliveriesOf(client, webhook.id, "&status=SUCCEEDED")).length === shown.length);
  });

  it("brings only what was asked for, and never what webhooks tell of themselves", async () => {
    const webhook = await subscribe(client, receiver, { events: ["chat.created", "job.*"] });
    receiver.answer((response) => void response.writeHead(410).end());
    await sendTest(client, webhook.id);
    await until(
      async () => (await client.get<{ disabled_at: unknown }>(`/webhooks/${webhook.id}`)).body.disabled_at !== null,
    );
    receiver.accept();
    await changeTo(client, webhook.id, { disabled: false });
    const { job } = await generate(client, "[fail] a fox");
    await jobWhen(client, job);
    await until(() => receiver.types().includes("job.failed"));
    const types = receiver.types().slice(1);
    assert.ok(types.includes("chat.created"));
    assert.deepEqual(
      types.filter((type) => type !== "chat.created" && !type.startsWith("job.")),
      [],
    );
  });

  it("is sent again, with the same id and a good signature, whatever goes wrong", async () => {
    const webhook = await subscribe(client, receiver);
    const faults = {
      "500": (response) => void response.writeHead(500).end("a fault"),
      "an answer that stops": (response) => {
        response.writeHead(200, { "content-length": "100" }).write("half");
        response.socket?.destroy();
      },
      "a hang-up": (response) => void response.socket?.destroy(),
    } satisfies Record<string, Parameters<Receiver["answer"]>[0]>;
    for (const [name, fault] of Object.entries(faults)) {
      let first = true;
      receiver.answer((response) => {
        if (!first) return void response.writeHead(200).end("thanks");
        first = false;
        fault(response);
      });
      const id = await sendTest(client, webhook.id);
      const { log, response_status } = await deliveryWhen(client, id, "SUCCEEDED");
      assert.deepEqual([log.length, response_status, log[1]?.response], [2, 200, "thanks"], name);
      assert.deepEqual(
        receiver.all.filter((received) => received.id === id).map(({ event }) => event?.type),
        ["darkroom.webhook.test", "darkroom.webhook.test"],
        name,
      );
    }
  });

  it("is given up after the last try, and its owner is told", async () => {
    const webhook = await subscribe(client, receiver, { events: ["chat.*"] });
    receiver.answer((response) => void response.writeHead(503).end("busy"));
    const id = await sendTest(client, webhook.id);
    const { log, error, next_try_at } = await deliveryWhen(client, id, "FAILED");
    assert.deepEqual([log.length, error, next_try_at], [4, "exhausted", null]);
    for (const { at, duration_ms, response_status, response } of log) {
      assert.ok(Date.parse(at) > 0 && duration_ms >= 0);
      assert.deepEqual([response_status, response], [503, "busy"]);
    }
    const sql = connect(app.database, { max: 1, role: "admin" });
    const told = await sql`select type, data->>'webhook_id' as webhook from facts where actor_id = ${id}`;
    await sql.end();
    assert.deepEqual([...told], [{ type: "delivery.failed", webhook: webhook.id }]);
  });

  it("does not wait for ever, neither for an answer nor for its end", async () => {
    await using quick = await startApp({ ...SETTINGS, WEBHOOK_TIMEOUT_MS: "300", WEBHOOK_RETRY_LIMIT: "0" });
    const webhook = await subscribe(quick.client, receiver);
    for (const silence of [
      () => {},
      (response: Parameters<Parameters<Receiver["answer"]>[0]>[0]) => void response.writeHead(200).write("slow"),
    ]) {
      receiver.answer(silence);
      const { log } = await deliveryWhen(quick.client, await sendTest(quick.client, webhook.id), "FAILED");
      assert.deepEqual([log[0]?.error, log[0]?.response_status], ["timeout", null]);
    }
    await until(() => receiver.open() === 0);
  });

  it("follows no redirect", async () => {
    const webhook = await subscribe(client, receiver, {}, "/from");
    receiver.answer(
      (response, { path }) => void response.writeHead(path === "/to" ? 200 : 302, { location: "/to" }).end(),
    );
    const { log } = await deliveryWhen(client, await sendTest(client, webhook.id), "FAILED");
    assert.deepEqual(new Set(log.map(({ response_status }) => response_status)), new Set([302]));
    assert.deepEqual(new Set(receiver.all.map(({ path }) => path)), new Set(["/from"]));
  });

  it("keeps the beginning of an answer, however long, without secrets", async () => {
    const webhook = await subscribe(client, receiver);
    receiver.answer((response, { headers, body }) => {
      response.writeHead(200);
      response.write(`${headers["webhook-signature"]} ${webhook.secret} \0\ud800 ${body} `);
      response.end("x".repeat(5_000_000));
    });
    const { log } = await deliveryWhen(client, await sendTest(client, webhook.id), "SUCCEEDED");
    const kept = log[0]?.response ?? "";
    assert.equal(kept.length, 1000);
    assert.match(kept, /^\[redacted\] \[redacted\] .*darkroom\.webhook\.test.* x+$/);
  });

  it("waits as long as a busy receiver wants", async () => {
    const webhook = await subscribe(client, receiver);
    receiver.answer((response) => void response.writeHead(429, { "retry-after": "600" }).end());
    const id = await sendTest(client, webhook.id);
    const { next_try_at } = await deliveryWhen(client, id, "RETRYING");
    assert.ok(Date.parse(next_try_at ?? "") > Date.now() + 500_000);

    receiver.accept();
    const { status, body } = await client.post<{ delivery_id: string }>(`/webhooks/deliveries/${id}/redeliver`);
    assert.deepEqual([status, body.delivery_id], [202, id], "unless somebody does not want to wait");
    assert.equal((await deliveryWhen(client, id, "SUCCEEDED")).tries, 2);
  });

  it("is sent anew on request when it has ended, with the same id", async () => {
    const webhook = await subscribe(client, receiver);
    await startChat(client);
    await until(() => receiver.all.length === 1);
    const [first] = await deliveriesOf(client, webhook.id);
    await deliveryWhen(client, first?.id ?? "", "SUCCEEDED");
    const { body } = await client.post<{ delivery_id: string }>(`/webhooks/deliveries/${first?.id}/redeliver`);
    assert.notEqual(body.delivery_id, first?.id);
    const again = await deliveryWhen(client, body.delivery_id, "SUCCEEDED");
    assert.equal(again.redelivery_of, first?.id);
    assert.deepEqual(
      receiver.all.map(({ id, event }) => [id, event?.type]),
      Array.from({ length: 2 }, () => [first?.event.id, "darkroom.chat.created"]),
    );
  });

  it("is signed with both secrets while they are rotated", async () => {
    const webhook = await subscribe(client, receiver);
    const { body } = await client.post<{ secret: string; previous_secret_until: string }>(
      `/webhooks/${webhook.id}/rotate`,
    );
    assert.match(body.secret, /^whsec_/);
    assert.notEqual(body.secret, webhook.secret);
    assert.ok(Date.parse(body.previous_secret_until) > Date.now() + 20 * 3_600_000);
    await deliveryWhen(client, await sendTest(client, webhook.id), "SUCCEEDED");
    assert.equal(receiver.types().at(-1), "webhook.test", "by the old one");
    await using other = await openReceiver();
    other.trust(body.secret);
    await changeTo(client, webhook.id, { url: other.url });
    await deliveryWhen(client, await sendTest(client, webhook.id), "SUCCEEDED");
    assert.deepEqual(other.types(), ["webhook.test"], "by the new one");
  });

  it("is sent to an endpoint a few at a time", async () => {
    const webhook = await subscribe(client, receiver);
    const waiting: (() => void)[] = [];
    receiver.answer((response) => void waiting.push(() => response.writeHead(200).end()));
    const chats = await Promise.all(Array.from({ length: 30 }, () => startChat(client)));
    await until(() => waiting.length === 8);
    receiver.accept();
    await until(async () => (await deliveriesOf(client, webhook.id)).length === chats.length);
    assert.equal(receiver.most(), 8);
    for (const answer of waiting) answer();
    await until(async () => (await deliveriesOf(client, webhook.id, "&status=SUCCEEDED")).length === chats.length);
    assert.equal(receiver.all.length, chats.length);
  });

  it("has nothing to send any more when its event was erased", async () => {
    const webhook = await subscribe(client, receiver, { events: ["chat.created"] });
    receiver.answer((response) => void response.writeHead(429, { "retry-after": "600" }).end());
    const chat = await startChat(client);
    await until(() => receiver.all.length === 1);
    const [delivery] = await deliveriesOf(client, webhook.id);
    assert.equal((await client.send("DELETE", `/chats/${chat.id}`)).status, 204);
    const sql = connect(app.database, { max: 1, role: "admin" });
    await until(async () => (await sql`select from facts where stream_id = ${chat.id}`).length === 0, 20_000);
    await sql.end();
    await client.post(`/webhooks/deliveries/${delivery?.id}/redeliver`);
    assert.equal((await deliveryWhen(client, delivery?.id ?? "", "CANCELED")).error, "erased");
    assert.equal(receiver.all.length, 1);
  });
});
