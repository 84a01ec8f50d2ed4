import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { connect } from "../../src/db/connect.ts";
import type { JobDetail } from "../../src/jobs/words.ts";
import { startApp } from "../support/app.ts";
import { getJob, jobWhen, optionsOf, say, startChat } from "../support/flow.ts";
import { scripted } from "./scripted.ts";

/** Two providers: Higgsfield's nano_banana comes first, and Replicate's seedream can make the same. */
const setup = async (settings: Record<string, string> = {}) => {
  const [first, second] = [scripted("higgsfield"), scripted("replicate")];
  const app = await startApp({ RETRY_LIMIT: "0", ...settings }, { providers: [first.provider, second.provider] });
  const sql = connect(app.database, { max: 1, role: "admin" });
  const press = async (body: Record<string, unknown>): Promise<string> => {
    const chat = await startChat(app.client);
    const [option] = optionsOf(await say(app.client, chat.id, "A red fox, nano banana"));
    const answer = await app.client.post<{ job_id: string }>(`/options/${option}/generate`, body, {
      "idempotency-key": randomUUID(),
    });
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    return answer.body.job_id;
  };
  return {
    app,
    sql,
    first,
    second,
    press,
    running: (job: string) => jobWhen(app.client, job, ({ state }) => state.startsWith("running")),
    ended: (job: string) => jobWhen(app.client, job),
    timeline: async (job: string) => {
      const { body } = await app.client.get<{
        items: { event: string; from: string | null; to: string; reason: string | null }[];
      }>(`/jobs/${job}/timeline`);
      return body.items;
    },
    /** No account has a slot in use or a turn counted that nobody waits for. */
    isSquare: async (inUse: Record<string, number>) => {
      await app.settle();
      const rows = await sql<{ id: string; in_use: number; waiting: number }[]>`
        select a.id, a.in_use, coalesce((select sum(waiting) from turns t where t.account = a.id), 0)::int as waiting
        from accounts a`;
      for (const { id, in_use, waiting } of rows) assert.deepEqual([id, in_use, waiting], [id, inUse[id] ?? 0, 0]);
    },
    [Symbol.asyncDispose]: async () => {
      await sql.end({ timeout: 1 });
      await app[Symbol.asyncDispose]();
    },
  };
};

const OUT_OF_CREDIT = { kind: "rejected", retryable: false, code: "out_of_credit", message: "Pay" } as const;

describe("a job that may be made by another provider", () => {
  it("is, when its own is out of credit; its GET, facts and timeline say so, and the accounts are square", async () => {
    await using w = await setup();
    w.first.submit = () => OUT_OF_CREDIT;
    const job = await w.press({ failover: true });
    const shown = await w.running(job);
    assert.deepEqual([shown.provider, shown.model_key], ["replicate", "seedream"]);
    assert.equal(shown.params.size, "2K", "with the parameters of the model that it has now");
    assert.deepEqual([w.first.submits, w.second.submits], [["nano-banana"], ["bytedance/seedream-4"]]);
    const [fact] = await w.sql<{ data: JobDetail }[]>`select data from facts where type = 'job.moved'`;
    assert.deepEqual(
      [fact?.data.provider, fact?.data.model_key, fact?.data.error?.code],
      ["replicate", "seedream", "out_of_credit"],
    );
    const moved = (await w.timeline(job)).find(({ to }) => to === "moving");
    assert.deepEqual([moved?.event, moved?.reason], ["rejected", "out_of_credit"]);
    await w.isSquare({ replicate: 1 });
    const [actor] = await w.sql`select account from actors where id = ${job}`;
    assert.equal(actor?.account, "replicate");
  });

  it("is, after a confirmed failure whose tries are used up", async () => {
    await using w = await setup({ POLL_MIN_MS: "5" });
    w.first.check = () => ({ kind: "failed", code: "gpu_lost", message: "x", retryable: true });
    const job = await w.press({ failover: true });
    const shown = await jobWhen(
      w.app.client,
      job,
      ({ provider, state }) => provider === "replicate" && state.startsWith("running"),
    );
    assert.equal(shown.attempt, 2);
    assert.deepEqual([w.first.submits.length, w.second.submits.length], [1, 1]);
    await w.isSquare({ replicate: 1 });
  });

  it("is, when it waits in the queue of an account that has been paused for long, without having been sent", async () => {
    await using w = await setup({ FAILOVER_AFTER_MS: "200" });
    await w.sql`update accounts set paused_reason = 'breaker_open', paused_at = clock_timestamp(),
      paused_until = clock_timestamp() + interval '1 hour' where id = 'higgsfield'`;
    const shown = await w.running(await w.press({ failover: true }));
    assert.equal(shown.provider, "replicate");
    assert.equal(w.first.submits.length, 0);
    await w.isSquare({ replicate: 1 });
  });
});

describe("a job that was never sent", () => {
  it("moves as soon as its account's pause is known to be long", async () => {
    await using w = await setup({ PROVIDER_CONCURRENCY: "1" });
    await w.sql`update accounts set paused_reason = 'out_of_credit', paused_at = clock_timestamp(),
      paused_until = clock_timestamp() + interval '31 seconds' where id = 'higgsfield'`;
    assert.equal((await w.running(await w.press({ failover: true }))).provider, "replicate");
    assert.equal(w.first.submits.length, 0);
  });
});

describe("a job stays with its provider", () => {
  it("when nobody said that it may go", async () => {
    await using w = await setup({ FAILOVER_AFTER_MS: "0" });
    w.first.submit = () => OUT_OF_CREDIT;
    const job = await w.press({});
    const shown = await jobWhen(w.app.client, job, ({ waiting_for }) => waiting_for !== null);
    assert.deepEqual([shown.provider, shown.model_key, shown.status], ["higgsfield", "nano_banana", "QUEUED"]);
    assert.equal(w.second.submits.length, 0);
  });

  it("when it was moderated", async () => {
    await using w = await setup();
    w.first.check = () => ({ kind: "moderated" });
    const shown = await w.ended(await w.press({ failover: true }));
    assert.deepEqual([shown.status, shown.error?.code, shown.provider], ["FAILED", "moderated", "higgsfield"]);
    assert.equal(w.second.submits.length, 0);
  });

  it("when it is not known whether that one took it", async () => {
    await using w = await setup({ JOB_TIMEOUT_MS: "300", FAILOVER_AFTER_MS: "0" });
    w.first.submit = () => ({ kind: "ambiguous", reason: "reset" });
    const shown = await w.ended(await w.press({ failover: true }));
    assert.deepEqual([shown.status, shown.error?.code, shown.provider], ["FAILED", "submit_unknown", "higgsfield"]);
    assert.deepEqual([w.first.submits.length, w.second.submits.length], [1, 0]);
  });
});

describe("a batch that may be made by another provider", () => {
  it("is, image by image", async () => {
    await using w = await setup();
    w.first.submit = () => OUT_OF_CREDIT;
    const user = await w.app.as(randomUUID());
    const { status, body } = await user.post<{ job_id: string }>("/api/generate", {
      prompt: "A fox",
      num_images: 3,
      model_key: "nano_banana",
      failover: true,
    });
    assert.equal(status, 202, JSON.stringify(body));
    const jobs = await w.sql<{ id: string }[]>`select id from jobs where batch_id = ${body.job_id}`;
    for (const { id } of jobs) await jobWhen(user, id, ({ state }) => state.startsWith("running"));
    for (const { id } of jobs) assert.equal((await getJob(user, id)).provider, "replicate");
    await w.isSquare({ replicate: 3 });
  });
});
