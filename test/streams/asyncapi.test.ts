import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { Parser } from "@asyncapi/parser";
import { attachmentMachine } from "../../machines/attachment.ts";
import { batchMachine } from "../../machines/batch.ts";
import { deliveryMachine } from "../../machines/delivery.ts";
import { jobContext } from "../../machines/job.context.ts";
import { jobMachine } from "../../machines/job.ts";
import { defaultPolicy } from "../../machines/policy.ts";
import { CLIENT_FRAMES, SERVER_FRAMES } from "../../src/streams/words.ts";
import { startApp, type TestApp } from "../support/app.ts";

type Message = { examples?: { name: string }[] };
type Document = {
  asyncapi: string;
  servers: Record<string, { host: string; protocol: string }>;
  channels: Record<string, { address: string; messages: Record<string, unknown> }>;
  components: { messages: Record<string, Message> };
};
type Emit = { type: string; event: { type: string } | ((of: object) => { type: string }) };

/** The types of all facts that a machine can emit, from its definition. */
const emittedBy = (config: unknown): string[] => {
  if (typeof config === "function" && (config as unknown as Emit).type === "xstate.emit") {
    const { event } = config as unknown as Emit;
    const context = jobContext(defaultPolicy, undefined);
    return [typeof event === "function" ? event({ context, event: { at: 0 } }).type : event.type];
  }
  return typeof config === "object" && config !== null ? Object.values(config).flatMap(emittedBy) : [];
};
/** The types of the facts that slices append themselves. */
const appended = (): string[] => {
  const commands = readdirSync(new URL("../../src/", import.meta.url), { recursive: true, encoding: "utf8" });
  return commands
    .filter((file) => file.endsWith("commands.ts"))
    .flatMap((file) => {
      const code = readFileSync(new URL(`../../src/${file}`, import.meta.url), "utf8");
      return [...code.matchAll(/\bfact\([^)"]*"([a-z_.]+)"/g)].map(([, type = ""]) => type);
    });
};

describe("the AsyncAPI document", () => {
  let app: TestApp;
  let document: Document;
  before(async () => {
    app = await startApp({ PUBLIC_URL: "https://darkroom.example:8443" });
    document = (await app.client.get<Document>("/asyncapi.json")).body;
  });
  after(() => app[Symbol.asyncDispose]());

  it("is AsyncAPI 3, as its own parser says", async () => {
    const { document: parsed, diagnostics } = await new Parser().parse(JSON.stringify(document));
    for (const { severity, code, path, message } of diagnostics) {
      console.log(`asyncapi: severity ${severity} ${code} ${path.join("/")} ${message}`);
    }
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity < 2),
      [],
    );
    assert.equal(parsed?.version(), "3.0.0");
    // On one of them clients speak, too.
    assert.equal(parsed?.operations().length, Object.keys(document.channels).length + 1);
    assert.deepEqual(
      parsed
        ?.operations()
        .filterByReceive()
        .map((operation) => operation.channels().all()[0]?.address()),
      ["/ws"],
    );
  });

  it("lists every fact that machines emit and slices append, and no other", () => {
    const stored = [jobMachine, batchMachine, attachmentMachine, deliveryMachine];
    const machines = stored.flatMap(({ config }) => emittedBy(config));
    const types = new Set([...machines, ...appended()]);
    assert.ok(types.size > 30, [...types].join());
    assert.deepEqual(Object.keys(document.channels.facts?.messages ?? {}).sort(), [...types].sort());
  });

  it("has the subjects of NATS, the streams of HTTP and the socket, each on its server", () => {
    assert.deepEqual(
      Object.values(document.channels).map(({ address }) => address),
      [
        "darkroom.{owner}.{stream}.{actor_kind}.{actor_id}.{fact}",
        "darkroom-live.node.{node}",
        "darkroom-live.breaker.{node}.{provider}",
        "/sse/{chat_id}",
        "/jobs/{id}/stream",
        "/api/generate/{job_id}/stream",
        "/api/generate/{job_id}",
        "/streams/me",
        "/ws",
      ],
    );
    assert.deepEqual(
      Object.values(document.servers).map(({ host, protocol }) => `${protocol}://${host}`),
      ["nats://{nats}", "https://darkroom.example:8443", "wss://darkroom.example:8443"],
    );
    assert.deepEqual(Object.keys(document.channels.chatEvents?.messages ?? {}).sort(), [
      "chat.deleted",
      "chat.updated",
      "job.deleted",
      "job.progress",
      "job.updated",
      "message.created",
      "option.created",
      "reset",
    ]);
  });

  it("has all that a user can be told on the feed of all that one owns", () => {
    assert.deepEqual(Object.keys(document.channels.myEvents?.messages ?? {}).sort(), [
      "attachment.deleted",
      "attachment.updated",
      "batch.deleted",
      "batch.updated",
      "chat.deleted",
      "chat.updated",
      "job.deleted",
      "job.updated",
      "message.created",
      "option.created",
      "reset",
      "snapshot",
    ]);
  });

  it("has every frame of the one socket", () => {
    assert.deepEqual(
      Object.keys(document.channels.live?.messages ?? {}).sort(),
      [...Object.keys(CLIENT_FRAMES), ...Object.keys(SERVER_FRAMES)].sort(),
    );
  });

  it("shows a message as it was", () => {
    const [example] = document.components.messages["fact.job.succeeded"]?.examples ?? [];
    assert.match(example?.name ?? "", /^darkroom(\.[0-9a-f-]{36}){2}\.job\.[0-9a-f-]{36}\.succeeded$/);
  });
});
