import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { connect, type Sql } from "../../src/db/connect.ts";
import { until } from "../streams/until.ts";
import { type Client, createClient } from "../support/client.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { generate, jobWhen } from "../support/flow.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { countRows, HASTY, objectsOf, remove } from "./bundle.ts";

const GONE_MS = 30_000;

describe("kill -9", () => {
  let database: TestDatabase;
  let dataDir: string;
  let sql: Sql;
  let server: TestServer;
  let client: Client;
  const start = async () => {
    const settings = { ...HASTY, LOG_LEVEL: "warn", SIMULATED_LATENCY_MS: "50", POLL_MIN_MS: "20" };
    server = await startServer({ ...settings, DATABASE_URL: database.url, DATA_DIR: dataDir });
    client = createClient(() => server.url);
  };
  before(async () => {
    database = await cloneDatabase();
    dataDir = await temporaryDirectory();
    sql = connect(database.url, { max: 3, role: "admin" });
    await start();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await sql.end({ timeout: 5 });
    await database.drop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });
  const made = async (n: number): Promise<string[]> => {
    const all = await Promise.all(Array.from({ length: n }, (_, at) => generate(client, `a fox, the ${at}th`)));
    await Promise.all(all.map(({ job }) => jobWhen(client, job)));
    return all.map(({ chat }) => chat);
  };
  const allGone = async () => {
    await until(async () => Object.keys(await countRows(sql)).length === 0, GONE_MS).catch(async () =>
      assert.fail(JSON.stringify(await countRows(sql))),
    );
    assert.deepEqual(await objectsOf(dataDir), []);
  };

  it("in the middle of erasing rows leaves nothing behind: the next start goes on", { timeout: 120_000 }, async () => {
    const chats = await made(3);
    const [job] = await sql<{ id: string }[]>`select id from jobs order by id desc limit 1`;
    // Somebody reads one of the rows, so that they cannot all go at once.
    const reader = await sql.reserve();
    await reader`begin`;
    await reader`select from jobs where id = ${job?.id ?? ""} for update`;
    for (const chat of chats) await remove(client, `/chats/${chat}`);
    await until(async () => (await sql`select from jobs`).length === 1, GONE_MS);
    await server.kill9();
    await reader`rollback`;
    reader.release();
    const { chats: left = 0, jobs } = await countRows(sql);
    assert.equal(jobs, 1);
    assert.ok(left > 0);
    await start();
    await allGone();
    assert.doesNotMatch(server.logs(), /"level":(50|60)/);
  });

  it("between an object's doom and the end of it leaves it doomed: the next start ends it", {
    timeout: 120_000,
  }, async () => {
    const chats = await made(2);
    // What has been removed takes for ever to be crossed out.
    await sql.unsafe(`create function dawdle() returns trigger language plpgsql as $$
      begin perform pg_sleep(60); return old; end $$;
      create trigger dawdle before delete on condemned for each row when (old.doomed) execute function dawdle()`);
    for (const chat of chats) await remove(client, `/chats/${chat}`);
    await until(async () => (await objectsOf(dataDir)).length === 0, GONE_MS);
    await server.kill9();
    // Its session is still at it.
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'darkroom-write'`;
    assert.ok(((await countRows(sql)).condemned ?? 0) > 0);
    await sql`drop trigger dawdle on condemned`;
    await start();
    await allGone();
  });
});
