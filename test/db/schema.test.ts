import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { connect, type Sql } from "../../src/db/connect.ts";
import { describeSchema } from "../../src/db/describe.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";

describe("sql/schema.sql", () => {
  let database: TestDatabase;
  let sql: Sql;
  before(async () => {
    database = await cloneDatabase();
    sql = connect(database.url, { max: 1, role: "admin" });
  });
  after(async () => {
    await sql.end({ timeout: 5 });
    await database.drop();
  });

  it("is what the migrations make (else run `npm run schema`)", async () => {
    const committed = await readFile(new URL("../../sql/schema.sql", import.meta.url), "utf8");
    assert.equal(committed, await describeSchema(sql));
  });

  it("rebuilds the same schema when it is run on an empty database", async () => {
    const name = `${database.name}_rebuilt`;
    await sql.unsafe(`create database ${name} template template0`);
    const url = new URL(database.url);
    url.pathname = `/${name}`;
    const rebuilt = connect(url.href, { max: 1, role: "admin" });
    try {
      const text = await describeSchema(sql);
      await rebuilt.unsafe(`set check_function_bodies = off; ${text}`).simple();
      assert.equal(await describeSchema(rebuilt), text);
    } finally {
      await rebuilt.end({ timeout: 5 });
      await sql.unsafe(`drop database ${name} with (force)`);
    }
  });
});
