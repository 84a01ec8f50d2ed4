import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { connect, type Sql } from "../../src/db/connect.ts";
import { migrate } from "../../src/db/migrate.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";

describe("migrations", () => {
  let database: TestDatabase;
  let admin: Sql;
  let sql: Sql;
  let directory: string;
  let name: string;
  let count = 0;

  before(async () => {
    database = await cloneDatabase();
    admin = connect(database.url, { max: 1, role: "admin" });
  });
  after(async () => {
    await admin.end({ timeout: 5 });
    await database.drop();
  });
  beforeEach(async () => {
    name = `${database.name}_empty_${++count}`;
    await admin.unsafe(`create database ${name} template template0`);
    const url = new URL(database.url);
    url.pathname = `/${name}`;
    sql = connect(url.href, { max: 4, role: "write" });
    directory = await mkdtemp(join(tmpdir(), "darkroom-migrations-"));
    await write("000001_first.sql", "create table first (id int); insert into first values (1);");
  });
  afterEach(async () => {
    await sql.end({ timeout: 5 });
    await admin.unsafe(`drop database ${name} with (force)`);
    await rm(directory, { recursive: true });
  });
  const write = (file: string, text: string) => writeFile(join(directory, file), text);

  it("are applied in order, once", async () => {
    await write("000002_second.sql", "alter table first add column more text;");
    assert.deepEqual(await migrate(sql, directory), ["first", "second"]);
    assert.deepEqual(await migrate(sql, directory), []);
  });

  it("are applied once when several processes start together", async () => {
    await write("000002_second.sql", "insert into first values (2);");
    const all = await Promise.all([1, 2, 3].map(() => migrate(sql, directory)));
    assert.deepEqual(all.flat().sort(), ["first", "second"]);
    assert.deepEqual([...(await sql`select count(*) as count from first`)], [{ count: 2 }]);
  });

  it("leave nothing behind when one fails, and keep those before it", async () => {
    await write("000002_second.sql", "create table half (id int); select 1 / 0;");
    await assert.rejects(migrate(sql, directory), /division by zero/);
    assert.deepEqual(
      [...(await sql`select to_regclass('half') as half, (select max(number) from migrations) as head`)],
      [{ half: null, head: 1 }],
    );
  });

  it("refuse a file that was edited after it had been applied", async () => {
    await migrate(sql, directory);
    await write("000001_first.sql", "create table first (id bigint);");
    await assert.rejects(migrate(sql, directory), /migration 1 \(first\) was edited/);
  });

  it("refuse a database that is newer than the code", async () => {
    await write("000002_second.sql", "select 1;");
    await migrate(sql, directory);
    await rm(join(directory, "000002_second.sql"));
    await assert.rejects(migrate(sql, directory), /newer than this code/);
  });

  it("must be numbered without gaps", async () => {
    await write("000003_third.sql", "select 1;");
    await assert.rejects(migrate(sql, directory), /without gaps/);
  });
});
