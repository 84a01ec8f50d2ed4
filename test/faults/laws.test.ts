import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../src/db/connect.ts";
import { startApp } from "../support/app.ts";
import { optionsOf, press, say, startChat } from "../support/flow.ts";
import { until } from "../streams/until.ts";
import { holdLaws } from "./laws.ts";

/** What would be left of units of which a part is missing. */
const HALVES = [
  "delete from facts where type = 'job.created'",
  "delete from facts where type = 'job.failed'",
  "delete from facts where seq = 2",
  "delete from transitions where version = 2",
  "update actors set version = version + 1",
  "delete from actors",
  "delete from messages where author_type = 'assistant'",
  "update chats set message_count = message_count + 1",
  "update messages set render_payload = '[]'",
  "update idempotency set answer = jsonb_build_object('job_id', gen_random_uuid())",
  "update accounts set in_use = in_use + 1",
  "update turns set waiting = waiting + 1",
  "update streams set seq = seq + 1",
  "update users set owner_seq = owner_seq + 1",
  "insert into simulated_submits (attempt, ref, submitted_at) values ('another', 'sim1.x', now())",
  "delete from simulated_submits",
  "insert into inbox (target, source, source_version, n, event) select id, id, version + 1, 0, '{}' from actors",
];

describe("the laws of the tables", () => {
  it("hold after an ordinary day, and are broken by the half of any unit", async () => {
    await using app = await startApp();
    const sql = connect(app.database, { max: 1, role: "admin" });
    const chat = await startChat(app.client);
    const [option = ""] = optionsOf(await say(app.client, chat.id, "[fail] a red fox"));
    const taken = { jobs: [await press(app.client, option)], batches: [], chats: [chat.id] };
    await until(async () => (await sql`select 1 from actors where finished_at is null`).length === 0);
    await app.settle();
    await holdLaws(sql, taken);
    for (const half of HALVES) {
      const broken = sql.begin(async (tx) => {
        await tx.unsafe("set local session_replication_role = replica");
        await tx.unsafe(half);
        await holdLaws(tx, taken);
      });
      await assert.rejects(broken, (error: Error) => /AssertionError|LawBroken/.test(error.name), half);
    }
    await sql.end({ timeout: 1 });
  });
});
