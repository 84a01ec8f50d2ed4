import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { connect } from "../../src/db/connect.ts";
import { readStored } from "../bus/stored.ts";
import { until } from "../streams/until.ts";
import { optionsOf, press, say, startChat } from "../support/flow.ts";
import { contiguous, follow } from "../support/follower.ts";
import { metricsOf } from "../support/metrics.ts";
import { createGround, type Node } from "../support/ground.ts";

/** `OUTAGE_S=30` makes it long. */
const OUTAGE_MS = Number(process.env.OUTAGE_S ?? 3) * 1000;
const CHATS = 6;
const PRESS_EVERY_MS = 150;
const CATCH_UP_MS = 60_000;

const SETTINGS = {
  PROVIDER_CONCURRENCY: "100",
  RETRY_LIMIT: "0",
  SIMULATED_LATENCY_MS: "500",
  SIMULATED_QUEUE_MS: "0",
  POLL_MIN_MS: "100",
  POLL_MAX_MS: "500",
};

describe("an outage of NATS under load", () => {
  const limits = { timeout: 120_000 + 4 * OUTAGE_MS };

  it("delays what others hear there, loses none of it, and shows in no client's stream", limits, async () => {
    await using ground = await createGround(SETTINGS);
    const nodes: [Node, Node] = [await ground.start(), await ground.start()];
    const { nats } = ground;
    const sql = connect(ground.database.url, { max: 1, role: "admin" });
    const chats = await Promise.all(
      contiguous(CHATS).map(async (n) => {
        const { client } = nodes[n % 2] as Node;
        const { id } = await startChat(client);
        const [option = ""] = optionsOf(await say(client, id, "[fail] a fox"));
        return { id, option };
      }),
    );
    const followers = chats.flatMap(({ id }) =>
      nodes.map(({ client }) => ({ id, events: follow(client, `/sse/${id}`) })),
    );
    let over = false;
    const customers = chats.map(async ({ option }, n) => {
      for (let turn = n; !over; turn++) {
        await press((nodes[turn % 2] as Node).client, option);
        await wait(PRESS_EVERY_MS);
      }
    });
    const committed = async () => Number((await sql`select count(*)::int as n from facts`)[0]?.n);
    const unpublished = async () =>
      Number((await sql`select coalesce(sum(seq - published), 0)::int as n from streams`)[0]?.n);
    const lag = async () => (await metricsOf(nodes[0].client)).value("darkroom_relay_lag_facts");

    /** NATS goes away and comes back. Resolves to what that meant. */
    const outage = async (name: string, meanwhile: () => Promise<void>) => {
      const before = await committed();
      await nats.kill();
      await wait(OUTAGE_MS);
      const during = (await committed()) - before;
      const behind = await unpublished();
      await meanwhile();
      await until(async () => (await lag()) > 0);
      await nats.restart();
      const back = performance.now();
      await until(async () => (await unpublished()) === 0, CATCH_UP_MS);
      const seconds = (performance.now() - back) / 1000;
      console.log(
        `outage: ${name}, ${OUTAGE_MS / 1000} s: ${during} facts committed, ${behind} behind at its end, ` +
          `caught up ${seconds.toFixed(1)} s after the return`,
      );
    };

    try {
      await until(async () => (await committed()) > 100);
      await outage("killed and restarted", async () => {});
      await outage("killed, its storage wiped, and restarted", async () => {
        for (const name of await readdir(nats.store))
          await rm(join(nats.store, name), { recursive: true, force: true });
      });
      over = true;
      await Promise.all(customers);
      const live = async () =>
        (await sql`select 1 from actors where finished_at is null and kind = 'job' limit 1`).length;
      await until(async () => (await live()) === 0, 30_000);
      await until(async () => (await unpublished()) === 0, CATCH_UP_MS);
      await until(async () => (await lag()) === 0);

      const facts = await sql`select stream_id, id, seq from facts order by stream_id, seq`;
      const stored = await readStored(nats.url);
      const seen = new Set<string>();
      const once = stored.filter(({ messageId }) => !seen.has(messageId) && seen.add(messageId));
      const byStream = Map.groupBy(once, ({ fact }) => fact.stream);
      for (const [stream, own] of Map.groupBy(facts, ({ stream_id }) => stream_id))
        assert.deepEqual(
          byStream.get(stream)?.map(({ fact }) => [fact.seq, fact.id]),
          own.map(({ seq, id }) => [Number(seq), id]),
          "the stream that NATS was wiped of holds every fact since the beginning, in order",
        );
      assert.equal(once.length, facts.length);
      for (const { id, events } of followers) {
        const head = facts.filter(({ stream_id }) => stream_id === id).length;
        await events.reached(head, 10_000);
        assert.deepEqual(events.seqs, contiguous(head), "a client sees no gap and no double");
        assert.equal(events.connections(), 1, "and keeps its connection");
      }
      console.log(`outage: ${facts.length} facts in all, ${stored.length - once.length} of them stored twice`);
    } finally {
      over = true;
      await Promise.all(followers.map(({ events }) => events.close()));
      await sql.end({ timeout: 5 });
    }
  });
});
