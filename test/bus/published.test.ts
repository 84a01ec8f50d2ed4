import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { Ajv } from "ajv";
import { type CloudEvent, HTTP } from "cloudevents";
import sharp from "sharp";
import { connect } from "../../src/db/connect.ts";
import { createQueries, loadQueries } from "../../src/db/queries.ts";
import { changeTo, deliveryWhen, sendTest, subscribe } from "../endpoints/bundle.ts";
import { openReceiver } from "../endpoints/receiver.ts";
import { until } from "../streams/until.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { createClient } from "../support/client.ts";
import { temporaryDirectory } from "../support/directory.ts";
import type { ServerEvent } from "../support/events.ts";
import { jobWhen, optionsOf, press, say, startChat } from "../support/flow.ts";
import { startNats, type TestNats } from "../support/nats.ts";
import { openSocket } from "../support/socket.ts";
import { readStored, type Stored } from "./stored.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

type Schema = { $ref?: string; allOf?: Schema[]; anyOf?: Schema[]; properties?: object };
type Document = {
  channels: Record<string, { messages: Record<string, object> }>;
  components: { schemas: Record<string, Schema>; messages: Record<string, { payload: Schema }> };
};

/** The fields that a schema names. */
const fieldsIn = (
  { components }: Document,
  { $ref = "", allOf = [], anyOf = [], properties = {} }: Schema,
): string[] => {
  const target = components.schemas[$ref.slice("#/components/schemas/".length)];
  const parts = [...allOf, ...anyOf, ...(target ? [target] : [])];
  return [...Object.keys(properties), ...parts.flatMap((part) => fieldsIn({ components } as Document, part))];
};

