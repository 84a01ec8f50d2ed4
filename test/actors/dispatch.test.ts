import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { v7 } from "uuid";
import type { MachineEvent } from "../../machines/step.ts";
import type { EffectCall } from "../../src/actors/effects.ts";
import { createEffects } from "../../src/actors/effects.ts";
import { emptyUnit } from "../../src/actors/unit.ts";
import type { Query } from "../../src/db/queries.ts";
import { createLog } from "../../src/log.ts";
import { realClock, type Script, setup, smooth } from "./bundle.ts";

/** An effect that waits for its turn: `arrived` resolves with its call, `answer` lets it finish. */
const gate = () => {
  let arrive = (_: EffectCall) => {};
  let finish = (_: MachineEvent | null) => {};
  const arrived = new Promise<EffectCall>((resolve) => {
    arrive = resolve;
  });
  const finished = new Promise<MachineEvent | null>((resolve) => {
    finish = resolve;
  });
  return {
    arrived,
    answer: (event: MachineEvent | null) => finish(event),
    run: (call: EffectCall) => {
      arrive(call);
      return finished;
    },
  };
};

const oneToN = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe("an actor", () => {
  it("goes from created to succeeded, with contiguous versions and facts", async () => {
    await using w = await setup();
    const node = await w.node();
    const id = await w.job(node);
    await w.reached(node, id, "succeeded");
    await node.engine.settle();
    const versions = await w.sql<
      { version: number }[]
    >`select version from transitions where actor_id = ${id} order by version`;
    assert.deepEqual(
      versions.map(({ version }) => version),
      oneToN(versions.length),
    );
    const seqs = await w.seqs(id);
    assert.deepEqual(seqs, oneToN(seqs.length));
    assert.deepEqual(
      node.facts.map(({ seq }) => seq),
      seqs,
    );
    const [account] = await w.sql`select in_use from accounts`;
    assert.equal(account?.in_use, 0);
  });

  it("keeps the trace of the request that made it on every node, and goes on without where none was kept", async () => {
    await using w = await setup();
    const silent: Script = { ...smooth, submit: () => null };
    const first = await w.node({ script: silent, alone: false });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const jobs = [await w.job(first, { traceparent }), await w.job(first, { traceparent })];
    for (const id of jobs) await w.reached(first, id, "active.submitting");
    await first.engine.settle();
    // As it was written before there were traces.
    await w.sql`update actors set snapshot = snapshot - 'traceparent' where id = ${jobs[1] ?? ""}`;
    const second = await w.node({ alone: false });
    for (const id of jobs) {
      const [row] = await w.sql<
        { attempt: string }[]
      >`select snapshot->'context'->>'attempt' as attempt from actors where id = ${id}`;
      await second.engine.dispatch.send(id, { type: "accepted", attempt: row?.attempt, ref: "r" });
      await w.reached(second, id, "succeeded");
    }
    const traces = (id: string | undefined) =>
      new Set(second.facts.flatMap((fact) => (fact.actorId === id ? [fact.traceparent] : [])));
    assert.deepEqual([traces(jobs[0]), traces(jobs[1])], [new Set([traceparent]), new Set([null])]);
  });

  it("is stepped by two nodes at once without losing or doubling a step", async () => {
    await using w = await setup();
    const silent: Script = { ...smooth, submit: () => null };
    const a = await w.node({ script: silent, alone: false });
    const b = await w.node({ script: silent, alone: false });
    const id = await w.job(a);
    await w.reached(a, id, "active.submitting");
    const { attempt } = (await w.actor(id)).snapshot.context;
    // Both hold the same version warm; each of these is a commit that the other has to notice.
    await Promise.all([
      ...[a, b].map((node) => node.engine.dispatch.send(id, { type: "cancel" })),
      ...[a, b].map((node) => node.engine.dispatch.send(id, { type: "accepted", attempt, ref: "r" })),
    ]);
    await w.reached(a, id, "canceled").catch(() => w.reached(b, id, "canceled"));
    const rows = await w.sql<{ version: number; event: string }[]>`
      select version, event from transitions where actor_id = ${id} order by version`;
    assert.deepEqual(
      rows.map(({ version }) => version),
      oneToN(rows.length),
    );
    assert.equal(rows.filter(({ event }) => event === "cancel").length, 1);
    assert.equal(rows.filter(({ event }) => event === "accepted").length, 1);
    const seqs = await w.seqs(id);
    assert.deepEqual(seqs, oneToN(seqs.length));
  });

  for (const first of ["cancel", "accepted"] as const) {
    it(`is canceled upstream once when a cancel meets an acceptance and ${first} comes first`, async () => {
      await using w = await setup();
      const submit = gate();
      const canceled: unknown[] = [];
      const node = await w.node({
        script: {
          submit: submit.run,
          cancelUpstream: ({ params }) => {
            canceled.push(params.ref);
            return { type: "cancelAnswered", outcome: "canceled" };
          },
          poll: () => null,
        },
      });
      const id = await w.job(node);
      const { params } = await submit.arrived;
      const acceptance = { type: "accepted", attempt: params.attempt, ref: "the-ref" };
      if (first === "cancel") {
        await node.engine.dispatch.send(id, { type: "cancel" });
        submit.answer(acceptance);
      } else {
        submit.answer(acceptance);
        await w.reached(node, id, "active.running.waiting");
        await node.engine.dispatch.send(id, { type: "cancel" });
      }
      await w.reached(node, id, "canceled");
      assert.deepEqual(canceled, ["the-ref"]);
      assert.equal((await w.actor(id)).snapshot.context.cancel, "canceled_upstream");
    });
  }

  it("takes a wake that arrives late for nothing, and gets its true wake_at back", async () => {
    await using w = await setup();
    const node = await w.node({
      script: { ...smooth, poll: () => null },
      env: { POLL_MIN_MS: "60000", POLL_MAX_MS: "60000" },
    });
    const id = await w.job(node);
    await w.reached(node, id, "active.running.waiting");
    const before = await w.actor(id);
    await w.sql`update actors set wake_at = now() + interval '1 hour' where id = ${id}`;
    const sent = await node.engine.dispatch.send(id, { type: "wake", claimed: true });
    assert.equal(sent.outcome, "unchanged");
    const after = await w.actor(id);
    assert.equal(after.wake_at, before.wake_at);
    assert.equal(after.version, before.version);
  });

  it("polls at the cost of one write a poll", async () => {
    await using w = await setup();
    let polls = 0;
    const node = await w.node({
      script: {
        ...smooth,
        poll: (call) =>
          ++polls < 4
            ? { type: "polled", n: call.params.n, outcome: { kind: "running", progress: 0.01 } }
            : (smooth.poll?.(call) ?? null),
      },
    });
    const id = await w.job(node);
    await w.reached(node, id, "succeeded");
    const rows = await w.sql<{ event: string; folded: string[] }[]>`
      select event, folded from transitions where actor_id = ${id} and event = 'polled' order by version`;
    assert.equal(rows.length, 4);
    assert.ok(rows.every(({ folded }) => folded.join() === "after pollDelay"));
  });

  it("is parked when its snapshot does not restore, and hurts nobody else", async () => {
    await using w = await setup();
    const node = await w.node({ script: { ...smooth, submit: () => null } });
    const [bad, good] = [await w.job(node), await w.job(node)];
    await w.reached(node, bad, "active.submitting");
    await w.reached(node, good, "active.submitting");
    await w.sql`update actors set snapshot = '{"value": "no_such_state", "timers": {}, "labels": {}}' where id = ${bad}`;
    const fresh = await w.node({ alone: false });
    await assert.rejects(fresh.engine.dispatch.send(bad, { type: "cancel" }), { code: "conflict" });
    const parked = await w.actor(bad);
    assert.ok(parked.parked_reason);
    assert.equal(parked.wake_at, null);
    assert.equal((await fresh.engine.dispatch.send(good, { type: "cancel" })).outcome, "won");
  });

  it("of a newer machine version is left alone", async () => {
    await using w = await setup();
    const node = await w.node({ script: { ...smooth, submit: () => null } });
    const id = await w.job(node);
    await w.reached(node, id, "active.submitting");
    await w.sql`update actors set machine_version = 99, wake_at = now() - interval '1 hour' where id = ${id}`;
    const fresh = await w.node({ alone: false });
    await assert.rejects(fresh.engine.dispatch.send(id, { type: "cancel" }), { code: "unavailable" });
    await fresh.engine.start();
    await fresh.engine.settle();
    const [row] = await w.sql<{ wake_at: number }[]>`select wake_at from actors where id = ${id}`;
    assert.ok((row?.wake_at ?? 0) < Date.now() - 3_000_000, "its wake_at was pushed ahead");
  });
});

