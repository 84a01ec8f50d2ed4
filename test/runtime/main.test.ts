import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { temporaryDirectory } from "../support/directory.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";
import { startServer, type TestServer } from "../support/server.ts";

const SERVER = { LOG_LEVEL: "warn" };

const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });

const createChat = async ({ url }: TestServer) =>
  ((await (await post(`${url}/chats`, { title: "kept" })).json()) as { id: string }).id;

const gone = async (url: string) => {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; await wait(20))
    if (
      await fetch(`${url}/livez`).then(
        () => false,
        () => true,
      )
    )
      return;
  assert.fail("it still answers");
};

let database: TestDatabase;
before(async () => {
  database = await cloneDatabase();
});
after(() => database.drop());

/** On the tests' own PostgreSQL: a new embedded one costs seconds of disk where a test is not about it. */
const start = (via?: "launcher") => startServer({ ...SERVER, DATABASE_URL: database.url }, { via });

describe("starting Darkroom", () => {
  it("says where it is, how to log in, and what to try", async () => {
    await using server = await start();
    const said = server.logs();
    assert.match(said, /address {5}http:\/\/localhost:\d+\n/);
    assert.match(said, /docs {8}http:\/\/localhost:\d+\/docs\n/);
    assert.match(said, /demo login {2}test@example\.com \/ password123\n/);
    assert.equal(said.match(/curl -s /g)?.length, 3);
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  });

  it("keeps its data over a kill and an immediate second start", async () => {
    const DATA_DIR = await temporaryDirectory();
    try {
      const first = await startServer({ ...SERVER, DATA_DIR });
      const id = await createChat(first);
      await first.kill9();
      await using second = await startServer({ ...SERVER, DATA_DIR });
      assert.equal((await fetch(`${second.url}/chats/${id}`)).status, 200);
    } finally {
      await rm(DATA_DIR, { recursive: true, force: true, maxRetries: 5 });
    }
  });

  it("refuses a busy port and a directory in use before it starts anything", async () => {
    await using server = await startServer(SERVER);
    const port = new URL(server.url).port;
    await assert.rejects(startServer({ ...SERVER, PORT: port }), new RegExp(`port ${port} is busy`));
    await assert.rejects(startServer({ ...SERVER, DATA_DIR: server.dataDir }), /another Darkroom \(pid \d+\)/);
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  });

  it("names every wrong setting on a line of its own", async () => {
    await assert.rejects(startServer({ PORT: "many", POLL_FACTOR: "0" }), /^ {2}- PORT: .*\n {2}- POLL_FACTOR: /m);
  });

  it("ends with 0 on SIGTERM, and leaves nothing running", async () => {
    await using server = await start();
    assert.equal(await server.stop(), 0);
    await gone(server.url);
  });
});

describe("the launcher", () => {
  it("passes SIGTERM on and ends with Darkroom's exit code", async () => {
    await using server = await start("launcher");
    assert.equal(await server.stop(), 0);
    await gone(server.url);
  });

  it("takes Darkroom with it when it is killed", { skip: process.platform === "win32" }, async () => {
    const server = await start("launcher");
    await server.kill9();
    await gone(server.url);
    await server[Symbol.asyncDispose]();
  });
});

describe("Darkroom on Deno", () => {
  it("boots and answers over REST, server-sent events and a WebSocket", async () => {
    await using server = await startServer(
      { ...SERVER, SIMULATED_LATENCY_MS: "50", SIMULATED_QUEUE_MS: "0" },
      { via: "deno" },
    );
    const chat = await createChat(server);
    const leave = new AbortController();
    const stream = await fetch(`${server.url}/sse/${chat}?after=0`, { signal: leave.signal });
    assert.equal(stream.headers.get("content-type")?.split(";")[0], "text/event-stream");
    leave.abort();
    const login = await post(`${server.url}/api/auth/login`, { email: "test@example.com", password: "password123" });
    const { access_token: token } = (await login.json()) as { access_token: string };
    const created = await post(
      `${server.url}/api/generate`,
      { prompt: "a lighthouse", num_images: 1 },
      { authorization: `Bearer ${token}` },
    );
    assert.equal(created.status, 202);
    const { job_id } = (await created.json()) as { job_id: string };
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/generate/${job_id}?token=${token}&after=0`);
    const first = await new Promise<string>((resolve, reject) => {
      socket.onmessage = ({ data }) => resolve(String(data));
      socket.onclose = ({ code, reason }) => reject(new Error(`closed ${code} ${reason}`));
    });
    assert.ok(JSON.parse(first));
    socket.close();
    assert.equal(await server.stop(), 0);
  });
});
