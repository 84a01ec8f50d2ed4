import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { underLoad, type World } from "../faults/world.ts";

const HOLD_MS = 6_000;

/** Takes locks in a session of its own, and does nothing for a while. */
const freeze = async ({ sql }: World, ...statements: string[]) => {
  const frozen = await sql.reserve();
  await frozen.unsafe("begin");
  for (const statement of statements) await frozen.unsafe(statement);
  await wait(HOLD_MS);
  await frozen.unsafe("rollback");
  frozen.release();
};

const CASES: Record<string, (world: World) => string> = {
  account: () => "select 1 from accounts for update",
  owner: ({ customers }) => `select 1 from users where id = '${customers.all[0]?.id}' for update`,
  stream: ({ customers }) => `select 1 from streams where id = '${customers.all[0]?.chats[0]}' for update`,
  actor: ({ customers }) =>
    `select 1 from actors where finished_at is null and owner_id = '${customers.all[0]?.id}' for update`,
  table: () => "lock table facts in share mode",
};

describe("a frozen client that holds locks", () => {
  for (const [what, statement] of Object.entries(CASES)) {
    it(`on ${what}`, () => underLoad(`locked ${what}`, (world) => freeze(world, statement(world))));
  }
});