describe("messages between actors", () => {
  it("arrive once, although the hint to the target was lost", async () => {
    await using w = await setup();
    const node = await w.node();
    const batch = v7();
    const unit = emptyUnit(v7());
    unit.actors.push(
      node.engine.dispatch.create(
        { id: batch, kind: "batch", owner: w.owner, stream: batch, account: null, labels: {}, traceparent: null },
        { count: 1 },
      ),
    );
    await node.engine.dispatch.submit(unit);
    // As after a crash between the commit and the hint.
    await w.sql`insert into inbox (target, source, source_version, n, event, created_at) values
      (${batch}, ${v7()}, 1, 0, ${w.sql.json({ type: "item", index: 0, status: "SUCCEEDED", instant: 5 })}, now() - interval '1 minute')`;
    await node.engine.start();
    await w.reached(node, batch, "succeeded");
    await node.engine.settle();
    assert.equal((await w.sql`select 1 from inbox`).length, 0);
    await node.engine.dispatch.send(batch, { type: "wake", mail: true });
    assert.equal((await w.actor(batch)).version, 2);
  });

  it("of a whole batch are drained in few steps", async () => {
    await using w = await setup();
    const node = await w.node();
    const batch = v7();
    const unit = emptyUnit(v7());
    unit.actors.push(
      node.engine.dispatch.create(
        { id: batch, kind: "batch", owner: w.owner, stream: batch, account: null, labels: {}, traceparent: null },
        { count: 200 },
      ),
    );
    await node.engine.dispatch.submit(unit);
    const letters = oneToN(200).map((n) => ({
      target: batch,
      source: v7(),
      source_version: 1,
      n: 0,
      event: { type: "item", index: n, status: "SUCCEEDED", instant: n } as never,
    }));
    await w.sql`insert into inbox ${w.sql(letters)}`;
    await node.engine.dispatch.send(batch, { type: "wake", mail: true });
    const { state, version } = await w.actor(batch);
    assert.equal(state, "succeeded");
    assert.equal(version, 2);
  });
});

