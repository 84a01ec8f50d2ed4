import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, type Sql } from "../../src/db/connect.ts";
import { isTransient } from "../../src/db/sqlstate.ts";
import { type EmbeddedPostgres, startPostgres } from "../../src/embedded/postgres.ts";
import { createLog } from "../../src/log.ts";
import { openWay, type Way } from "../chaos/proxy.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { rm } from "node:fs/promises";
import { join } from "node:path";

const PATIENCE_MS = 12_000;

describe("a connection whose other end has gone without a word", () => {
  let dataDir: string;
  let server: EmbeddedPostgres;
  let way: Way;
  let sql: Sql;
  before(async () => {
    dataDir = await temporaryDirectory();
    server = await startPostgres({ dataDir, log: createLog("silent"), settings: { fsync: "off" } });
    const { host, port, database } = server.options;
    way = await openWay({ path: join(host, `.s.PGSQL.${port}`) });
    sql = connect(`postgres://postgres@127.0.0.1:${way.port}/${database}`, { max: 2, role: "read" });
  });
  after(async () => {
    await sql.end({ timeout: 1 });
    await way.close();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  it("fails what was asked on it within seconds, and the next call is answered on another", {
    timeout: 60_000,
  }, async () => {
    const both = () => Promise.all([sql`select pg_sleep(0.05)`, sql`select pg_sleep(0.05)`]);
    await both();
    way.forget();
    const asked = performance.now();
    const answers = await Promise.allSettled([sql`select 1`, sql`select 1`]);
    const ms = performance.now() - asked;
    for (const answer of answers) assert.ok(answer.status === "rejected" && isTransient(answer.reason), answer.status);
    assert.ok(ms < PATIENCE_MS, `after ${Math.round(ms)} ms`);
    await both();
  });
});
