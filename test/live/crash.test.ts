import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { describe, it } from "node:test";
import { createClient } from "../support/client.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { getJob, optionsOf, press, say, startChat } from "../support/flow.ts";
import { contiguous, follow } from "../support/follower.ts";
import { startServer } from "../support/server.ts";
import { until } from "../streams/until.ts";
import { followLive } from "./follower.ts";

const KILLS = 3;
const SETTINGS = {
  LOG_LEVEL: "error",
  SIMULATED_LATENCY_MS: "600",
  SIMULATED_QUEUE_MS: "100",
  POLL_MIN_MS: "100",
  POLL_MAX_MS: "300",
  NOT_AFTER_MS: "1000",
  SUBMIT_TIMEOUT_MS: "1000",
  POLL_TIMEOUT_MS: "1000",
  INGEST_TIMEOUT_MS: "3000",
};

describe("kill -9 under the one socket and the feed of all that one owns", () => {
  it("costs them no event and doubles none: they go on with the cursor of each stream", {
    timeout: 180_000,
  }, async () => {
    const dataDir = await temporaryDirectory();
    let server = await startServer({ ...SETTINGS, DATA_DIR: dataDir });
    const port = new URL(server.url).port;
    const client = createClient(() => server.url);
    await using opened = new AsyncDisposableStack();
    opened.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
    opened.defer(() => server[Symbol.asyncDispose]());
    const chats = await Promise.all([startChat(client), startChat(client)]);
    const streams = ["me", ...chats.map(({ id }) => `chat:${id}`)];
    const mine = follow(client, "/streams/me");
    opened.defer(() => mine.close());
    const socket = followLive(() => `${server.url}/ws`, streams);
    opened.defer(() => socket.close());

    const jobs: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      for (const { id } of chats) {
        const [option = ""] = optionsOf(await say(client, id, "A small red fox"));
        jobs.push(await press(client, option), await press(client, option));
      }
      const before = socket.cursors("me").length;
      // In the middle of it: some of what these jobs tell has come, and the rest has not.
      await until(() => socket.cursors("me").length > before + 8, 20_000);
      await server.kill9();
      server = await startServer({ ...SETTINGS, DATA_DIR: dataDir, PORT: port });
    }
    for (const job of jobs) await until(async () => (await getJob(client, job)).status === "SUCCEEDED", 60_000);
    await startChat(client, "the last of it");

    const events = await client.events("/streams/me");
    const head = Number((await events.next())?.id);
    events.close();
    await mine.reached(head, 20_000);
    await until(() => socket.cursors("me").at(-1) === head, 20_000);
    assert.deepEqual(mine.seqs, contiguous(head));
    assert.deepEqual(socket.cursors("me"), contiguous(head));
    for (const { id } of chats) {
      const { body } = await client.get<{ cursor: number }>(`/chats/${id}`);
      await until(() => socket.cursors(`chat:${id}`).at(-1) === body.cursor, 20_000);
      assert.deepEqual(socket.cursors(`chat:${id}`), contiguous(body.cursor));
    }
    assert.ok(socket.connections() > KILLS && mine.connections() > KILLS, "they came back after each kill");
  });
});
