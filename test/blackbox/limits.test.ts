import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ProblemBody } from "../support/client.ts";
import { type Remote, startRemote } from "../support/remote.ts";
import { RUNTIMES, type Runtime } from "../support/server.ts";
import { head, openLine } from "./line.ts";

const SETTINGS = { BODY_LIMIT_BYTES: "10000", UPLOAD_MAX_BYTES: "3000000", OUTPUT_MAX_BYTES: "3000000" };
const JSON_TYPE = { "Content-Type": "application/json" };
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

const limits = (runtime: Runtime) => () => {
  let app: Remote;
  before(async () => {
    app = await startRemote(runtime, SETTINGS);
  });
  after(() => app[Symbol.asyncDispose]());

  /** What is answered to this, on a connection of its own. */
  const answerTo = async (...parts: string[]) => {
    const line = openLine(app.url);
    for (const part of parts) line.send(part);
    await line.until(/^HTTP\/1\.1 (\d+)/);
    line.close();
    return line.heard();
  };
  const problemOf = (text: string) => JSON.parse(/\{.*\}/s.exec(text)?.[0] ?? "{}") as ProblemBody;

  it("answers 413 to a body that says it is too long, before it has come", async () => {
    const line = openLine(app.url);
    line.send(head("POST", "/chats", { ...JSON_TYPE, "Content-Length": 10_001 }));
    line.send("x".repeat(5000));
    line.send("x".repeat(5001));
    const text = await line.until(/^HTTP\/1\.1 413 [\s\S]*\}/);
    assert.equal(problemOf(text).code, "too_large");
    line.close();
  });

  it("answers 413 to a body in chunks as soon as it is too long, and hears the next request", async () => {
    const line = openLine(app.url);
    line.send(head("POST", "/chats", { ...JSON_TYPE, "Transfer-Encoding": "chunked" }));
    for (let n = 0; n < 11; n++) line.send(chunk("x".repeat(1000)));
    const text = await line.until(/^HTTP\/1\.1 413 [\s\S]*\}/);
    assert.equal(problemOf(text).code, "too_large");
    line.close();
    assert.equal((await app.client.get("/livez")).status, 200);
  });

  it("stores no upload that is larger than announced", async () => {
    const { body } = await app.client.post<{ upload_url: string; upload_id: string }>("/attachments/presign", {
      file_name: "a.png",
      content_type: "image/png",
      size: 1000,
    });
    const { pathname, search } = new URL(body.upload_url);
    const declared = await answerTo(
      head("PUT", pathname + search, { "Content-Type": "image/png", "Content-Length": 3_000_001 }),
      "x".repeat(3_000_001),
    );
    assert.match(declared, /^HTTP\/1\.1 4\d\d /);
    const endless = openLine(app.url);
    endless.send(head("PUT", pathname + search, { "Content-Type": "image/png", "Transfer-Encoding": "chunked" }));
    for (let n = 0; n < 40; n++) endless.send(chunk("x".repeat(100_000)));
    await endless.until(/^HTTP\/1\.1 4\d\d /);
    endless.close();
    assert.equal((await fetch(body.upload_url.replace("/uploads/", "/media/"))).status, 403);
  });

  it("refuses a head that is too long, is none, or says two lengths", async () => {
    assert.match(await answerTo(`GET /livez HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(100_000)}\r\n\r\n`), / 4(00|31) /);
    assert.match(await answerTo(`GET /livez HTTP/1.1\r\nHost: x\r\n${"X: a\r\n".repeat(20_000)}\r\n`), / 4(00|31) /);
    assert.match(await answerTo("NONSENSE\r\n\r\n"), / 400 /);
    const two = head("POST", "/chats", { ...JSON_TYPE, "Content-Length": 2, "Transfer-Encoding": "chunked" });
    assert.match(await answerTo(two, `${chunk("{}")}0\r\n\r\n`), / 400 /);
  });

  it("answers what comes at once in order, on one connection", async () => {
    const line = openLine(app.url);
    line.send(head("GET", "/livez") + head("GET", "/nowhere") + head("GET", "/livez", { Connection: "close" }));
    await line.hungUp(10_000);
    assert.deepEqual(line.heard().match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 404", "HTTP/1.1 200"]);
  });

  it("ends a WebSocket whose client says more than it has to say, and no other", async () => {
    const token = await app.token("01900000-0000-7000-8000-00000000cafe");
    const client = await app.as("01900000-0000-7000-8000-00000000cafe");
    const { body } = await client.post<{ job_id: string }>("/api/generate", { prompt: "[stuck] a fox" });
    const open = async () => {
      const socket = new WebSocket(`${app.url.replace("http", "ws")}/api/generate/${body.job_id}?token=${token}`);
      const closed = new Promise<number>((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
      await new Promise((resolve) => socket.addEventListener("message", resolve, { once: true }));
      return { socket, closed };
    };
    const [loud, quiet] = [await open(), await open()];
    loud.socket.send("x".repeat(64 * 1024 + 1));
    assert.ok([1006, 1009].includes(await loud.closed));
    assert.equal(quiet.socket.readyState, WebSocket.OPEN);
    quiet.socket.close();
    await quiet.closed;
  });
};

for (const runtime of RUNTIMES) describe(`Darkroom on ${runtime} keeps its limits and`, limits(runtime));
