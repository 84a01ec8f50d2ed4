import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { connect, type Sql } from "../../src/db/connect.ts";
import { prepareDirectory } from "../../src/embedded/postgres-directory.ts";
import { chooseIdentity } from "../../src/embedded/postgres-process.ts";
import { createRandom } from "../../src/embedded/simulated/drawing/random.ts";
import { type Client, createClient } from "../support/client.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { optionsOf, type Said } from "../support/flow.ts";
import { contiguous, type Follower, follow } from "../support/follower.ts";
import { startServer, type TestServer } from "../support/server.ts";

/** `CRASH_KILLS=200` makes it long: as many more jobs as it takes to have some in flight at every kill. */
const KILLS = Number(process.env.CRASH_KILLS ?? 5);
const SEED = Number(process.env.CRASH_SEED ?? 20_261_122);
/** Of one wave: two chats with ten presses each, and four requests for five images. */
const WAVE = { chats: 2, presses: 10, batches: 4, images: 5 };
const IN_FLIGHT = 15;
const LATEST_KILL_MS = 1500;
const SETTLE_MS = 120_000;

const SETTINGS = {
  LOG_LEVEL: "error",
  PROVIDER_CONCURRENCY: "8",
  SIMULATED_LATENCY_MS: "800",
  SIMULATED_QUEUE_MS: "200",
  POLL_MIN_MS: "100",
  POLL_MAX_MS: "500",
  // What was under way when the power went out is waited for this long, so short makes the test short.
  NOT_AFTER_MS: "1000",
  SUBMIT_TIMEOUT_MS: "1000",
  POLL_TIMEOUT_MS: "1000",
  INGEST_TIMEOUT_MS: "3000",
};

type Created = { job_id: string };

/** A client that asks again, with the same key, until there is an answer: the server may be down. */
const stubborn =
  (client: Client) =>
  async <T>(path: string, body: unknown): Promise<T> => {
    const key = randomUUID();
    for (;;) {
      const answer = await client.post<T>(path, body, { "idempotency-key": key }).catch(() => null);
      if (answer && answer.status < 300) return answer.body;
      if (answer && answer.status !== 503) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      await wait(50);
    }
  };

/** Asks for a wave of jobs. Resolves to the streams that carry them. */
const wave = async (client: Client, token: string): Promise<string[]> => {
  const ask = stubborn(client);
  const asBearer = stubborn({
    ...client,
    post: (path, body, headers) => client.post(path, body, { ...headers, authorization: `Bearer ${token}` }),
  });
  const chats = Array.from({ length: WAVE.chats }, async (_, n) => {
    const { id } = await ask<{ id: string }>("/chats", { title: `Chat ${n}` });
    const [option] = optionsOf(await ask<Said>(`/chats/${id}/messages`, { text: "A small red fox" }));
    await Promise.all(
      Array.from({ length: WAVE.presses }, () => ask<Created>(`/options/${option}/generate`, undefined)),
    );
    return `/sse/${id}`;
  });
  const batches = Array.from({ length: WAVE.batches }, async () => {
    const body = { prompt: "A small red fox", num_images: WAVE.images };
    const { job_id } = await asBearer<Created>("/api/generate", body);
    return `/api/generate/${job_id}/stream`;
  });
  return Promise.all([...chats, ...batches]);
};

const WAVE_JOBS = WAVE.chats * WAVE.presses + WAVE.batches * WAVE.images;

/** The embedded PostgreSQL of a running server. */
const openDatabase = async (dataDir: string): Promise<Sql> => {
  const { sockets } = await prepareDirectory(dataDir, await chooseIdentity());
  const target = { host: sockets, port: 5432, user: "postgres", database: "darkroom" };
  return connect(target, { max: 2, role: "admin" });
};

const liveJobs = async (sql: Sql): Promise<number> => {
  const [row] = await sql`select count(*)::int as n from actors where kind in ('job', 'batch') and finished_at is null`;
  return row?.n;
};