/** Messages as the document describes them, by its own schemas. */
const createJudge = (document: Document) => {
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addFormat("date-time", (text) => !Number.isNaN(Date.parse(text)) && text.endsWith("Z"));
  ajv.addFormat("uuid", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  ajv.addFormat("uri", (text) => URL.canParse(text));
  ajv.addSchema(document, "document");
  return (at: string, value: unknown) => {
    const validate = ajv.getSchema(`document#/${at}`) ?? ajv.compile({ $ref: `document#/${at}` });
    assert.ok(validate(value), `${at}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value, null, 1)}`);
  };
};
const headersOf = ({ headers }: Stored) =>
  Object.fromEntries([...headers.keys()].map((key) => [key, headers.get(key)]));

describe("what is published", () => {
  let opened: AsyncDisposableStack;
  let nats: TestNats;
  let app: TestApp;
  let document: Document;
  let stored: Stored[];
  /** channel → what came by it. */
  const seen = new Map<string, readonly ServerEvent[]>();

  /** A little of everything: talk, an upload, jobs that end well, badly and by cancel, a batch, a webhook in vain. */
  const live = async () => {
    const client = createClient(() => app.url, { traceparent: TRACEPARENT });
    const chat = await startChat(client);
    const watched = await client.events(`/sse/${chat.id}?after=0`);
    opened.defer(() => watched.close());
    const receiver = opened.use(await openReceiver());
    receiver.answer((response) => void response.writeHead(500).end());
    const webhook = await subscribe(client, receiver, { events: ["chat.renamed"] });
    await deliveryWhen(client, await sendTest(client, webhook.id), "FAILED");
    for (const disabled of [true, false]) await changeTo(client, webhook.id, { disabled });
    const bytes = await sharp({ create: { width: 8, height: 8, channels: 3, background: "#246" } })
      .png()
      .toBuffer();
    const file = { file_name: "fox.png", content_type: "image/png", size: bytes.length };
    const { body } = await client.post<{ upload_url: string; upload_id: string }>("/attachments/presign", file);
    const put = { method: "PUT", headers: { "content-type": "image/png" }, body: new Uint8Array(bytes) };
    assert.equal((await fetch(body.upload_url, put)).status, 200);
    await say(client, chat.id, "like this", [body.upload_id]);
    const pressed = async (text: string) => press(client, optionsOf(await say(client, chat.id, text))[0] ?? "");
    for (const text of ["a fox", "[fail] a fox"]) {
      const job = await pressed(text);
      seen.set("jobEvents", await (await client.events(`/jobs/${job}/stream`)).rest());
    }
    const slow = await pressed("[slow] a fox");
    await jobWhen(client, slow, ({ state }) => state === "running.waiting");
    await client.post(`/jobs/${slow}/cancel`);
    await jobWhen(client, slow);
    const token = await app.token(randomUUID());
    const headers = { authorization: `Bearer ${token}` };
    const wish = { prompt: "a fox", num_images: 2 };
    const made = await client.post<{ job_id: string }>("/api/generate", wish, headers);
    const socket = await openSocket(`${app.url}/api/generate/${made.body.job_id}?token=${token}`);
    seen.set("batchEvents", await (await client.events(`/api/generate/${made.body.job_id}/stream`, headers)).rest());
    await socket.closed;
    seen.set(
      "batchSocket",
      socket.seen.map((data) => ({ event: (data as { event?: string }).event ?? "", data })),
    );
    await client.send("PATCH", `/chats/${chat.id}`, { body: { title: "Foxes" } });
    await client.send("DELETE", `/chats/${chat.id}`);
    seen.set("chatEvents", await watched.rest());
  };

  before(async () => {
    opened = new AsyncDisposableStack();
    nats = await startNats();
    opened.defer(() => nats.stop());
    const directory = await temporaryDirectory();
    opened.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
    app = opened.use(
      await startApp({
        NATS_URL: nats.url,
        PUBLIC_URL: "own",
        S3_EMBEDDED_SHARED: "1",
        DATA_DIR: directory,
        RETRY_LIMIT: "1",
        WEBHOOKS_ALLOW_PRIVATE: "1",
        WEBHOOK_RETRY_LIMIT: "0",
      }),
    );
    document = (await app.client.get<Document>("/asyncapi.json")).body;
    await live();
    const sql = connect(app.database, { max: 1, role: "read" });
    const query = createQueries(sql, loadQueries());
    await until(async () => (await query<{ lag: number }>("countUnpublished"))[0]?.lag === 0, 20_000);
    await sql.end({ timeout: 5 });
    stored = await readStored(nats.url);
  });
  after(() => opened.disposeAsync());

  it("on NATS is as the AsyncAPI document says, header by header and field by field", () => {
    const judge = createJudge(document);
    const types = new Set<string>();
    for (const message of stored) {
      const { type, data } = message.fact;
      types.add(type);
      judge(`components/messages/fact.${type}/headers`, headersOf(message));
      judge(`components/messages/fact.${type}/payload`, data);
      const { payload = {} } = document.components.messages[`fact.${type}`] ?? {};
      const described = fieldsIn(document, payload);
      assert.deepEqual(
        Object.keys(data).filter((field) => !described.includes(field)),
        [],
        type,
      );
    }
    const wanted = ["job.succeeded", "job.failed", "job.canceled", "job.rendered", "batch.succeeded", "chat.deleted"];
    const others = ["message.created", "option.created", "attachment.ready", "delivery.failed", "webhook.disabled"];
    for (const type of [...wanted, ...others, "webhook.enabled"]) {
      assert.ok(types.has(type), type);
    }
  });

  it("on NATS is read by the SDK of CloudEvents", () => {
    assert.ok(stored.length > 40);
    for (const message of stored) {
      const { fact, data } = message;
      const body = new TextDecoder().decode(data);
      const event = HTTP.toEvent({ headers: headersOf(message), body }) as CloudEvent<unknown>;
      assert.ok(event.validate());
      assert.deepEqual(
        { id: event.id, source: event.source, type: event.type, subject: event.subject, time: event.time },
        {
          id: fact.id,
          source: app.url,
          type: `darkroom.${fact.type}`,
          subject: fact.actorId,
          time: new Date(fact.at).toISOString(),
        },
      );
      assert.equal(event.stream, fact.stream);
      assert.equal(event.sequence, String(fact.seq));
      assert.equal(event.ownersequence, String(fact.ownerSeq));
      assert.equal(event.traceparent, TRACEPARENT);
      assert.deepEqual(event.data, fact.data);
    }
  });

  it("to clients is as the AsyncAPI document says", () => {
    const judge = createJudge(document);
    for (const [channel, events] of seen) {
      assert.ok(events.length > 2, channel);
      const { messages = {} } = document.channels[channel] ?? {};
      for (const { event, data } of events) {
        const { type = "" } = data as { type?: string };
        // A frame of a socket does not name its message; a fact is told by its type.
        const name = event || type.replace(/^darkroom\.(job|batch)\..*$/, "$1.updated");
        assert.ok(name in messages, `${name} on ${channel}`);
        const shared = `components/messages/event.${name}/payload`;
        judge("$ref" in (messages[name] ?? {}) ? shared : `channels/${channel}/messages/${name}/payload`, data);
      }
    }
  });
});
