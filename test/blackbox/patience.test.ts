import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { generate, startChat } from "../support/flow.ts";
import { type Remote, startRemote } from "../support/remote.ts";
import { RUNTIMES } from "../support/server.ts";
import { head, type Line, openLine } from "./line.ts";

/** Longer than a connection may rest. */
const LONG_MS = 40_000;
const LIMIT_MS = 75_000;
const UPLOAD_BYTES = 1_800_000;
const JSON_TYPE = { "Content-Type": "application/json" };
const ASKED = 60;

const drip = (line: Line, text: string) => {
  const timer = setInterval(() => line.send(text), 500);
  line.hungUp(LIMIT_MS).then(
    () => clearInterval(timer),
    () => clearInterval(timer),
  );
};

/** What clients do that never end, and what shows that the server did not wait for them. */
const HANGING: Record<string, (line: Line, upload: string) => Promise<unknown>> = {
  "who says nothing": (line) => line.hungUp(LIMIT_MS),
  "whose head does not end": (line) => {
    line.send("GET /livez HTTP/1.1\\r\\nHost: localhost\\r\\n");
    return line.hungUp(LIMIT_MS);
  },
  "whose head comes letter by letter": (line) => {
    line.send("GET /livez HTTP/1.1\\r\\nHost: localhost\\r\\nX: ");
    drip(line, "a");
    return line.hungUp(LIMIT_MS);
  },
  "whose body does not come": (line) => {
    line.send(head("POST", "/chats", { ...JSON_TYPE, "Content-Length": 100 }));
    return line.refused(LIMIT_MS);
  },
  "whose body comes letter by letter": (line) => {
    line.send(head("POST", "/chats", { ...JSON_TYPE, "Content-Length": 9000 }));
    drip(line, " ");
    return line.refused(LIMIT_MS);
  },
  "whose chunks do not end": (line) => {
    line.send(`${head("POST", "/chats", { ...JSON_TYPE, "Transfer-Encoding": "chunked" })}1\\r\\n{\\r\\n`);
    return line.refused(LIMIT_MS);
  },
  "whose upload stands still": (line, upload) => {
    line.send(head("PUT", upload, { "Content-Type": "image/png", "Content-Length": UPLOAD_BYTES }));
    line.send("x".repeat(100_000));
    return line.refused(LIMIT_MS);
  },
  "who asks for nothing more": (line) => {
    line.send(head("GET", "/livez"));
    return line.hungUp(LIMIT_MS);
  },
  "who does not listen": async (line) => {
    line.deafen(LONG_MS);
    line.send(head("GET", "/openapi.json").repeat(ASKED));
    await line.hungUp(LIMIT_MS);
    const answers = line.heard().split("HTTP/1.1 200").length - 1;
    assert.ok(answers < ASKED, `it kept all ${answers} answers for him`);
  },
};

/** Everything at once, because all of it is waiting. */
const begin = async (app: Remote) => {
  const presign = async () => {
    const wish = { file_name: "a.png", content_type: "image/png", size: UPLOAD_BYTES };
    const { body } = await app.client.post<{ upload_url: string }>("/attachments/presign", wish);
    return new URL(body.upload_url);
  };
  const still = await presign();
  const ends = Object.entries(HANGING).map(([name, act]): [string, Promise<unknown>] => {
    const line = openLine(app.url);
    return [name, act(line, still.pathname + still.search).finally(line.close)];
  });
  const uploads = async () => {
    const parts = LONG_MS / 1000;
    const slowly = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        await wait(1000);
        controller.enqueue(new Uint8Array(UPLOAD_BYTES / parts));
        if (++sent === parts) controller.close();
      },
    });
    let sent = 0;
    const headers = { "content-type": "image/png", "content-length": String(UPLOAD_BYTES) };
    const init: RequestInit & { duplex: "half" } = { method: "PUT", headers, body: slowly, duplex: "half" };
    return (await fetch(await presign(), init)).status;
  };
  const watches = async () => {
    const chat = await startChat(app.client);
    const stream = await app.client.events(`/sse/${chat.id}`);
    await wait(LONG_MS);
    await app.client.send("PATCH", `/chats/${chat.id}`, { body: { title: "Still here" } });
    const event = await stream.next();
    stream.close();
    return event?.id;
  };
  const waits = async () => {
    const { option } = await generate(app.client, "[stuck] a fox");
    const headers = { ...JSON_TYPE, prefer: `wait=${LONG_MS / 1000}`, "idempotency-key": "waits" };
    const wish = { method: "POST", headers, body: "{}" };
    return (await fetch(`${app.url}/options/${option}/generate`, wish)).status;
  };
  const begun = { ends: new Map(ends), upload: uploads(), stream: watches(), wait: waits() };
  for (const end of [...begun.ends.values(), begun.upload, begun.stream, begun.wait]) end.catch(() => {});
  return begun;
};

describe("Darkroom's patience", () => {
  const apps: Remote[] = [];
  const begun = new Map<string, Awaited<ReturnType<typeof begin>>>();
  before(async () => {
    for (const runtime of RUNTIMES) apps.push(await startRemote(runtime));
    for (const [index, app] of apps.entries()) begun.set(RUNTIMES[index] ?? "", await begin(app));
  });
  after(async () => {
    for (const app of apps) await app[Symbol.asyncDispose]();
  });

  for (const runtime of RUNTIMES) {
    for (const name of Object.keys(HANGING))
      it(`ends on ${runtime} with him ${name}`, { timeout: LIMIT_MS }, async () => {
        await begun.get(runtime)?.ends.get(name);
      });

    it(`does not end on ${runtime} with an upload that is slow, but comes`, { timeout: LIMIT_MS }, async () => {
      assert.equal(await begun.get(runtime)?.upload, 200);
    });

    it(`does not end on ${runtime} with a request that prefers to wait`, { timeout: LIMIT_MS }, async () => {
      assert.equal(await begun.get(runtime)?.wait, 202);
    });

    it(`does not end on ${runtime} with a stream on which nothing happens`, { timeout: LIMIT_MS }, async () => {
      assert.equal(await begun.get(runtime)?.stream, "2");
    });
  }
});