describe("an effect", () => {
  it("that comes up too late after its commit is not sent", async () => {
    let sent = false;
    const answers: MachineEvent[] = [];
    const effects = createEffects({
      handlers: {
        submit: {
          timeoutMs: 1000,
          concurrency: 1,
          run: async ({ confirmSend }) => {
            confirmSend();
            sent = true;
            return null;
          },
          failed: (_, error) => ({ type: (error as Error).name }),
        },
      },
      notAfterMs: 5_000,
      answer: async (_, event) => {
        answers.push(event);
      },
      log: createLog("silent"),
    });
    const actor = {
      id: v7(),
      kind: "job" as const,
      owner: "",
      stream: "",
      account: null,
      labels: {},
      traceparent: null,
    };
    effects.execute(actor, "submit", {}, performance.now() - 5_001);
    await effects.idle();
    assert.equal(sent, false);
    assert.deepEqual(answers, [{ type: "NotSent" }]);
  });

  it("is not sent either by a node that stood still before it heard of the commit", async () => {
    await using w = await setup();
    let ahead = 0;
    let sent = false;
    const standStill = (real: Query): Query =>
      (async (name: string, params?: readonly unknown[]) => {
        const rows = await real(name, params);
        if (JSON.stringify(params).includes('"submit"')) ahead += 10_000;
        return rows;
      }) as Query;
    const node = await w.node({
      clock: { ...realClock, now: () => realClock.now() + ahead },
      write: standStill,
      script: {
        submit: ({ confirmSend }) => {
          confirmSend();
          sent = true;
          return null;
        },
      },
    });
    const id = await w.job(node);
    await w.reached(node, id, "resting");
    assert.equal(sent, false);
    assert.equal((await w.actor(id)).snapshot.context.attempts, 1);
  });

  it("has a hard limit of time", async () => {
    const answers: MachineEvent[] = [];
    const effects = createEffects({
      handlers: {
        poll: {
          timeoutMs: 20,
          concurrency: 1,
          run: () => new Promise(() => {}),
          failed: () => ({ type: "gave_up" }),
        },
      },
      notAfterMs: 5_000,
      answer: async (_, event) => {
        answers.push(event);
      },
      log: createLog("silent"),
    });
    effects.execute(
      { id: v7(), kind: "job", owner: "", stream: "", account: null, labels: {}, traceparent: null },
      "poll",
      {},
      performance.now(),
    );
    await effects.idle();
    assert.deepEqual(answers, [{ type: "gave_up" }]);
  });
});

