import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { v7 } from "uuid";
import type { Query } from "../../src/db/queries.ts";
import { until } from "../streams/until.ts";
import { type Script, setup, smooth } from "./bundle.ts";

type World = Awaited<ReturnType<typeof setup>>;

const silent: Script = { ...smooth, submit: () => null };
const overdue = (w: World, id: string) =>
  w.sql`update actors set wake_at = now() - interval '1 hour' where id = ${id} and wake_at is not null`;
const inUse = async ({ sql }: World) => (await sql<{ in_use: number }[]>`select in_use from accounts`)[0]?.in_use;

/** The database does not take what `condition` says of an actor's new row. */
const refuse = (w: World, condition: string) =>
  w.sql.unsafe(`
    create function refuse() returns trigger language plpgsql as $$
    begin
      if ${condition} then raise exception 'refused for good' using errcode = '23514'; end if;
      return new;
    end $$;
    create trigger refuse before update on actors for each row execute function refuse()`);

describe("an actor whose row was damaged", () => {
  for (const garbage of ["null", '"x"', "5", "[]", "{}", '{"value": null}', '{"value": "queued"}']) {
    it(`to ${garbage} is set aside with a reason, and gives back its slot`, async () => {
      await using w = await setup();
      const first = await w.node({ script: silent });
      const [bad, good] = [await w.job(first), await w.job(first)];
      await w.reached(first, bad, "active.submitting");
      await w.reached(first, good, "active.submitting");
      await first.close();
      await w.sql`update actors set snapshot = ${garbage}::text::jsonb where id = ${bad}`;
      for (const id of [bad, good]) await overdue(w, id);
      const second = await w.node({
        script: { ...smooth, look: ({ params }) => ({ type: "accepted", attempt: params.attempt, ref: "found" }) },
      });
      await second.engine.start();
      await w.reached(second, good, "succeeded");
      await until(async () => (await w.actor(bad)).parked_reason !== null);
      const [row] = await w.sql`select state, status, wake_at, finished_at from actors where id = ${bad}`;
      assert.deepEqual({ ...row }, { state: "active.submitting", status: "RUNNING", wake_at: null, finished_at: null });
      assert.equal(await inUse(w), 0);
      await assert.rejects(second.engine.dispatch.send(bad, { type: "cancel" }), { code: "conflict" });
    });
  }

  it("in a letter to it is set aside, and is not written to again", async () => {
    await using w = await setup();
    const node = await w.node({ script: silent });
    const bad = await w.job(node);
    await w.reached(node, bad, "active.submitting");
    await w.sql`insert into inbox (target, source, source_version, n, event, created_at)
      values (${bad}, ${v7()}, 1, 0, 'null', now() - interval '1 minute')`;
    await node.engine.start();
    await until(async () => (await w.actor(bad)).parked_reason !== null);
    assert.equal((await node.query("overdueInbox", [new Date(), 10])).length, 0);
    assert.equal((await w.sql`select 1 from inbox`).length, 1, "for whoever inspects it");
  });
});

describe("an actor whose step the database refuses for good", () => {
  it("is set aside with what the database said, and its group is committed", async () => {
    await using w = await setup();
    const node = await w.node();
    await refuse(w, "new.state = 'succeeded' and new.owner_id <> '00000000-0000-0000-0000-000000000001'");
    const friend = "00000000-0000-0000-0000-000000000001";
    await w.sql`insert into users (id) values (${friend})`;
    const [bad, ...good] = await Promise.all([
      w.job(node),
      ...Array.from({ length: 8 }, () => w.job(node, { user: friend })),
    ]);
    for (const id of good) await w.reached(node, id, "succeeded");
    await until(async () => (await w.actor(bad)).parked_reason !== null);
    assert.match((await w.actor(bad)).parked_reason ?? "", /refused for good/);
    assert.equal(await inUse(w), 0);
    await assert.rejects(node.engine.dispatch.send(bad, { type: "cancel" }), { code: "conflict" });
  });

  for (const alone of [true, false]) {
    it(`even to be set aside is left alone, by a node ${alone ? "alone" : "of several"}`, async () => {
      await using w = await setup();
      const env = { POLL_MIN_MS: "400", POLL_MAX_MS: "400", TAKEOVER_GRACE_MS: "300", POLL_TIMEOUT_MS: "200" };
      const first = await w.node({ env });
      const [bad, good] = [await w.job(first), await w.job(first)];
      await w.reached(first, bad, "active.running.waiting");
      await w.reached(first, good, "active.running.waiting");
      await first.close();
      await refuse(w, `new.id = '${bad}'`);
      let commits = 0;
      let sweeps = 0;
      const counted = (real: Query): Query =>
        ((name, params) => {
          if (name === "commitUnits" && JSON.stringify(params).includes(bad)) commits++;
          return real(name, params);
        }) as Query;
      const second = await w.node({
        alone,
        env,
        write: counted,
        read: (real) =>
          ((name, params) => {
            if (name === "freeAccounts") sweeps++;
            return real(name, params);
          }) as Query,
      });
      await second.engine.start();
      await w.reached(second, good, "succeeded");
      await until(() => commits > 0 && sweeps > 0);
      await second.engine.settle();
      const [tried, swept] = [commits, sweeps];
      await until(() => sweeps > swept + 2);
      assert.equal(commits, tried, "it is tried again and again");
      await assert.rejects(second.engine.dispatch.send(bad, { type: "cancel" }), { code: "conflict" });
    });
  }
});

describe("an actor whose row stays locked", () => {
  it("keeps a crowd waiting no longer than one", async () => {
    await using w = await setup();
    const node = await w.node({ script: silent });
    const id = await w.job(node);
    await w.reached(node, id, "active.submitting");
    await node.engine.settle();
    const frozen = await w.sql.reserve();
    await frozen.unsafe("begin");
    await frozen.unsafe(`select 1 from actors where id = '${id}' for update`);
    const began = performance.now();
    const crowd = Array.from({ length: 8 }, () => node.engine.dispatch.send(id, { type: "cancel" }));
    for (const outcome of await Promise.allSettled(crowd)) {
      assert.equal(outcome.status === "rejected" && outcome.reason.code, "unavailable");
    }
    const ms = performance.now() - began;
    await frozen.unsafe("rollback");
    frozen.release();
    assert.ok(ms < 15_000, `the last one waited for ${ms} ms`);
    assert.equal((await node.engine.dispatch.send(id, { type: "cancel" })).outcome, "won");
  });
});
