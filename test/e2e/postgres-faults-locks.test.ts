import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { FAULT_MS, underLoad, type World } from "../faults/world.ts";

/** Longer than anyone is kept waiting for a lock. */
const HOLD_MS = Math.max(FAULT_MS, 6_000);

/** Takes locks in a session of its own, and does nothing until the answer is called. */
const freeze = async ({ sql }: World, statements: string[]) => {
  const frozen = await sql.reserve();
  await frozen.unsafe("begin");
  for (const statement of statements) await frozen.unsafe(statement);
  return async () => {
    await frozen.unsafe("rollback");
    frozen.release();
  };
};

describe("a frozen client that holds locks", () => {
  it("holds up those who need its rows, for as long as there is patience, and nobody else", () =>
    underLoad("rows locked", async (world) => {
      const { all } = world.customers;
      const [owner, stream, actors, ...others] = all;
      const letGo = await freeze(world, [
        "select 1 from accounts for update",
        `select 1 from users where id = '${owner?.id}' for update`,
        `select 1 from streams where id = '${stream?.chats[0]}' for update`,
        `select 1 from actors where owner_id = '${actors?.id}' for update`,
      ]);
      const before = others.map(({ answers }) => answers.figures.succeeded);
      await wait(HOLD_MS);
      assert.deepEqual(
        others.map(({ answers }) => answers.figures.unavailable),
        others.map(() => 0),
        "who needs nothing of it is served",
      );
      others.forEach(({ answers }, n) => {
        assert.ok(answers.figures.succeeded > (before[n] ?? 0) + 3, "and goes on");
      });
      assert.ok((owner?.answers.figures.unavailable ?? 0) > 0, "who needs its rows is told so");
      await letGo();
    }));

  it("costs 503s at most when it has a whole table", () =>
    underLoad("table locked", async (world) => {
      const letGo = await freeze(world, ["lock table facts in share mode"]);
      await wait(HOLD_MS);
      await letGo();
    }));
});
