import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { v7 } from "uuid";
import { connect, type Sql } from "../../src/db/connect.ts";
import { createQueries, loadQueries, type Query } from "../../src/db/queries.ts";
import { Problem } from "../../src/errors.ts";
import { createCollector } from "../../src/retention/collect.ts";
import { createKept } from "../../src/retention/kept.ts";
import { condemnUnnamed } from "../../src/retention/scan.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";

const OWNER = v7();
const GRACE_MS = 3_600_000;
const KEYS = ["a", "b"].map((digit) => `media/${OWNER}/${digit.repeat(64)}.png`);
const BEGIN = Date.parse("2026-01-01T00:00:00Z");

/** A bucket, with the instants of its objects. */
const createBucket = (now: () => number) => {
  const objects = new Map<string, number>();
  return {
    objects,
    stat: async (key: string) => (objects.has(key) ? { size: 1, mime: "image/png", etag: "x" } : null),
    remove: async (keys: readonly string[]) => {
      for (const key of keys) objects.delete(key);
    },
    async *list() {
      for (const [key, modified] of [...objects].sort()) yield { key, size: 1, modified };
    },
    put: (key: string) => void objects.set(key, now()),
  };
};

/** Whoever comes to the gate waits there for its turn, which the test deals out. */
const createGate = () => {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    pass: () => new Promise<void>((resolve) => waiting.push(resolve)),
    waiting: () => waiting.length,
    /** Lets the n-th of those who wait go on. */
    let: (n: number) => waiting.splice(n % waiting.length, 1)[0]?.(),
    busy: () => running > 0,
    during: async <T>(work: () => Promise<T>): Promise<T> => {
      running++;
      try {
        return await work();
      } finally {
        running--;
      }
    },
  };
};

