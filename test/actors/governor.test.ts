import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { v7 } from "uuid";
import type { MachineEvent } from "../../machines/step.ts";
import type { EffectCall } from "../../src/actors/effects.ts";
import { type Script, setup, smooth } from "./bundle.ts";

type World = Awaited<ReturnType<typeof setup>>;
type Node = Awaited<ReturnType<World["node"]>>;

const accept = ({ params }: EffectCall): MachineEvent => ({
  type: "accepted",
  attempt: params.attempt,
  ref: `ref-${params.attempt}`,
});
const refuse =
  (code: string, afterMs = 0) =>
  ({ params }: EffectCall): MachineEvent => ({
    type: "rejected",
    attempt: params.attempt,
    code,
    message: "no",
    retryable: false,
    afterMs,
  });

/** Answers each submit by the function at hand, and notes when it came. */
const provider = () => {
  const at: number[] = [];
  const waiting: { count: number; resolve(): void }[] = [];
  const self: {
    at: number[];
    answer(call: EffectCall): MachineEvent | Promise<MachineEvent>;
    came(count: number): Promise<void>;
    script: Script;
  } = {
    at,
    answer: accept,
    /** Resolves when so many submits have come. */
    came: (count: number) =>
      new Promise<void>((resolve) => (at.length >= count ? resolve() : waiting.push({ count, resolve }))),
    script: {
      ...smooth,
      submit: (call) => {
        at.push(performance.now());
        for (const { count, resolve } of waiting) if (at.length >= count) resolve();
        return self.answer(call);
      },
    },
  };
  return self;
};

const account = async ({ sql }: World) => {
  const [row] = await sql`select *, paused_until - paused_at as length from accounts where id = 'simulated'`;
  assert.ok(row);
  return row;
};
const succeeded = (w: World, node: Node, jobs: string[]) =>
  Promise.all(jobs.map((id) => w.reached(node, id, "succeeded", 20_000)));
const jobsOf = (w: World, nodes: Node[], count: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => w.job(nodes[n % nodes.length] as Node)));

/** On whichever node each of them ends. */
const allSucceeded = async ({ sql }: World, nodes: readonly Node[], count: number) => {
  const ended = async () => (await sql`select 1 from actors where state = 'succeeded'`).length;
  while ((await ended()) < count) await Promise.all(nodes.map(({ engine }) => engine.settle()));
};

describe("the rate of an account", () => {
  it("holds exactly over two nodes: a tenth of it at once, then no more than flows back", async () => {
    await using w = await setup();
    const far = provider();
    const options = { script: far.script, rates: { submits: 600 }, slots: 1000, alone: false };
    const nodes = [await w.node(options), await w.node(options)];
    await w.sql`update accounts set submit_tokens = 60, submits_at = clock_timestamp()`;
    const began = performance.now();
    const jobs = await jobsOf(w, nodes, 75);
    for (const { engine } of nodes) await engine.start();
    await far.came(75);
    await allSucceeded(w, nodes, jobs.length);
    far.at.forEach((instant, n) => {
      const allowed = 60 + ((instant - began) / 1000) * 9;
      assert.ok(n + 1 <= allowed, `submit ${n + 1} came when ${allowed} were allowed`);
    });
    const row = await account(w);
    assert.ok(row.submit_tokens >= 0 && row.submit_tokens < 60);
    assert.equal(row.in_use, 0);
  });

  it("lets a start that finds no token lose alone", async () => {
    await using w = await setup();
    const far = provider();
    const node = await w.node({ script: far.script, rates: { submits: 10 } });
    const [first, second] = [await w.job(node), await w.job(node)];
    await w.reached(node, first, "succeeded");
    await node.engine.settle();
    const { outcome } = await node.engine.dispatch.send(second, { type: "start" });
    assert.equal(outcome, "reserve_denied");
    assert.equal((await w.actor(second)).state, "queued");
    assert.equal(far.at.length, 1);
  });

  it("comes back by a timer when a token is due, without the sweep", async () => {
    await using w = await setup();
    const far = provider();
    // A bucket of one, refilled every 100 ms.
    const node = await w.node({ script: far.script, rates: { submits: 600 } });
    await w.sql`update accounts set submit_tokens = 0, submits_at = clock_timestamp()`;
    await succeeded(w, node, await jobsOf(w, [node], 3));
  });
});

