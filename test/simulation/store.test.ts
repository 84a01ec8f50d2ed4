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

const ROUNDS = 60;
const ORDERED = ["nextTurns", "dueSoon", "readFacts"];
/** Transitions are partitioned by month, from last month on. */
const START = Date.now();

type Known = { version: number; state: "queued" | "active.submitting" | "succeeded" };

/** Units over a few actors, some of them behind, greedy or said before. */
const createUnits = (random: Random, id: () => string) => {
  const owners = Array.from({ length: 3 }, id);
  const streams = Array.from({ length: 3 }, id);
  const actors = Array.from({ length: 12 }, () => ({
    id: id(),
    owner: random.pick(owners),
    account: random.pick(["a", "b"]),
  }));
  const known = new Map<string, Known>();

  const next = ({ id: actor, owner, account }: (typeof actors)[number], at: number): ActorChange => {
    const { version, state } = known.get(actor) ?? { version: 0, state: null };
    const to = state === null ? "queued" : state === "queued" ? "active.submitting" : "succeeded";
    const done = to === "succeeded";
    return {
      id: actor,
      kind: "job",
      owner,
      stream: random.pick(streams),
      account,
      labels: {},
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
      facts: Array.from({ length: random.whole(0, 2) }, () => ({ id: id(), type: "job.x", data: {} })),
      drains: [],
      tells: random.chance(0.4) ? [{ to: random.pick(actors).id, event: { type: "item" } }] : [],
      slots: to === "active.submitting" ? 1 : done && state !== null ? -1 : 0,
      turns: to === "queued" ? 1 : to === "active.submitting" ? -1 : 0,
    };
  };

  return {
    owners,
    streams,
    actors,
    /** A group in which no actor comes twice. */
    group: (at: number): Unit[] =>
      actors
        .filter(({ id: actor }) => known.get(actor)?.state !== "succeeded" && random.chance(0.5))
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
        // Without an `order by`, or by an instant of which the two know different ones, the rows come in any order.
        const shown = (rows: object[]) => {
          const texts = rows.map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))));
          return ORDERED.includes(name) ? texts : texts.sort();
        };
        assert.deepEqual(shown(ours), shown(theirs), name);
        return ours;
      };
      for (const account of ["a", "b"]) await both("ensureAccount", [account, 3]);

      const outcomes = new Set<string>();
      for (let round = 0; round < ROUNDS; round++) {
        const at = START + round * 1_000;
        const group = units.group(at);
        if (group.length === 0) continue;
        const payload = encodeGroup(group);
        const id = draws.id();
        const [theirs] = await real<{ answer: { outcomes: string[]; replays: { u: number }[] } }>("commitUnits", [
          id,
          payload,
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
        for (const { id: target } of units.actors) await both("loadInbox", [target]);
        if (round % 5 === 0) await both("claimOverdue", [new Date(at), [], 2, new Date(at + 6_000), { job: 1 }]);
        await both("freeAccounts");
        for (const account of ["a", "b"]) await both("nextTurns", [account, 5]);
        await both("dueSoon", [new Date(at + 20_000), 50]);
        await both("streamHeads", [units.streams.toSorted()]);
        for (const stream of units.streams) await both("readFacts", [stream, 2, 3]);
      }
      assert.deepEqual([...outcomes].sort(), ["replayed", "reserve_denied", "version_lost", "won"]);

      const accounts = await sql`select id, slots, in_use, virtual_time from accounts order by id`;
      assert.deepEqual([...store.tables.accounts.values()], [...accounts]);
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
