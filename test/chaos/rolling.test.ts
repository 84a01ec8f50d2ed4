import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import process from "node:process";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { connect } from "../../src/db/connect.ts";
import { until } from "../streams/until.ts";
import { type Client, createClient } from "../support/client.ts";
import { optionsOf, type Said } from "../support/flow.ts";
import { contiguous, type Follower, follow } from "../support/follower.ts";
import { createGround, type Node } from "../support/ground.ts";
import { freePort } from "../support/port.ts";
import { openWay } from "./proxy.ts";

/** `ROLLING_ROUNDS=10` makes it long. */
const ROUNDS = Number(process.env.ROLLING_ROUNDS ?? 1);
const NODES = 3;
const CUSTOMERS = 6;
const WATCHERS = 4;

const SETTINGS = {
  DRAIN_DELAY_MS: "500",
  PROVIDER_CONCURRENCY: "50",
  RETRY_LIMIT: "0",
  SIMULATED_LATENCY_MS: "600",
  SIMULATED_QUEUE_MS: "100",
  POLL_MIN_MS: "100",
  POLL_MAX_MS: "500",
};

type Tally = { answered: number; reset: number; refused: string[] };

/** Sends requests until `over` says so; those whose connection was reset are sent again, and counted. */
const createCustomer = (client: Client, tally: Tally) => {
  const send = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const headers = { "idempotency-key": randomUUID() };
    for (;;) {
      const answer = await client.send<T>(method, path, { body, headers }).catch(() => null);
      if (answer === null) {
        tally.reset++;
        continue;
      }
      tally.answered++;
      if (answer.status < 300) return answer.body;
      tally.refused.push(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      await wait(50);
    }
  };
  return async (chat: string, over: () => boolean): Promise<string[]> => {
    const jobs: string[] = [];
    while (!over()) {
      const said = await send<Said>("POST", `/chats/${chat}/messages`, { text: "[fail] a fox" });
      const [option] = optionsOf(said);
      const { job_id } = await send<{ job_id: string }>("POST", `/options/${option}/generate`);
      jobs.push(job_id);
      await send("GET", `/options/jobs/${job_id}`);
      await send("GET", `/chats/${chat}`);
    }
    return jobs;
  };
};

describe("a rolling restart under load", () => {
  const limits = { timeout: 120_000 + ROUNDS * 60_000 };

  it("loses no request other than by connection reset, and no event", limits, async () => {
    const ports = await Promise.all(Array.from({ length: NODES }, freePort));
    const balancer = await openWay(...ports.map((port) => ({ port })));
    const url = `http://127.0.0.1:${balancer.port}`;
    await using ground = await createGround({ ...SETTINGS, PUBLIC_URL: url, JWT_SECRET: randomUUID() });
    const nodes: Node[] = [];
    for (const PORT of ports) nodes.push(await ground.start({ PORT: String(PORT) }));
    const client = createClient(() => url);

    const tally: Tally = { answered: 0, reset: 0, refused: [] };
    const customer = createCustomer(client, tally);
    const chats = await Promise.all(
      Array.from({ length: CUSTOMERS }, async (_, n) => {
        const { status, body } = await client.post<{ id: string }>("/chats", { title: `Chat ${n}` });
        assert.equal(status, 201, JSON.stringify(body));
        return body.id;
      }),
    );
    const followers: [string, Follower][] = chats
      .flatMap((chat) => Array(WATCHERS).fill(chat) as string[])
      .map((chat) => [chat, follow(client, `/sse/${chat}`)]);
    let over = false;
    const sql = connect(ground.database.url, { max: 1, role: "admin" });
    try {
      const customers = chats.map((chat) => customer(chat, () => over));
      const stops: number[] = [];
      for (let round = 0; round < ROUNDS; round++)
        for (const [n, PORT] of ports.entries()) {
          const before = performance.now();
          assert.equal(await nodes[n]?.server.stop(), 0, "a node that is asked to stop ends with 0");
          stops.push(performance.now() - before);
          nodes[n] = await ground.start({ PORT: String(PORT) });
          const answered = tally.answered;
          await until(() => tally.answered > answered + 20);
        }
      over = true;
      const jobs = (await Promise.all(customers)).flat();

      const unfinished = async () => {
        const [row] = await sql`select count(*)::int as n from actors where finished_at is null and kind = 'job'`;
        return row?.n;
      };
      await until(async () => (await unfinished()) === 0, 30_000);
      const [found] = await sql`select count(*)::int as jobs, count(distinct s.attempt)::int as billed
        from jobs left join simulated_submits s on s.attempt::text = (
          select snapshot->'context'->>'attempt' from actors where actors.id = jobs.id)`;
      const heads = await sql`select id, seq from streams where id = any(${chats})`;
      for (const [chat, follower] of followers) {
        const head = Number(heads.find(({ id }) => id === chat)?.seq);
        await follower.reached(head, 15_000);
        assert.deepEqual(follower.seqs, contiguous(head), "every watcher saw every event once, in order");
      }
      const connections = followers.reduce((sum, [, follower]) => sum + follower.connections(), 0);
      const slowest = Math.max(...stops) / 1000;
      console.log(
        `rolling: restarts ${stops.length}, requests ${tally.answered}, resets ${tally.reset}, refused ` +
          `${tally.refused.length}, jobs ${jobs.length}, streams ${followers.length} over ${connections} connections, ` +
          `slowest stop ${slowest.toFixed(1)} s`,
      );
      assert.deepEqual(tally.refused.slice(0, 5), []);
      assert.deepEqual({ ...found }, { jobs: jobs.length, billed: jobs.length }, "one billed submit per job");
    } finally {
      over = true;
      await Promise.all(followers.map(([, follower]) => follower.close()));
      await balancer.close();
      await sql.end({ timeout: 5 });
    }
  });
});