describe("what the provider says about the whole account", () => {
  it("pauses it for all jobs on all nodes as long as it asks, and they keep their tries", async () => {
    await using w = await setup();
    const far = provider();
    far.answer = refuse("rate_limited", 700);
    const nodes = [
      await w.node({ script: far.script, alone: false, env: { RETRY_LIMIT: "0" } }),
      await w.node({ script: far.script, alone: false, env: { RETRY_LIMIT: "0" } }),
    ] as const;
    const first = await w.job(nodes[0]);
    await w.reached(nodes[0], first, "queued");
    await far.came(1);
    await nodes[0].engine.settle();
    assert.equal((await account(w)).paused_reason, "rate_limited");
    assert.equal((await w.actor(first)).snapshot.context.attempts, 0);
    far.answer = accept;
    const jobs = await jobsOf(w, [...nodes], 6);
    for (const { engine } of nodes) await engine.start();
    await allSucceeded(w, nodes, 1 + jobs.length);
    assert.ok(
      far.at.slice(1).every((instant) => instant >= (far.at[0] as number) + 700),
      "nothing was submitted meanwhile",
    );
    assert.equal((await account(w)).paused_reason, null);
  });

  it("is told by the fact of the job that heard it", async () => {
    await using w = await setup();
    const far = provider();
    far.answer = refuse("queue_full", 200);
    const node = await w.node({ script: far.script });
    const job = await w.job(node);
    await far.came(1);
    await node.engine.settle();
    assert.equal((await account(w)).paused_reason, "queue_full");
    far.answer = accept;
    const fact = node.facts.find(({ type }) => type === "job.waiting");
    const { status, state, attempt, waiting_for } = fact?.data as Record<string, unknown> & {
      waiting_for: { code: string; until: number };
    };
    assert.deepEqual([status, state, attempt, waiting_for.code], ["QUEUED", "queued", 0, "queue_full"]);
    await w.reached(node, job, "succeeded");
  });

  it("out of credit: one probe after the pause, twice as long when it is refused, and its acceptance opens all", async () => {
    await using w = await setup();
    const far = provider();
    far.answer = refuse("out_of_credit");
    const node = await w.node({ script: far.script, env: { PAUSE_MIN_MS: "800", PAUSE_MAX_MS: "10000" } });
    const jobs = [await w.job(node)];
    await far.came(1);
    await node.engine.settle();
    assert.equal((await account(w)).length, "00:00:00.8");
    jobs.push(...(await jobsOf(w, [node], 8)));
    await far.came(2);
    await node.engine.settle();
    const again = await account(w);
    assert.equal(far.at.length, 2, "one of nine jobs was sent to see");
    assert.deepEqual([again.paused_reason, again.strikes], ["out_of_credit", 2]);

    let credit = () => {};
    const paid = new Promise<void>((resolve) => {
      credit = resolve;
    });
    far.answer = async (call) => {
      await paid;
      return accept(call);
    };
    await far.came(3);
    const [first, second, third] = far.at as [number, number, number];
    assert.ok(second - first >= 800 && third - second >= 1600, `${second - first}, ${third - second}`);
    assert.equal((await account(w)).probe !== null, true);
    await node.engine.dispatch.idle();
    assert.equal(far.at.length, 3, "nobody else while the probe is under way");
    credit();
    await succeeded(w, node, jobs);
    const open = await account(w);
    assert.deepEqual([open.paused_reason, open.paused_until, open.strikes, open.probe], [null, null, 0, null]);
  });

  it("only makes the pause last when it comes from what was under way", async () => {
    await using w = await setup();
    const far = provider();
    const gate = Promise.withResolvers<void>();
    far.answer = async (call) => {
      await gate.promise;
      return refuse("unauthorized")(call);
    };
    const node = await w.node({ script: far.script, env: { PAUSE_MIN_MS: "60000" } });
    const jobs = await jobsOf(w, [node], 5);
    await far.came(5);
    gate.resolve();
    await node.engine.settle();
    assert.equal((await account(w)).strikes, 1);
    for (const id of jobs) assert.equal((await w.actor(id)).state, "queued");
    assert.equal((await account(w)).in_use, 0);
  });

  it("low credit: one start per its share, also after the first was taken", async () => {
    await using w = await setup();
    const far = provider();
    far.answer = refuse("low_credit", 200);
    const node = await w.node({ script: far.script });
    const jobs = await jobsOf(w, [node], 1);
    await far.came(1);
    await node.engine.settle();
    far.answer = accept;
    jobs.push(...(await jobsOf(w, [node], 3)));
    await succeeded(w, node, jobs);
    const gaps = far.at.slice(1).map((instant, n) => instant - (far.at[n] as number));
    assert.ok(
      gaps.every((gap) => gap >= 190),
      gaps.join(" "),
    );
    assert.equal((await account(w)).paused_reason, "low_credit");
  });

  it("lets another probe through when the first is never answered", async () => {
    await using w = await setup();
    const far = provider();
    const node = await w.node({ script: far.script });
    // As a node that died with the probe would leave it, its time nearly over.
    await w.sql`update accounts set paused_reason = 'rate_limited', paused_at = now(),
      paused_until = clock_timestamp() + interval '200 milliseconds', probe = ${v7()}, strikes = 1`;
    await succeeded(w, node, await jobsOf(w, [node], 2));
    assert.equal((await account(w)).paused_reason, null);
  });

  it("does not keep a job for longer than its time to start, and says why it did not", async () => {
    await using w = await setup();
    const far = provider();
    far.answer = refuse("out_of_credit");
    const node = await w.node({ script: far.script, env: { START_TIMEOUT_MS: "400" } });
    const job = await w.job(node);
    await w.reached(node, job, "timeout");
    const { error } = (await w.actor(job)).snapshot.context as { error: { code: string; message: string } };
    assert.equal(error.code, "start_timeout");
    assert.match(error.message, /out_of_credit/);
    assert.equal(far.at.length, 1);
    const [turns] = await w.sql`select sum(waiting)::int as n from turns`;
    assert.equal(turns?.n, 0);
  });

  it("is not what a refusal of the job itself says", async () => {
    await using w = await setup();
    const far = provider();
    far.answer = refuse("moderated");
    const node = await w.node({ script: far.script });
    await w.reached(node, await w.job(node), "failed");
    assert.equal((await account(w)).paused_reason, null);
  });
});
