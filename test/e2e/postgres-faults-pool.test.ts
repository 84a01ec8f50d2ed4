import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { connect, type Sql } from "../../src/db/connect.ts";
import { startOwnServer } from "../faults/server.ts";
import { FAULT_MS, underLoad } from "../faults/world.ts";

/** Longer than a statement may take. */
const LOCKED_MS = Math.max(FAULT_MS, 6_000);

describe("connections that are not to be had", () => {
  it("cost 503s at most when others have taken all that the server gives", async () => {
    await using server = await startOwnServer({ max_connections: "25" });
    await underLoad(
      "no connection left",
      async ({ sql }) => {
        const thieves: Sql[] = [];
        const until = performance.now() + FAULT_MS;
        for (let full = false; performance.now() < until; ) {
          if (full) {
            await sql`select pg_terminate_backend(pid) from pg_stat_activity
              where application_name in ('darkroom-read', 'darkroom-write')`;
          }
          const thief = connect(server.database, { max: 1, role: "admin" });
          thieves.push(thief);
          full = await thief`select 1`.then(
            () => false,
            () => true,
          );
          if (full) await wait(50);
        }
        await Promise.all(thieves.map((thief) => thief.end({ timeout: 1 })));
      },
      { database: server.database },
    );
  });

  it("cost 503s at most when all of our own are stuck in reads", () =>
    underLoad(
      "reads stuck",
      async ({ sql }) => {
        const frozen = await sql.reserve();
        await frozen.unsafe("begin");
        await frozen.unsafe("lock table messages, options in access exclusive mode");
        await wait(LOCKED_MS);
        await frozen.unsafe("rollback");
        frozen.release();
      },
      { settings: { DATABASE_POOL: "3" } },
    ));
});
