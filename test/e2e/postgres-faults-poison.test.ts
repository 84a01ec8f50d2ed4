import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import type { BatchDetail } from "../../src/batches/words.ts";
import type { JobDetail } from "../../src/jobs/words.ts";
import type { ProblemBody } from "../support/client.ts";
import { optionsOf, press, say, startChat } from "../support/flow.ts";
import { contiguous, follow } from "../support/follower.ts";
import { metricsOf } from "../support/metrics.ts";
import { until } from "../streams/until.ts";
import { underLoad, type World } from "../faults/world.ts";

const REFUSED = "the row of this job takes no such change";

/** Orders by a user of their own: while they wait for a slot, they are nowhere but in the table. */
const order = async ({ app, customers }: World) => {
  const client = await app.as(randomUUID());
  const chat = await startChat(client);
  const [option = ""] = optionsOf(await say(client, chat.id, "[fail] a red fox"));
  const [snapshot, letter, refused, good] = await Promise.all(Array.from({ length: 4 }, () => press(client, option)));
  const body = { prompt: "[fail] a red fox", num_images: 2 };
  const { job_id: batch } = (await client.post<{ job_id: string }>("/api/generate", body)).body;
  const { results } = (await client.get<BatchDetail>(`/api/generate/${batch}`)).body;
  customers.taken.chats.push(chat.id);
  customers.taken.jobs.push(good ?? "", ...results.map(({ job_id }) => job_id));
  return { client, chat: chat.id, jobs: [snapshot ?? "", letter ?? "", refused ?? ""] as const, batch };
};

describe("rows that were damaged", () => {
  const aside: string[] = [];

  it("are set aside and can be looked at, and everything else goes on", () =>
    underLoad(
      "rows damaged",
      async (world) => {
        const { app, customers, sql } = world;
        await sql`update accounts set slots = 0`;
        const { client, chat, jobs, batch } = await order(world);
        const [snapshot, letter, refused] = jobs;
        aside.push(...jobs, batch);
        await sql`update actors set snapshot = '"garbage"' where id in (${snapshot}, ${batch})`;
        await sql`insert into inbox (target, source, source_version, n, event, created_at)
          values (${letter}, ${randomUUID()}, 1, 0, 'null', now() - interval '1 minute')`;
        await sql.unsafe(`
          create function refuse() returns trigger language plpgsql as $$
          begin raise exception '${REFUSED}' using errcode = '23514'; end $$;
          create trigger refuse before update on actors for each row
            when (new.id = '${refused}' and new.parked_reason is null) execute function refuse()`);
        await sql`update facts set data = case when seq % 2 = 0 then 'null'::jsonb else '"garbage"' end
          where stream_id = ${chat}`;
        const parked = () => sql<{ id: string }[]>`select id from actors where parked_at is not null`;
        await until(async () => (await parked()).some(({ id }) => id === letter));
        await sql`update accounts set slots = 20`;
        await until(async () => (await parked()).length === aside.length);
        assert.deepEqual(new Set((await parked()).map(({ id }) => id)), new Set(aside));
        await until(async () => (await metricsOf(client)).value("darkroom_parked_actors") === aside.length);

        for (const job of jobs) {
          const { status, body } = await client.get<JobDetail>(`/jobs/${job}`);
          assert.deepEqual([status, body.status], [200, "QUEUED"]);
          assert.equal(body.error?.code, job === snapshot ? "unreadable" : undefined);
          const cancel = await client.post<ProblemBody>(`/jobs/${job}/cancel`);
          assert.deepEqual([cancel.status, cancel.body.code, cancel.body.retryable], [409, "conflict", false]);
          assert.equal((await client.look(`/jobs/${job}/stream`)).status, 200);
        }
        const paths = ["/jobs", `/api/generate/${batch}`, "/api/generate", `/api/generate/${batch}/metrics`];
        for (const path of paths) assert.equal((await client.get(path)).status, 200, path);
        assert.equal((await client.post(`/api/generate/${batch}/cancel`)).status, 409);

        // Facts without sense are passed by.
        const follower = follow(client, `/sse/${chat}`);
        const [head] = await sql<{ seq: number }[]>`select seq from streams where id = ${chat}`;
        await follower.reached(head?.seq ?? 0, 10_000);
        assert.deepEqual(follower.seqs.slice(0, head?.seq), contiguous(head?.seq ?? 0));
        await follower.close();
        assert.equal(follower.connections(), 1);

        assert.equal((await app.client.get("/healthz")).status, 200);
        assert.equal(
          customers.all.reduce((sum, { answers }) => sum + answers.figures.unavailable, 0),
          0,
          "nobody else notices",
        );
      },
      { aside: () => aside },
    ));
});