describe("kill -9 at any moment", () => {
  it("costs no job, no event, and no second submit", { timeout: 300_000 + KILLS * 10_000 }, async () => {
    const random = createRandom(SEED);
    const dataDir = await temporaryDirectory();
    const followers = new Map<string, Follower>();
    let server: TestServer = await startServer({ ...SETTINGS, DATA_DIR: dataDir });
    try {
      const anyone = createClient(() => server.url);
      const login = await anyone.post<{ access_token: string }>("/api/auth/login", {
        email: "test@example.com",
        password: "password123",
      });
      const token = login.body.access_token;
      const bearer = createClient(() => server.url, { authorization: `Bearer ${token}` });
      let asked = 0;
      const waves: Promise<void>[] = [];
      const begin = () => {
        asked += WAVE_JOBS;
        const paths = wave(anyone, token);
        waves.push(
          paths.then((all) => {
            for (const path of all) followers.set(path, follow(path.startsWith("/sse") ? anyone : bearer, path));
          }),
        );
      };
      begin();
      for (let kill = 1; kill <= KILLS; kill++) {
        await wait(random.between(50, LATEST_KILL_MS));
        await server.kill9();
        server = await startServer({ ...SETTINGS, DATA_DIR: dataDir, PORT: new URL(server.url).port });
        if (kill === KILLS) break;
        const sql = await openDatabase(dataDir);
        if ((await liveJobs(sql).finally(() => sql.end())) < IN_FLIGHT) begin();
      }
      await Promise.all(waves);

      const sql = await openDatabase(dataDir);
      for (const until = performance.now() + SETTLE_MS; (await liveJobs(sql)) > 0; await wait(100)) {
        assert.ok(performance.now() < until, "jobs are still running");
      }
      const jobs = await sql`
        select a.id, a.status, (a.snapshot->'context'->>'attempts')::int as attempts, count(s.attempt)::int as billed,
          (select count(*)::int from outputs o where o.job_id = a.id) as outputs
        from actors a left join simulated_submits s on s.attempt = a.snapshot->'context'->>'attempt'
        where a.kind = 'job' group by a.id`;
      const [ledger] = await sql`select count(*)::int as submits from simulated_submits`;
      const streams = await sql`select stream_id, array_agg(seq order by seq) as seqs from facts
        where actor_kind <> 'attachment' group by stream_id`;
      const owners =
        await sql`select owner_id, count(*)::int as n, max(owner_seq)::int as head from facts group by owner_id`;
      const batches = await sql`select status from actors where kind = 'batch'`;
      const [slots] = await sql`select coalesce(sum(in_use), 0)::int as taken from accounts`;
      const isGood = ({ status, attempts, billed, outputs }: (typeof jobs)[number]) =>
        status === "SUCCEEDED" && attempts === 1 && billed === 1 && outputs === 1;
      const [bad] = jobs.filter((job) => !isGood(job));
      const story = await sql`select version, at, event, to_state from transitions
        where actor_id = ${bad?.id ?? null} order by version`;
      await sql.end();

      let gaps = 0;
      let doubles = 0;
      let facts = 0;
      for (const { stream_id, seqs } of streams) {
        const numbers = (seqs as (string | number)[]).map(Number);
        facts += numbers.length;
        doubles += numbers.length - new Set(numbers).size;
        gaps += Math.max(...numbers) - new Set(numbers).size;
        const path = [`/sse/${stream_id}`, `/api/generate/${stream_id}/stream`].find((one) => followers.has(one));
        const follower = path === undefined ? undefined : followers.get(path);
        assert.ok(follower, "every stream was followed");
        await follower.reached(numbers.length, 10_000);
        assert.deepEqual(follower.seqs, contiguous(numbers.length), "a client saw every seq once, in order");
      }
      const connections = [...followers.values()].reduce((sum, follower) => sum + follower.connections(), 0);
      console.log(
        `crash: jobs ${jobs.length}, kills ${KILLS}, submits ${ledger?.submits}, facts ${facts}, gaps ${gaps}, ` +
          `doubles ${doubles}; ${followers.size} streams over ${connections} connections, seed ${SEED}`,
      );
      assert.equal(jobs.length, asked);
      const told = story.map(({ version, at, event, to_state }) => `${version} ${at} ${event} → ${to_state}`);
      assert.equal(bad, undefined, `${JSON.stringify(bad)}\n${told.join("\n")}`);
      assert.equal(ledger?.submits, asked, "one billed submit per job");
      assert.deepEqual([gaps, doubles], [0, 0]);
      for (const { n, head } of owners) assert.equal(n, head, "the owner's own order has no gap");
      assert.deepEqual(new Set(batches.map(({ status }) => status)), new Set(["SUCCEEDED"]));
      assert.equal(slots?.taken, 0);
    } finally {
      await Promise.all([...followers.values()].map((follower) => follower.close()));
      await server[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});
