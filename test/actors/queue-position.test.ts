import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { v7 } from "uuid";
import { setup, smooth } from "./bundle.ts";

describe("the position in the queue", () => {
  /** One slot that is held; whoever starts afterwards is written down. */
  const queue = async (w: Awaited<ReturnType<typeof setup>>) => {
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
          started.push(call.actor.id);
          if (started.length === 1) await held;
          return (await smooth.submit?.(call)) ?? null;
        },
      },
    });
    const first = await w.job(node);
    await w.reached(node, first, "active.submitting");
    const positions = async () => {
      const rows = await w.sql<{ id: string; position: number }[]>`
        select id, queue_position(account, owner_id, id) as position from actors where state = 'queued'`;
      return new Map(rows.map(({ id, position }) => [id, position]));
    };
    return { node, started, positions, release };
  };

  it("is the order in which jobs of several owners are started", async () => {
    await using w = await setup();
    const { node, started, positions, release } = await queue(w);
    const others = [v7(), v7()];
    for (const id of others) await w.sql`insert into users (id) values (${id})`;
    const [second, third] = others;
    const jobs: string[] = [];
    for (const user of [undefined, undefined, undefined, second, second, undefined, third, second])
      jobs.push(await w.job(node, { user }));
    const told = await positions();
    assert.deepEqual([...told.values()].sort(), [0, 1, 2, 3, 4, 5, 6, 7]);
    release();
    await Promise.all(jobs.map((id) => w.reached(node, id, "succeeded")));
    assert.deepEqual(
      jobs.toSorted((a, b) => (told.get(a) ?? 0) - (told.get(b) ?? 0)),
      started.slice(1),
    );
  });

  it("gets smaller when one before it is canceled", async () => {
    await using w = await setup();
    const { node, positions, release } = await queue(w);
    const before = await w.job(node);
    const waiting = await w.job(node);
    assert.equal((await positions()).get(waiting), 1);
    await node.engine.dispatch.send(before, { type: "cancel" });
    assert.equal((await positions()).get(waiting), 0);
    release();
    await w.reached(node, waiting, "succeeded");
  });

  it("is counted to about a thousand", async () => {
    await using w = await setup();
    const { node, release } = await queue(w);
    await w.sql`insert into actors (id, kind, machine_version, state, snapshot, version, owner_id, stream_id, account, created_at)
      select gen_random_uuid(), 'job', 1, 'queued', '{}', 1, ${w.owner}, gen_random_uuid(), 'simulated', now()
      from generate_series(1, 1500)`;
    const [last] = await w.sql`select queue_position(account, owner_id, id) as position from actors
      where state = 'queued' order by id desc limit 1`;
    assert.equal(last?.position, 1000);
    await w.sql`delete from actors where snapshot = '{}'`;
    release();
    await node.engine.settle();
  });
});
