import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeGroup } from "../../src/actors/group.ts";
import { type ActorChange, emptyUnit, type Unit } from "../../src/actors/unit.ts";
import { connect } from "../../src/db/connect.ts";
import { createQueries, loadQueries } from "../../src/db/queries.ts";
import { createRandom, type Random } from "../../src/embedded/simulated/drawing/random.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { createDraws } from "./draws.ts";
import { createStore } from "./store.ts";
import { createTime } from "./time.ts";

const ROUNDS = 80;
const ORDERED = ["nextTurns", "dueSoon", "readFacts"];
/** Transitions are partitioned by month, from last month on. */
const START = Date.now();

type Known = { version: number; state: "queued" | "active.submitting" | "active.running" | "succeeded" };

/** PostgreSQL's clock in this session becomes ours: it looks here first. `fake.now`: microseconds since the epoch. */
const FAKE_CLOCK = `
  create schema fake;
  create function fake.clock_timestamp() returns timestamptz language sql volatile as $$
    select 'epoch'::timestamptz + current_setting('fake.now')::float8 * interval '1 microsecond' $$;
  set search_path = fake, public, pg_catalog;`;

/** Equal, but for what a microsecond and the last bits of a double make. */
const assertAlike = (ours: unknown, theirs: unknown, message: string) => {
  const rounded = (value: unknown, other: unknown): unknown => {
    if (typeof value === "number" && typeof other === "number") return Math.abs(value - other) < 0.01 ? other : value;
    if (typeof value !== "object" || value === null || typeof other !== "object" || other === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [key, rounded(inner, other[key as keyof object])]);
    return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
  };
  assert.deepEqual(rounded(ours, theirs), theirs, message);
};

/** Units over a few actors, some of them behind, greedy or said before. */
const createUnits = (random: Random, id: () => string) => {
  const owners = Array.from({ length: 3 }, id);
  const streams = Array.from({ length: 3 }, id);
  const actors = Array.from({ length: 40 }, () => ({
    id: id(),
    owner: random.pick(owners),
    account: random.pick(["a", "b"]),
  }));
  const known = new Map<string, Known>();

  const pause = () => {
    const ms = random.whole(500, 4_000);
    const paced = random.chance(0.3) ? { pace_ms: random.whole(300, 2_000) } : { pace_ms: null };
    return { reason: random.pick(["rate_limited", "low_credit"]), ms, most_ms: random.pick([ms, 20_000]), ...paced };
  };

  const next = ({ id: actor, owner, account }: (typeof actors)[number], at: number): ActorChange => {
    const { version, state } = known.get(actor) ?? { version: 0, state: null };
    const to =
      state === null
        ? "queued"
        : state === "queued"
          ? "active.submitting"
          : state === "active.submitting" && random.chance(0.7)
            ? random.pick(["queued", "active.running"] as const)
            : "succeeded";
    const slots = Number(to.startsWith("active.")) - Number(state?.startsWith("active.") ?? false);
    const turns = Number(to === "queued") - Number(state === "queued");
    const waits = state === "active.submitting" && to === "queued";
    const done = to === "succeeded";
    return {
      id: actor,
      kind: "job",
      owner,
      stream: random.pick(streams),
      account,
      labels: {},
      traceparent: null,
      // Sometimes somebody else was first.
      expect: version > 0 && random.chance(0.15) ? version - 1 || 7 : version,
      machineVersion: 1,
      snapshot: { value: to, context: {}, timers: {} },
      state: to,
      fromState: state,
      status: null,
      wakeAt: done ? null : at + random.whole(1, 50_000),
      done,
      parkedReason: null,
      at,
      event: "x",
      folded: [],
      effects: [],
      reason: waits ? "x" : null,
      facts: Array.from({ length: random.whole(0, 2) }, () => ({
        id: id(),
        type: random.pick(["job.x", "job.rendered"]),
        data: {
          model_key: "m",
          tool_type: "t",
          // In the order of jsonb.
          ...(random.chance(0.8) ? { done_by_ms: random.whole(10, 99) } : {}),
          done_after_ms: random.whole(0, 9),
        },
        traceparent: random.chance(0.5) ? id() : null,
      })),
      drains: [],
      tells: random.chance(0.4) ? [{ to: random.pick(actors).id, event: { type: "item" } }] : [],
      slots: slots as -1 | 0 | 1,
      turns: turns as -1 | 0 | 1,
      report: waits ? { pause: pause() } : state === "active.submitting" ? { opens: true } : null,
    };
  };

  return {
    owners,
    streams,
    actors,
    /** A group in which no actor comes twice. */
    group: (at: number): Unit[] =>
      actors
        .filter(({ id: actor }) => known.get(actor)?.state !== "succeeded" && random.chance(0.25))
        .map((actor) => {
          const key = random.chance(0.3) ? `key ${random.whole(1, 20)}` : null;
          const idempotency = {
            userId: actor.owner,
            route: "r",
            key: String(key),
            bodyHash: "h",
            status: 202,
            answer: key,
          };
          return { ...emptyUnit(id()), actors: [next(actor, at)], idempotency: key === null ? null : idempotency };
        }),
    won: ({ actors: [change] }: Unit) => {
      if (change) known.set(change.id, { version: change.expect + 1, state: change.state as Known["state"] });
    },
  };
};

