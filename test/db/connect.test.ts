import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, type Sql } from "../../src/db/connect.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";

describe("a connection", () => {
  let database: TestDatabase;
  let sql: Sql;
  before(async () => {
    database = await cloneDatabase();
    sql = connect(database.url, { max: 2, role: "write" });
  });
  after(async () => {
    await sql.end({ timeout: 5 });
    await database.drop();
  });

  it("reads bigint as a number and refuses what a number cannot hold", async () => {
    assert.deepEqual([...(await sql`select 9007199254740991::int8 as n`)], [{ n: 9007199254740991 }]);
    await assert.rejects(sql`select 9007199254740993::int8 as n`, RangeError);
    assert.deepEqual([...(await sql`select 1::int8 as n`)], [{ n: 1 }]);
  });

  it("reads timestamptz as milliseconds and writes it from milliseconds, alone and in arrays", async () => {
    const at = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
    const text = "select $1::timestamptz as at, $2::timestamptz[] as many, $3::timestamptz as never";
    const [row] = await sql.unsafe(text, [at, [at, at + 1], "infinity"], { prepare: true });
    assert.deepEqual(row, { at, many: [at, at + 1], never: Number.POSITIVE_INFINITY });
  });

  it("passes jsonb as plain objects, whatever they hold", async () => {
    const value = { a: [1, "two", null], nested: { ü: "☃" } };
    const [row] = await sql.unsafe("select $1::jsonb as value", [value] as never[], { prepare: true });
    assert.deepEqual(row?.value, value);
  });

  it("gives up a lock after a second when it writes, and a statement after five", async () => {
    const [row] =
      await sql`select current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement`;
    assert.deepEqual(row, { lock: "1s", statement: "5s" });
  });

  it("comes back by itself after its session was cut", async () => {
    const other = connect(database.url, { max: 1, role: "admin" });
    await other`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
    await other.end({ timeout: 5 });
    const answer = await sql`select 1 as n`.catch(() => sql`select 1 as n`);
    assert.deepEqual([...answer], [{ n: 1 }]);
  });
});
