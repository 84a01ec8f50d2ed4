import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { ChatDetail } from "../../src/chats/words.ts";
import { connect } from "../../src/db/connect.ts";
import { migrate } from "../../src/db/migrate.ts";
import { type EmbeddedPostgres, startPostgres } from "../../src/embedded/postgres.ts";
import type { JobDetail } from "../../src/jobs/words.ts";
import { createLog } from "../../src/log.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { ProblemBody } from "../support/client.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { getJob, jobWhen, optionsOf, press, say, startChat } from "../support/flow.ts";
import { contiguous, follow } from "../support/follower.ts";

const OUTAGE_MS = 5000;
const PICTURES = 6;
const FAILURES = 6;

type Health = { status: string; checks: Record<string, { status: string }> };

describe("a database that goes away for five seconds", () => {
  let dataDir: string;
  let postgres: EmbeddedPostgres;
  let app: TestApp;
  const begin = () =>
    startPostgres({ dataDir, log: createLog("silent"), settings: { fsync: "off", full_page_writes: "off" } });
  before(async () => {
    dataDir = await temporaryDirectory();
    postgres = await begin();
    const sql = connect(postgres.options, { max: 1, role: "admin" });
    await migrate(sql).finally(() => sql.end());
    app = await startApp(
      { PROVIDER_CONCURRENCY: "4", SIMULATED_LATENCY_MS: "800", RETRY_LIMIT: "5" },
      { database: postgres.options },
    );
  });
  after(async () => {
    await app[Symbol.asyncDispose]();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  it("costs 503s and time, but no job, no event and no second submit", async () => {
    const { client } = app;
    const chat = await startChat(client);
    const [picture = ""] = optionsOf(await say(client, chat.id, "a small fox"));
    const [failure = ""] = optionsOf(await say(client, chat.id, "[fail] a small fox"));
    const stays = follow(client, `/sse/${chat.id}`);
    const jobs = await Promise.all([
      ...Array.from({ length: PICTURES }, () => press(client, picture)),
      ...Array.from({ length: FAILURES }, () => press(client, failure)),
    ]);
    await jobWhen(client, jobs[0] ?? "", ({ status }) => status === "RUNNING");

    await postgres.stop();
    const outage = performance.now();
    const requests: [string, string, unknown?][] = [
      ["GET", "/chats"],
      ["GET", `/jobs/${jobs[0]}`],
      ["GET", `/sse/${chat.id}`],
      ["POST", "/chats", { title: "x" }],
      ["POST", `/chats/${chat.id}/messages`, { text: "x" }],
      ["POST", `/options/${picture}/generate`, {}],
      ["POST", `/jobs/${jobs[0]}/cancel`],
      ["DELETE", `/chats/${chat.id}`],
    ];
    while (performance.now() - outage < OUTAGE_MS) {
      const answers = await Promise.all(
        requests.map(([method, path, body]) =>
          client.send<ProblemBody>(method, path, { body, headers: { "idempotency-key": "in-the-dark" } }),
        ),
      );
      answers.forEach(({ status, headers, body }, index) => {
        const what = requests[index]?.slice(0, 2).join(" ");
        assert.deepEqual([status, body.code, body.retryable], [503, "unavailable", true], what);
        assert.equal(headers.get("content-type"), "application/problem+json", what);
        assert.match(headers.get("retry-after") ?? "", /^[1-9]/, what);
        assert.doesNotMatch(JSON.stringify(body), /ENOENT|socket|postgres|PGSQL/i, what);
      });
      assert.equal((await client.get("/livez")).status, 200);
      const health = await client.get<Health>("/healthz");
      assert.deepEqual([health.status, health.body.checks.postgres?.status], [503, "down"]);
      await wait(250);
    }
    const leaves = follow(client, `/sse/${chat.id}`);
    postgres = await begin();

    // The request that failed in the dark is repeated with its key, and is done once.
    const again = () =>
      client.post<{ job_id: string }>(`/options/${failure}/generate`, {}, { "idempotency-key": "after-dark" });
    for (const until = performance.now() + 5000; (await again()).status !== 202; ) {
      assert.ok(performance.now() < until, "the database is back, the service is not");
    }
    jobs.push((await again()).body.job_id);
    const ended = await Promise.all(jobs.map((job) => jobWhen(client, job, undefined, 30_000)));
    assert.deepEqual(
      ended.map(({ status }) => status),
      [...Array(PICTURES).fill("SUCCEEDED"), ...Array(FAILURES + 1).fill("FAILED")],
    );
    for (const { error } of ended.slice(PICTURES)) assert.equal(error?.code, "generation_failed");
    const { body: page } = await client.get<{ items: JobDetail[] }>(`/jobs?chat_id=${chat.id}&limit=100`);
    assert.equal(page.items.length, jobs.length);
    assert.equal((await getJob(client, jobs[0] ?? "")).cancel, null, "what was answered 503 was not done");

    const sql = connect(postgres.options, { max: 1, role: "admin" });
    const [submits] = await sql`select count(*)::int as n from simulated_submits`;
    const facts = await sql`select seq from facts where stream_id = ${chat.id} order by seq`;
    assert.equal(submits?.n, jobs.length, "one billed submit per job");
    const { body: head } = await client.get<ChatDetail>(`/chats/${chat.id}`);
    const whole = contiguous(head.cursor);
    assert.deepEqual(
      facts.map(({ seq }) => seq),
      whole,
    );
    for (const follower of [stays, leaves]) {
      await follower.reached(head.cursor, 5000);
      assert.deepEqual(follower.seqs, whole);
      await follower.close();
    }
    assert.equal(stays.connections(), 1, "a stream that is open stays open");

    // The lock that keeps a second node out went with its session.
    const held = () => sql`select 1 from pg_locks where locktype = 'advisory' and granted`;
    for (const until = performance.now() + 10_000; (await held()).length === 0; await wait(100)) {
      assert.ok(performance.now() < until, "the node lock is not taken again");
    }
    await sql.end();
    assert.equal((await client.get("/healthz")).status, 200);
  });
});