/** For `JSON.stringify`: jsonb keeps no order of keys. */
const sortKeys = (_key: string, value: unknown) =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

describe("the simulated database", () => {
  it("answers as PostgreSQL does, group by group, and comes to the same tables", async () => {
    const database = await cloneDatabase();
    const sql = connect(database.url, { max: 1, role: "admin" });
    try {
      const real = createQueries(sql, loadQueries());
      const time = createTime(START);
      const random = createRandom(7);
      const draws = createDraws(time, random.fork("ids"));
      const store = createStore(time);
      const simulated = async (name: string, params: unknown[] = []) =>
        store.run(
          name,
          params.map((value) => (value instanceof Date ? value.getTime() : value)),
        );
      const units = createUnits(random, draws.id);
      for (const owner of units.owners) await sql`insert into users (id) values (${owner})`;
      const both = async (name: string, params: unknown[] = []) => {
        const [theirs, ours] = [await real(name, params), await simulated(name, params)];
        if (name === "freeAccounts" || name === "leaseChecks") {
          const byId = (rows: object[]) => rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
          assertAlike(byId(ours), byId(theirs), name);
          return ours;
        }
        // Without an `order by`, or by an instant of which the two know different ones, the rows come in any order.
        const shown = (rows: object[]) => {
          const texts = rows.map((row) => JSON.stringify(row, sortKeys));
          return ORDERED.includes(name) ? texts : texts.sort();
        };
        assert.deepEqual(shown(ours), shown(theirs), name);
        return ours;
      };
      await sql.unsafe(FAKE_CLOCK);
      /** Both come to the same instant. */
      const advance = async (ms: number) => {
        const micros = Math.round(1000 * (time.now() + ms));
        void time.pass(micros / 1000 - time.now());
        await time.run(() => false);
        await sql`select set_config('fake.now', ${String(micros)}, false)`;
      };
      const compareAccounts = async (message: string) => {
        const theirs = await sql`
          select id, slots, in_use, virtual_time, submits_per_minute, submit_tokens, checks_per_minute, check_tokens,
            paused_reason, strikes, probe, pace_ms,
            case when submit_tokens < 'infinity' then (extract(epoch from submits_at) * 1000)::float8 end as submits_at,
            case when check_tokens < 'infinity' then (extract(epoch from checks_at) * 1000)::float8 end as checks_at,
            (extract(epoch from paused_at) * 1000)::float8 as paused_at,
            (extract(epoch from paused_until) * 1000)::float8 as paused_until,
            (extract(epoch from paced_until) * 1000)::float8 as paced_until
          from accounts order by id`;
        // Until its first token is taken a bucket is full, since whenever.
        const ours = [...store.tables.accounts.values()].map((account) => ({
          ...account,
          submits_at: account.submit_tokens === Number.POSITIVE_INFINITY ? null : account.submits_at,
          checks_at: account.check_tokens === Number.POSITIVE_INFINITY ? null : account.checks_at,
        }));
        const sorted = (rows: object[]) => rows.map((row) => Object.fromEntries(Object.entries(row).sort()));
        assertAlike(sorted(ours), sorted([...theirs]), message);
      };
      await advance(0);
      await both("ensureAccount", ["a", 5, 40, 120]);
      await both("ensureAccount", ["b", 8, null, null]);
      // The defaults of columns are by PostgreSQL's own clock.
      await sql`update accounts set submits_at = clock_timestamp(), checks_at = clock_timestamp()`;

      const outcomes = new Set<string>();
      for (let round = 0; round < ROUNDS; round++) {
        await advance(random.between(200, 2_000));
        const at = Math.round(time.now());
        const group = units.group(at);
        if (group.length === 0) continue;
        const payload = encodeGroup(group);
        const id = draws.id();
        const [theirs] = await real<{ answer: { outcomes: string[]; replays: { u: number }[] } }>("commitUnits", [
          id,
          payload,
          "1000",
        ]);
        const [ours] = await simulated("commitUnits", [id, JSON.stringify(payload)]);
        const sorted = (row: unknown) => {
          const { answer } = row as { answer: { replays: { u: number }[] } };
          return { ...answer, replays: answer.replays.toSorted((a, b) => a.u - b.u) };
        };
        assert.deepEqual(sorted(ours), sorted(theirs), `round ${round}`);
        theirs?.answer.outcomes.forEach((outcome, n) => {
          outcomes.add(outcome);
          const unit = group[n];
          if (outcome === "won" && unit) units.won(unit);
        });
        await compareAccounts(`round ${round}`);
        await both("leaseChecks", ["a", random.whole(1, 4)]);
        await both("leaseChecks", ["b", 3]);
        if (random.chance(0.1)) await both("holdChecks", ["a", random.whole(100, 3_000)]);
        if (random.chance(0.1)) await both("pauseAccount", ["b", "breaker_open", random.whole(500, 3_000)]);
        if (round === 40) await both("ensureAccount", ["b", 8, 60, 60]);
        await both("completions", ["m", "t", 1_000]);
        await both("stalledJobs", [1_000, 10]);
        for (const { id: target } of units.actors) await both("loadInbox", [target]);
        if (round % 5 === 0) await both("claimOverdue", [new Date(at), [], 1, new Date(at + 6_000), { job: 1 }]);
        await both("freeAccounts");
        for (const account of ["a", "b"]) await both("nextTurns", [account, 5]);
        await both("dueSoon", [new Date(at + 20_000), 50]);
        await both("streamHeads", [units.streams.toSorted()]);
        for (const stream of units.streams) await both("readFacts", [stream, 2, 3]);
      }
      assert.deepEqual([...outcomes].sort(), ["replayed", "reserve_denied", "version_lost", "won"]);

      await compareAccounts("at the end");
      // All that an account can come to was come to.
      for (const what of ["starts", "opens", "pauses", "checks", "heldMs"] as const)
        assert.ok(
          store.tables.dealings.some((dealing) => dealing[what] !== undefined),
          what,
        );
      const turns = await sql`select account, owner_id, waiting, virtual_time from turns order by 1, 2`;
      const byKey = (turn: { account: string; owner_id: string }) => `${turn.account} ${turn.owner_id}`;
      const ourTurns = [...store.tables.turns.values()].sort((a, b) => (byKey(a) < byKey(b) ? -1 : 1));
      assert.deepEqual(ourTurns, [...turns]);
      const rows = await sql`select id, state, version, wake_at, finished_at from actors order by id`;
      const ourRows = [...store.tables.actors.values()]
        .map(({ id, state, version, wake_at, finished_at }) => ({ id, state, version, wake_at, finished_at }))
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      assert.deepEqual(ourRows, [...rows]);
    } finally {
      await sql.end({ timeout: 5 });
      await database.drop();
    }
  });
});