describe("an object and its names", () => {
  let database: TestDatabase;
  let sql: Sql;
  let query: Query;
  before(async () => {
    database = await cloneDatabase();
    sql = connect(database.url, { max: 8, role: "write" });
    query = createQueries(sql, loadQueries());
    await sql`insert into users (id) values (${OWNER})`;
  });
  after(async () => {
    await sql.end({ timeout: 5 });
    await database.drop();
  });

  const name = (id: string, key: string) =>
    sql.begin(async (tx) => {
      await tx`insert into jobs (id, user_id, tool_type, model_key, provider, prompt, params, created_at)
      values (${id}, ${OWNER}, 't', 'm', 'p', '', '{}', now())`;
      await tx`insert into outputs (id, job_id, user_id, position, sha256, mime, size_bytes, raw_key, min_key, created_at)
      values (${id}, ${id}, ${OWNER}, 0, ${key.slice(-68, -4)}, 'image/png', 1, ${key}, ${key}, now())`;
    });
  const clear = () => sql`truncate condemned, outputs, jobs cascade`;

  /**
   * Writers, erasers, scans, collectors, their deaths and the clock, in any order and any interleaving of their steps.
   * A step lasts no longer than a tenth of the grace, as ingest limits have it.
   */
  const Event = fc.oneof(
    { weight: 4, arbitrary: fc.record({ type: fc.constant("write" as const), key: fc.constantFrom(...KEYS) }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant("erase" as const), n: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("collect" as const), dies: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("scan" as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({ type: fc.constant("pass" as const), share: fc.constantFrom(0.02, 0.02, 1.5) }),
    },
    { weight: 12, arbitrary: fc.record({ type: fc.constant("step" as const), n: fc.nat() }) },
  );

  it("whatever happens at the same time: what a row names is there, and in the end nothing else is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(2), fc.array(Event, { minLength: 10, maxLength: 40 }), async (condemned, events) => {
        await clear();
        let now = BEGIN;
        const after = (_: number, fire: () => void) => {
          setTimeout(fire, 0);
          return () => {};
        };
        const clock = { now: () => now, after };
        const bucket = createBucket(() => now);
        // Something lies about already, and some of it has been noticed.
        for (const key of KEYS) bucket.put(key);
        for (const key of KEYS.slice(0, condemned))
          await sql`insert into condemned (key, at) values (${key}, ${BEGIN - 2 * GRACE_MS})`;
        const gate = createGate();
        const named: { id: string; key: string }[] = [];
        const running = new Set<Promise<unknown>>();
        /** Every query is a step of its own, and so is the way of its answer. */
        const gated: Query = async (...question) => {
          await gate.pass();
          const answer = await gate.during(() => query(...question));
          await gate.pass();
          return answer as never;
        };
        const run = (work: Promise<unknown>) => {
          running.add(work);
          work.finally(() => running.delete(work)).catch(() => {});
        };
        const idle = async () => {
          // Until all who run wait at the gate.
          for (let calm = 0; calm < 2; calm++) {
            do await new Promise((resolve) => setTimeout(resolve, 0));
            while (gate.busy());
          }
        };
        const step = async (n: number) => {
          if (gate.waiting() === 0) return;
          gate.let(n);
          await idle();
        };
        const drain = async () => {
          while (running.size > 0) {
            await idle();
            await step(0);
          }
        };
        const check = async () => {
          const rows = await sql<{ raw_key: string }[]>`select raw_key from outputs`;
          for (const { raw_key } of rows) assert.ok(bucket.objects.has(raw_key), `${raw_key} is named and gone`);
        };

        const write = async (key: string) => {
          const kept = createKept({ write: gated, storage: bucket, clock });
          try {
            const there = await kept(key);
            await gate.pass();
            if (!there) bucket.put(key);
          } catch (error) {
            if (error instanceof Problem) return;
            throw error;
          }
          await gate.pass();
          const id = v7();
          await gate.during(() => name(id, key));
          named.push({ id, key });
        };
        const erase = async (n: number) => {
          const [one] = named.splice(n % Math.max(1, named.length), 1);
          if (one) await gated("eraseJobs", [[one.id], new Date(now), false]);
        };
        const collect = async (dies: boolean) => {
          const remove = async (keys: readonly string[]) => {
            await bucket.remove(keys);
            await gate.pass();
            if (dies) throw new Error("the power went out");
          };
          const collector = createCollector({
            write: gated,
            storage: { remove },
            clock,
            monotonic: () => now,
            graceMs: GRACE_MS,
            alone: false,
          });
          await collector().catch((error) => assert.match(error.message, /power/));
        };
        const scan = () => condemnUnnamed({ write: gated, storage: bucket, clock, graceMs: GRACE_MS });

        for (const event of events) {
          if (event.type === "write") run(write(event.key));
          else if (event.type === "erase") run(erase(event.n));
          else if (event.type === "collect") run(collect(event.dies));
          else if (event.type === "scan") run(scan());
          else if (event.type === "step") await step(event.n);
          // Nobody is on the way for longer than a fraction of the grace.
          else {
            if (event.share > 0.1) await drain();
            now += event.share * GRACE_MS;
          }
          await idle();
          await check();
        }
        await drain();
        for (let round = 0; round < 3; round++) {
          now += 2 * GRACE_MS;
          run(scan());
          await drain();
          now += 2 * GRACE_MS;
          run(collect(false));
          await drain();
          await check();
        }
        const rows = await sql<{ raw_key: string }[]>`select distinct raw_key from outputs order by 1`;
        assert.deepEqual(
          [...bucket.objects.keys()].sort(),
          rows.map(({ raw_key }) => raw_key),
        );
      }),
      { numRuns: Number(process.env.COLLECTION_RUNS ?? 40) },
    );
  });

  it("are waited for by who comes while it is being removed, and it is stored anew", async () => {
    await clear();
    const [key = ""] = KEYS;
    const bucket = createBucket(() => BEGIN);
    bucket.put(key);
    await sql`insert into condemned (key, at, doomed) values (${key}, now(), true)`;
    let waits = 0;
    const after = (_: number, fire: () => void) => {
      if (++waits === 2)
        void bucket.remove([key]).then(async () => {
          await query("buryObjects", [[key]]);
          fire();
        });
      else fire();
      return () => {};
    };
    assert.equal(await createKept({ write: query, storage: bucket, clock: { after } })(key), false);
    assert.equal(waits, 2);
  });

  it("are given up for now by who comes while the removal does not end", async () => {
    await clear();
    const [key = ""] = KEYS;
    await sql`insert into condemned (key, at, doomed) values (${key}, now(), true)`;
    const after = (_: number, fire: () => void) => {
      fire();
      return () => {};
    };
    await assert.rejects(createKept({ write: query, storage: createBucket(() => BEGIN), clock: { after } })(key), {
      code: "unavailable",
    });
  });

  it("are not removed by who has stood still since it doomed them: another may have done so, and they be there anew", async () => {
    await clear();
    const [key = ""] = KEYS;
    let now = BEGIN;
    const bucket = createBucket(() => now);
    bucket.put(key);
    await sql`insert into condemned (key, at) values (${key}, ${BEGIN - 2 * GRACE_MS})`;
    const clock = { now: () => now, after: () => () => {} };
    const base = { storage: bucket, clock, monotonic: () => now, graceMs: GRACE_MS, alone: false };
    const paused: Query = async (...question) => {
      const answer = await query(...question);
      now += 10_000;
      return answer as never;
    };
    await createCollector({ ...base, write: paused })();
    assert.ok(bucket.objects.has(key));
    await createCollector({ ...base, write: query })();
    assert.ok(bucket.objects.has(key), "its lease has not ended");
    now += 60_000;
    await createCollector({ ...base, write: query })();
    assert.deepEqual([bucket.objects.size, (await sql`select from condemned`).length], [0, 0]);
  });

  it("are nobody else's business: keys that are none of ours stay", async () => {
    await clear();
    const bucket = createBucket(() => BEGIN);
    const foreign = ["backup/of/somebody.tar", "media/x/y", "media/readme.txt"];
    for (const key of [...foreign, ...KEYS, `uploads/${v7()}`]) bucket.put(key);
    const clock = { now: () => BEGIN + 2 * GRACE_MS, after: () => () => {} };
    assert.equal(await condemnUnnamed({ write: query, storage: bucket, clock, graceMs: GRACE_MS }), 3);
    const late = { ...clock, now: () => BEGIN + 4 * GRACE_MS };
    await createCollector({ write: query, storage: bucket, clock: late, graceMs: GRACE_MS, alone: true })();
    assert.deepEqual([...bucket.objects.keys()].sort(), foreign.sort());
  });
});
