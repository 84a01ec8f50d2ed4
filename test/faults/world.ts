/** A Darkroom under load while something happens to its PostgreSQL: what was answered, and what is in the tables after. */
import assert from "node:assert/strict";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { connect, type Sql, type Target } from "../../src/db/connect.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { contiguous } from "../support/follower.ts";
import { until } from "../streams/until.ts";
import { sumOf } from "./answers.ts";
import { type Customers, openCustomers } from "./customers.ts";
import { atOneInstant, holdLaws } from "./laws.ts";

/** How long each fault lasts. `FAULT_SECONDS=30` makes it long. */
export const FAULT_MS = 1000 * Number(process.env.FAULT_SECONDS ?? 2);
const SEED = Number(process.env.FAULT_SEED ?? 20_261_122);
const CUSTOMERS = 12;
const WARM_UP_MS = 700;
const AFTER_MS = 700;
const RECOVERY_MS = 15_000;
const SETTLE_MS = 60_000;

const SETTINGS = {
  PROVIDER_CONCURRENCY: "20",
  SIMULATED_LATENCY_MS: "150",
  // What was under way when the database went away is waited for this long, so short makes the test short.
  NOT_AFTER_MS: "1000",
  SUBMIT_TIMEOUT_MS: "1000",
  POLL_TIMEOUT_MS: "1000",
  INGEST_TIMEOUT_MS: "3000",
};

export type World = {
  app: TestApp;
  customers: Customers;
  /** A session of nobody's, without limits. */
  sql: Sql;
};

export type Options = {
  database?: Target;
  settings?: Record<string, string>;
  /** The longest that anyone may wait for an answer. */
  boundMs?: number;
  /** Actors that the fault hurts for good. */
  aside?: () => string[];
};

/** Slow machines are slow: a request that nothing holds up may take this long. */
const BOUND_MS = 10_000;

const recover = async ({ app }: World): Promise<number> => {
  const over = performance.now();
  await until(async () => (await app.client.get("/healthz")).status === 200, RECOVERY_MS);
  await until(async () => (await app.client.post("/chats", {})).status === 201, RECOVERY_MS);
  return Math.round(performance.now() - over);
};

/**
 * Lets customers order, watch and cancel before, during and after `fault`, which resolves when it is over. Then all of
 * it must come to a good end by itself. Says one line of figures.
 */
export const underLoad = async (
  name: string,
  fault: (world: World) => Promise<void>,
  { database, settings, boundMs = BOUND_MS, aside = () => [] }: Options = {},
): Promise<void> => {
  await using app = await startApp({ ...SETTINGS, ...settings }, { database });
  const sql = connect(app.database, { max: 2, role: "admin" });
  const customers = await openCustomers(app, CUSTOMERS, SEED);
  const world = { app, customers, sql };
  const { all, taken, followers } = customers;
  try {
    // Later there may be no connection to be had.
    await sql`select 1`;
    await wait(WARM_UP_MS);
    await fault(world);
    const recovery = await recover(world);
    await atOneInstant(sql, (tx) => holdLaws(tx, null, aside()));
    await wait(AFTER_MS);
    await customers.stop();
    const owed = customers.owed();
    await customers.insist();

    const live = async () =>
      (await sql<{ id: string }[]>`select id from actors where finished_at is null and parked_at is null`).filter(
        ({ id }) => !aside().includes(id),
      ).length;
    await until(async () => (await live()) === 0, SETTLE_MS);
    await app.settle();
    const tables = await atOneInstant(sql, (tx) => holdLaws(tx, taken, aside()));
    for (const [stream, follower] of followers) {
      const { seq = 0 } = tables.streams.get(stream) ?? {};
      await follower.reached(seq, 10_000);
      assert.deepEqual(follower.seqs, contiguous(seq), `what a client of ${stream} saw`);
    }
    const { requests, succeeded, unavailable, other, longestMs } = sumOf(all.map(({ answers }) => answers.figures));
    const facts = [...tables.facts.values()].reduce((sum, rows) => sum + rows.length, 0);
    console.log(
      `${name}: ${requests} requests, ${succeeded} taken, ${unavailable} unavailable (${owed} repeated), ${other} other, ` +
        `longest ${longestMs} ms; ${tables.jobs.size} jobs, ${facts} facts, gaps 0, doubles 0; recovered in ${recovery} ms`,
    );
    assert.deepEqual(
      all.flatMap(({ answers }) => answers.told),
      [],
    );
    assert.ok(succeeded > 0, "something was done");
    assert.ok(longestMs < boundMs, `an answer took ${longestMs} ms`);
  } finally {
    await customers.close();
    await sql.end({ timeout: 1 });
  }
};
