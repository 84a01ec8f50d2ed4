import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, type Sql } from "../../src/db/connect.ts";
import { createQueries, loadQueries, type Query } from "../../src/db/queries.ts";
import { createCheckTokens } from "../../src/jobs/check-tokens.ts";
import { realClock } from "../actors/bundle.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";

describe("tokens for status calls", () => {
  let database: TestDatabase;
  let sql: Sql;
  let query: Query;
  let leases = 0;
  before(async () => {
    database = await cloneDatabase();
    sql = connect(database.url, { max: 4, role: "admin" });
    const run = createQueries(sql, loadQueries());
    query = (name, params) => {
      if (name === "leaseChecks") leases++;
      return run(name, params);
    };
  });
  after(async () => {
    await sql.end({ timeout: 5 });
    await database.drop();
  });

  /** An account of its own with a full bucket, and two nodes that poll it. */
  const setup = async (name: string, checks: number | null) => {
    await query("ensureAccount", [name, 10, null, checks]);
    leases = 0;
    const provider = { name, ...(checks === null ? {} : { rates: { checks } }) };
    const nodes = [0, 1].map(() => createCheckTokens({ write: query, clock: realClock }));
    return { provider, nodes: nodes as [(typeof nodes)[0], (typeof nodes)[0]] };
  };

  it("are as many on all nodes together as the account allows", async () => {
    const began = performance.now();
    const { provider, nodes } = await setup("shared", 1200);
    const waits = await Promise.all(Array.from({ length: 400 }, (_, n) => nodes[(n % 2) as 0 | 1].take(provider)));
    const taken = waits.filter((wait) => wait === 0).length;
    const allowed = 120 + ((performance.now() - began) / 1000) * 18;
    assert.ok(taken > 0 && taken <= allowed, `${taken} of ${allowed}`);
  });

  it("are leased in chunks: not every poll writes", async () => {
    const { provider, nodes } = await setup("chunks", 6000);
    for (let n = 0; n < 100; n++) assert.equal(await nodes[0].take(provider), 0);
    assert.equal(leases, 1);
  });

  it("send those who get none to different instants", async () => {
    const { provider, nodes } = await setup("spread", 60);
    await sql`update accounts set check_tokens = 0, checks_at = clock_timestamp() where id = 'spread'`;
    const waits: number[] = [];
    for (let n = 0; n < 5; n++) waits.push(await nodes[0].take(provider));
    const gaps = waits.slice(1).map((wait, n) => wait - (waits[n] as number));
    assert.ok(waits.every((wait) => wait > 0) && gaps.every((gap) => gap > 900 && gap <= 1000), waits.join(" "));
    assert.equal(leases, 1, "the row is not asked again before a token is due");
  });

  it("are held back on all nodes when the provider says so", async () => {
    const { provider, nodes } = await setup("held", 6000);
    assert.equal(await nodes[0].hold(provider, 60_000), 60_000);
    for (const node of nodes) assert.ok((await node.take(provider)) > 55_000);
  });

  it("are not needed where no rate is known, but a hold is kept on the node that heard it", async () => {
    const { provider, nodes } = await setup("free", null);
    assert.equal(await nodes[0].take(provider), 0);
    await nodes[0].hold(provider, 60_000);
    assert.ok((await nodes[0].take(provider)) > 55_000);
    assert.equal(await nodes[1].take(provider), 0);
    assert.equal(leases, 0);
  });
});
