import assert from "node:assert/strict";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import type { ChatDetail } from "../../src/chats/words.ts";
import { connect } from "../../src/db/connect.ts";
import { until } from "../streams/until.ts";
import { createClient, type ProblemBody } from "../support/client.ts";
import { optionsOf, press, say, startChat } from "../support/flow.ts";
import { contiguous, follow } from "../support/follower.ts";
import { openSocket } from "../support/socket.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { startLoad } from "./load.ts";

/** `PROXY_ROUNDS=20` makes it long: each round kills one node and stops the other. */
const ROUNDS = Number(process.env.PROXY_ROUNDS ?? 1);
const LOOPS = 4;
/** Requests between one event and the next, so that each finds the stream running. */
const BETWEEN = 200;

const SETTINGS = {
  LOG_LEVEL: "error",
  SIMULATED_LATENCY_MS: "500",
  SIMULATED_QUEUE_MS: "0",
  POLL_MIN_MS: "100",
  POLL_MAX_MS: "300",
  // Above what the health check of the proxy takes to see it, as in docker-compose.yml.
  DRAIN_DELAY_MS: "2000",
};

describe("two nodes behind the proxy of docker-compose.yml", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster(SETTINGS);
  });
  after(() => cluster[Symbol.asyncDispose]());

  /** Resolves when the proxy has had a 200 from both of them since it was called. */
  const bothAnswer = async () => {
    const seen = cluster.proxy.log.length;
    await until(async () => {
      await cluster.client.get("/livez");
      const lines = cluster.proxy.log.slice(seen);
      return [1, 2].every((n) => lines.some((line) => line.includes(`GET 200`) && line.includes(`/darkroom-${n} `)));
    });
  };

  it("share the requests", bothAnswer);

  it("send events one by one, while the job runs", async () => {
    const { client } = cluster;
    const chat = await startChat(client);
    const [option = ""] = optionsOf(await say(client, chat.id, "[stuck] a fox"));
    const events = await client.events(`/sse/${chat.id}`);
    const job = await press(client, option);
    await events.until(({ data }) => (data as { type?: string }).type === "darkroom.job.started");
    await client.post(`/jobs/${job}/cancel`);
    await events.until(({ data }) => (data as { type?: string }).type === "darkroom.job.canceled");
    events.close();
  });

  it("speak over WebSockets", async () => {
    const { client, proxy } = cluster;
    const login = { email: "test@example.com", password: "password123" };
    const token = (await client.post<{ access_token: string }>("/api/auth/login", login)).body.access_token;
    const bearer = createClient(() => proxy.url, { authorization: `Bearer ${token}` });
    const batch = await bearer.post<{ job_id: string }>("/api/generate", { prompt: "a fox", num_images: 1 });
    const socket = await openSocket(`${proxy.url}/api/generate/${batch.body.job_id}?token=${token}&after=0`);
    await socket.until((frame) => /succeeded/.test(JSON.stringify(frame)));
    socket.close();
  });

  it("give signed URLs that work through it, since it passes on the host", async () => {
    const { client } = cluster;
    const asked = { file_name: "a.txt", content_type: "image/png", size: 3 };
    const { body } = await client.post<{ upload_url: string }>("/attachments/presign", asked);
    assert.equal((await fetch(body.upload_url, { method: "PUT", body: "abc" })).status, 200);
  });

  it("say themselves what is too large, and whose host they are not", async () => {
    const { client } = cluster;
    // The answer comes while the body is still on its way, so that a client may be cut off before it has read it.
    const send = () => client.post<ProblemBody>("/chats", { title: "x".repeat(1_500_000) });
    const isCut = (error: { code?: string }) => (error.code === "ECONNRESET" ? null : Promise.reject(error));
    let large = await send().catch(isCut);
    for (let tries = 1; large === null && tries < 5; tries++) large = await send().catch(isCut);
    assert.ok(large, "it was never answered");
    assert.deepEqual([large.status, typeof large.body.request_id], [413, "string"]);
    const foreign = await client.get<ProblemBody>("/chats", { host: "evil.example" });
    assert.ok(foreign.status >= 400 && foreign.body.request_id, `${foreign.status}`);
  });

  it(`lose only what was in flight on a node that is killed, and nothing when one is stopped, ${ROUNDS} times`, {
    timeout: 60_000 + ROUNDS * 30_000,
  }, async () => {
    const { client, nodes, database } = cluster;
    const chat = await startChat(client);
    const [option = ""] = optionsOf(await say(client, chat.id, "a fox"));
    const follower = follow(client, `/sse/${chat.id}`);
    const load = startLoad(client, chat.id, LOOPS);
    const more = async () => {
      const enough = load.done() + BETWEEN;
      await until(() => load.done() >= enough, 30_000);
    };
    const failuresOf = async (change: () => Promise<void>) => {
      const seen = load.failures.length;
      await change();
      await more();
      return load.failures.slice(seen);
    };
    let lost = 0;
    let stops = 0;
    try {
      for (let round = 0; round < ROUNDS; round++) {
        await more();
        await press(client, option);
        let gone = 0;
        const failed = await failuresOf(async () => {
          await nodes[0].server.kill9();
          gone = performance.now();
        });
        assert.ok(failed.length <= LOOPS, JSON.stringify(failed));
        for (const { method, from, what } of failed) assert.ok(method === "POST" && from <= gone, `${method} ${what}`);
        lost += failed.length;
        assert.deepEqual(await failuresOf(() => nodes[0].restart()), []);
        await bothAnswer();

        const stopped = performance.now();
        const refused = await failuresOf(async () => assert.equal(await nodes[1].server.stop(), 0));
        stops += performance.now() - stopped;
        assert.deepEqual(refused, []);
        assert.deepEqual(await failuresOf(() => nodes[1].restart()), []);
        await bothAnswer();
      }
    } finally {
      await load.stop();
    }
    const sql = connect(database, { max: 1, role: "admin" });
    const doubles = await sql`select title from chats where title ~ '^\\d+-\\d+$' group by title having count(*) > 1`;
    await sql.end();
    assert.deepEqual([...doubles], [], "no POST was repeated");
    const { body } = await client.get<ChatDetail>(`/chats/${chat.id}`);
    await follower.reached(body.cursor, 15_000);
    assert.deepEqual(follower.seqs, contiguous(follower.seqs.length));
    await follower.close();
    console.log(
      `proxy: ${ROUNDS} kills and ${ROUNDS} stops under ${load.done()} requests: ${lost} POSTs lost on killed nodes, ` +
        `0 else; ${Math.round(stops / ROUNDS)} ms a stop`,
    );
  });
});