describe("a node that dies", () => {
  it("leaves its overdue timers to another after the grace, and its late answers change nothing", async () => {
    await using w = await setup();
    const poll = gate();
    const env = { TAKEOVER_GRACE_MS: "300", POLL_TIMEOUT_MS: "200" };
    const dead = await w.node({ alone: false, env, script: { ...smooth, poll: poll.run } });
    const id = await w.job(dead);
    await poll.arrived;
    // The dead node is in its soft state `polling`, of which the table knows nothing.
    assert.equal((await w.actor(id)).state, "active.running.waiting");
    const heir = await w.node({ alone: false, env });
    await heir.engine.start();
    await w.reached(heir, id, "succeeded");
    const ended = (await w.actor(id)).version;
    poll.answer({ type: "polled", n: 1, outcome: { kind: "gone" } });
    await dead.engine.settle();
    assert.equal((await w.actor(id)).version, ended);
  });

  it("alone is followed by one that fires every timer at its remaining time", async () => {
    await using w = await setup();
    const env = { POLL_MIN_MS: "1200", POLL_MAX_MS: "1200", POLL_JITTER: "0" };
    const dead = await w.node({ env });
    const id = await w.job(dead);
    await w.reached(dead, id, "active.running.waiting");
    const due = (await w.actor(id)).wake_at ?? 0;
    await dead.close();
    const polled: number[] = [];
    const heir = await w.node({
      env,
      script: {
        ...smooth,
        poll: (call) => {
          polled.push(realClock.now());
          return smooth.poll?.(call) ?? null;
        },
      },
    });
    await heir.engine.start();
    await w.reached(heir, id, "succeeded");
    assert.equal(polled.length, 1);
    assert.ok((polled[0] ?? 0) >= due, "not before its time");
  });

  for (const state of ["active.submitting", "ingesting.storing"] as const) {
    it(`alone in ${state} is followed by one that asks again at once, not at the watchdog`, async () => {
      await using w = await setup();
      const stuck = state === "active.submitting" ? "submit" : "ingest";
      const dead = await w.node({ script: { ...smooth, [stuck]: () => new Promise<null>(() => {}) } });
      const id = await w.job(dead);
      await w.reached(dead, id, state);
      const heir = await w.node({
        script: {
          ...smooth,
          look: ({ params }) => ({ type: "accepted", attempt: params.attempt, ref: "found" }),
        },
      });
      await heir.engine.start();
      await w.reached(heir, id, "succeeded");
      assert.equal((await w.actor(id)).snapshot.context.attempts, 1);
    });
  }
});
