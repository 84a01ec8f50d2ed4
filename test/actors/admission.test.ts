import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { v7 } from "uuid";
import { setup, smooth } from "./bundle.ts";

describe("admission", () => {
  it("never lets more jobs to a provider than it has slots, across nodes", async () => {
    await using w = await setup();
    let inside = 0;
    let most = 0;
    let fill = () => {};
    const full = new Promise<void>((resolve) => {
      fill = resolve;
    });
    const script = {
      ...smooth,
      submit: async (call: Parameters<NonNullable<typeof smooth.submit>>[0]) => {
        most = Math.max(most, ++inside);
        // The first ones stay until every slot is taken.
        if (inside === 3) fill();
        await full;
        return (await smooth.submit?.(call)) ?? null;
      },
      // The provider is done before the slot is given back, so that a successor cannot be counted beside it.
      poll: (call: Parameters<NonNullable<typeof smooth.poll>>[0]) => {
        inside--;
        return smooth.poll?.(call) ?? null;
      },
    };
    const nodes = [await w.node({ script, slots: 3, alone: false }), await w.node({ script, slots: 3, alone: false })];
    const made = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const node = nodes[n % 2] as (typeof nodes)[0];
        return w.job(node);
      }),
    );
    for (const node of nodes) await node.engine.start();
    const ended = async () => (await w.sql`select 1 from actors where state = 'succeeded'`).length;
    while ((await ended()) < made.length) await Promise.all(nodes.map((node) => node.engine.settle()));
    assert.equal(most, 3);
    const [account] = await w.sql`select in_use from accounts`;
    assert.equal(account?.in_use, 0);
    const [waiting] = await w.sql`select sum(waiting)::int as n from turns`;
    assert.equal(waiting?.n, 0);
  });

  it("starts a newcomer's first job after at most one more of another's thousand", async () => {
    await using w = await setup();
    const started: string[] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const node = await w.node({
      slots: 1,
      script: {
        ...smooth,
        submit: async (call) => {
          started.push(call.actor.owner);
          if (started.length === 1) await held;
          return (await smooth.submit?.(call)) ?? null;
        },
      },
    });
    const other = v7();
    await w.sql`insert into users (id) values (${other})`;
    const many = await Promise.all(Array.from({ length: 30 }, () => w.job(node)));
    const newcomer = await w.job(node, { user: other });
    release();
    await w.reached(node, newcomer, "succeeded");
    assert.ok(started.indexOf(other) <= 2, `it was the ${started.indexOf(other) + 1}th to start`);
    await Promise.all(many.map((id) => w.reached(node, id, "succeeded")));
  });

  it("gives the slot back however a job ends", async () => {
    await using w = await setup();
    const node = await w.node({
      slots: 2,
      env: { RETRY_LIMIT: "0" },
      script: {
        ...smooth,
        submit: ({ params }) => ({
          type: "rejected",
          attempt: params.attempt,
          code: "no",
          message: "no",
          retryable: false,
          afterMs: 0,
        }),
      },
    });
    const jobs = await Promise.all(Array.from({ length: 10 }, () => w.job(node)));
    await Promise.all(jobs.map((id) => w.reached(node, id, "failed")));
    await node.engine.settle();
    const [account] = await w.sql`select in_use from accounts`;
    assert.equal(account?.in_use, 0);
  });

  it("keeps waiting jobs in the order of their creation for one owner", async () => {
    await using w = await setup();
    const order: string[] = [];
    const node = await w.node({
      slots: 1,
      script: {
        ...smooth,
        submit: (call) => {
          order.push(call.actor.id);
          return smooth.submit?.(call) ?? null;
        },
      },
    });
    const made: string[] = [];
    for (let n = 0; n < 8; n++) made.push(await w.job(node));
    await Promise.all(made.map((id) => w.reached(node, id, "succeeded")));
    assert.deepEqual(order, made);
  });
});
