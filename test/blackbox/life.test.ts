import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { describe, it } from "node:test";
import type { ChatDetail } from "../../src/chats/words.ts";
import { FAST } from "../support/app.ts";
import { createClient } from "../support/client.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { jobWhen, optionsOf, press, say, startChat } from "../support/flow.ts";
import { contiguous, follow } from "../support/follower.ts";
import { startRemote } from "../support/remote.ts";
import { RUNTIMES, type Runtime, startServer } from "../support/server.ts";
import { openSocket } from "../support/socket.ts";

const SLOW = { ...FAST, LOG_LEVEL: "error", SIMULATED_LATENCY_MS: "1500", POLL_MIN_MS: "200", NOT_AFTER_MS: "1000" };
const JOBS = 6;

const life = (runtime: Runtime) => () => {
  it("survives kill -9: no job and no event is lost, and streams go on where they were", async () => {
    const DATA_DIR = await temporaryDirectory();
    let server = await startServer({ ...SLOW, DATA_DIR }, { via: runtime });
    const client = createClient(() => server.url);
    try {
      const chat = await startChat(client);
      const [option = ""] = optionsOf(await say(client, chat.id, "a small fox"));
      const follower = follow(client, `/sse/${chat.id}`);
      const jobs = await Promise.all(Array.from({ length: JOBS }, () => press(client, option)));
      for (let kill = 0; kill < 2; kill++) {
        await jobWhen(client, jobs[kill] ?? "", ({ state }) => state.startsWith("running") || state === "succeeded");
        await server.kill9();
        server = await startServer({ ...SLOW, DATA_DIR, PORT: new URL(server.url).port }, { via: runtime });
      }
      for (const job of jobs) assert.equal((await jobWhen(client, job)).status, "SUCCEEDED");
      const { body: head } = await client.get<ChatDetail>(`/chats/${chat.id}`);
      await follower.reached(head.cursor, 10_000);
      await follower.close();
      assert.deepEqual(follower.seqs, contiguous(head.cursor));
      assert.equal(follower.connections(), 3);
    } finally {
      await server[Symbol.asyncDispose]();
      await rm(DATA_DIR, { recursive: true, force: true, maxRetries: 5 });
    }
  });

  it("stops when it is asked to: what runs is told, what is asked is answered, and it ends with 0", async () => {
    await using app = await startRemote(runtime, { DRAIN_DELAY_MS: "500" });
    const user = "01900000-0000-7000-8000-00000000cafe";
    const client = await app.as(user);
    const { body } = await client.post<{ job_id: string }>("/api/generate", { prompt: "[stuck] a fox" });
    const path = `/api/generate/${body.job_id}`;
    const socket = await openSocket(`${app.url}${path}?token=${await app.token(user)}`);
    const events = await client.events(`${path}/stream`);
    const stopped = app.server.stop();
    while ((await client.get("/healthz")).status === 200);
    const draining = await client.get(path);
    assert.deepEqual([draining.status, draining.headers.get("connection")], [200, "close"]);
    assert.equal(await socket.closed, 1001);
    await events.rest();
    assert.equal(await stopped, 0);
  });
};

for (const runtime of RUNTIMES) describe(`Darkroom on ${runtime}`, life(runtime));
