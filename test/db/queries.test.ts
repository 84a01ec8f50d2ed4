import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, type Sql } from "../../src/db/connect.ts";
import { createQueries, loadQueries, parseQueries } from "../../src/db/queries.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";

describe("named queries", () => {
  let database: TestDatabase;
  let sql: Sql;
  before(async () => {
    database = await cloneDatabase();
    sql = connect(database.url, { max: 1, role: "read" });
  });
  after(async () => {
    await sql.end({ timeout: 5 });
    await database.drop();
  });

  for (const [name, text] of Object.entries(loadQueries()))
    it(`${name} fits the schema`, async () => {
      await sql.unsafe(text, [], { prepare: true }).describe();
    });

  it("run as prepared statements with their parameters", async () => {
    const query = createQueries(
      sql,
      parseQueries("a.sql", "-- name: addOne\n-- a comment\nselect $1::int8 + 1 as sum;\n"),
    );
    assert.deepEqual([...(await query<{ sum: number }>("addOne", [41]))], [{ sum: 42 }]);
  });

  it("fail at once when their name is unknown", () => {
    assert.throws(() => createQueries(sql, {})("nothing"), /no query named nothing/);
  });
});

describe("a file of named queries", () => {
  it("may hold a name only once", () => {
    assert.throws(() => parseQueries("a.sql", "-- name: one\nselect 1;\n-- name: one\nselect 2;\n"), /defined twice/);
  });
  it("refuses names that are not camelCase", () => {
    assert.throws(() => parseQueries("a.sql", "-- name: not good\nselect 1;\n"), /camelCase/);
  });
  it("refuses SQL that has no name", () => {
    assert.throws(() => parseQueries("a.sql", "select 1;\n"), /before the first/);
  });
  it("refuses a name without SQL", () => {
    assert.throws(() => parseQueries("a.sql", "-- name: one\n-- nothing\n"), /empty/);
  });
});
