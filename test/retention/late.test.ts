import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEffects } from "../../src/actors/effects.ts";
import { entomb } from "../../src/actors/tombstone.ts";
import { emptyUnit, type Live } from "../../src/actors/unit.ts";
import { createLog, type Log } from "../../src/log.ts";
import { createQueries, loadQueries } from "../../src/db/queries.ts";
import { createErasure } from "../../src/retention/erase.ts";
import { v7 } from "uuid";
import { realClock, setup, smooth } from "../actors/bundle.ts";
import { until } from "../streams/until.ts";

describe("what comes for an erased actor", () => {
  it("finds nobody, brings nobody back and alarms nobody", async () => {
    await using world = await setup();
    const node = await world.node({ script: { ...smooth, poll: undefined } });
    const { dispatch } = node.engine;
    const id = await world.job(node);
    await dispatch.send(id, { type: "start" });
    await world.reached(node, id, "active.running.waiting");
    // This node knows it well; another has finished and erased it.
    for (const table of ["actors", "transitions"])
      await world.sql.unsafe(`delete from ${table} where ${table === "actors" ? "id" : "actor_id"} = '${id}'`);
    const outcome = { kind: "completed", outputs: [{ url: "simulated:x" }] };
    const late = [
      // The first shows this node that what it knows is of no use any more.
      { type: "cancel" },
      { type: "polled", n: 1, outcome },
      { type: "nudge", attempt: v7() },
      { type: "ingested", outputs: [] },
      { type: "wake" },
    ];
    for (const event of late) await assert.rejects(dispatch.send(id, event), { code: "not_found" }, event.type);
    await node.engine.settle();
    assert.deepEqual([...(await world.sql`select from actors`)], []);
  });

  it("is no error in the log", async () => {
    await using world = await setup();
    const node = await world.node();
    const levels: string[] = [];
    const log = new Proxy(createLog("silent"), {
      get: (_, level: string) => () => void levels.push(level),
    }) as Log;
    const effects = createEffects({
      handlers: {
        poll: { timeoutMs: 1000, concurrency: 1, run: async () => ({ type: "polled" }), failed: () => null },
      },
      notAfterMs: 1000,
      answer: async (actor, command) => void (await node.engine.dispatch.send(actor, command)),
      log,
    });
    const actor = { id: v7(), kind: "job" as const, owner: world.owner, stream: v7(), account: null };
    effects.execute({ ...actor, labels: {}, traceparent: null }, "poll", {}, performance.now());
    await effects.idle();
    assert.deepEqual(levels, ["debug"]);
  });

  it("does not keep letters for ever", async () => {
    await using world = await setup();
    const write = createQueries(world.sql, loadQueries());
    await world.sql`insert into inbox (target, source, source_version, n, event, created_at)
      values (${v7()}, ${v7()}, 1, 0, '{"type":"cancel"}', now() - interval '1 hour')`;
    await createErasure({ write, clock: realClock, durable: false, signal: new AbortController().signal })();
    assert.deepEqual([...(await world.sql`select from inbox`)], []);
  });
});

describe("what is made under a tombstone", () => {
  it("loses, whatever it is under", async () => {
    await using world = await setup();
    const node = await world.node();
    const { dispatch } = node.engine;
    const [batch, job, attachment] = [v7(), v7(), v7()];
    await world.sql`insert into batches (id, user_id, prompt, num_images, model_key, created_at)
      values (${batch}, ${world.owner}, 'x', 1, 'm', now())`;
    await world.sql`insert into jobs (id, user_id, tool_type, model_key, provider, prompt, params, created_at)
      values (${job}, ${world.owner}, 't', 'm', 'p', 'x', '{}', now())`;
    await world.sql`insert into attachments (id, user_id, file_name, content_type, size, upload_key, created_at)
      values (${attachment}, ${world.owner}, 'x', 'image/png', 1, 'uploads/x', now())`;
    const subjects: Live[] = [
      { kind: "batch", id: batch },
      { kind: "job", id: job },
      { kind: "attachment", id: attachment },
      { kind: "user", id: world.owner },
    ];
    for (const subject of subjects) {
      const under = () => ({ ...emptyUnit(v7()), live: [subject] });
      assert.equal((await dispatch.submit(under())).kind, "won", subject.kind);
      const removal = emptyUnit(v7());
      entomb(removal, subject, Date.now());
      assert.equal((await dispatch.submit(removal)).kind, "won", subject.kind);
      assert.equal((await dispatch.submit(under())).kind, "gone", subject.kind);
    }
    const again = emptyUnit(v7());
    again.rows.users = [{ id: world.owner, email: "back@example.com", password_hash: "x", role: "user" }];
    await dispatch.submit(again);
    const [row] = await world.sql`select email, password_hash from users where id = ${world.owner}`;
    assert.deepEqual({ ...row }, { email: null, password_hash: null });
  });

  it("loses to the deletion of its user that is under way, and waits for it", async () => {
    await using world = await setup();
    const node = await world.node();
    const deleting = await world.sql.reserve();
    await deleting`begin`;
    await deleting`select from users where id = ${world.owner} for update`;
    await deleting`update users set deleted_at = now() where id = ${world.owner}`;
    const unit = emptyUnit(v7());
    unit.live.push({ kind: "user", id: world.owner });
    unit.rows.chats = [{ id: v7(), user_id: world.owner, title: "x", created_at: new Date().toISOString() }];
    const outcome = node.engine.dispatch.submit(unit);
    const waits = async () =>
      (await world.sql`select from pg_locks where not granted`).length > 0 || node.engine.pendingUnits() > 0;
    await until(waits);
    await deleting`commit`;
    deleting.release();
    assert.equal((await outcome).kind, "gone");
    assert.deepEqual([...(await world.sql`select from chats`)], []);
  });
});
