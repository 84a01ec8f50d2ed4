import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, type Sql } from "../../src/db/connect.ts";
import type { JobDetail } from "../../src/jobs/words.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { generate, getJob, jobWhen, optionsOf, press, say, startChat } from "../support/flow.ts";

/**
 * Every fault of the simulated provider, asked for by words in the prompt. All jobs run side by side from
 * the beginning: back-offs between attempts take seconds.
 */
const PROMPTS = {
  fail: "[fail] a fox",
  twice: "[fail-twice] a fox",
  moderated: "[moderate] a fox",
  plain: "a naked fox, without brackets",
  rejected: "[reject] a fox",
  busy: "[busy] a fox",
  lost: "[lost] a fox",
  gone: "[gone] a fox",
  empty: "[empty] a fox",
  expired: "[expired] a fox",
  flaky: "[flaky] a fox",
};

describe("a fault of the provider", () => {
  let app: TestApp;
  let sql: Sql;
  const ids = new Map<string, string>();
  const ended = new Map<string, Promise<JobDetail>>();
  before(async () => {
    app = await startApp({ SIMULATED_LATENCY_MS: "50" });
    sql = connect(app.database, { max: 2, role: "admin" });
    for (const [name, prompt] of Object.entries(PROMPTS)) {
      const { job } = await generate(app.client, prompt);
      ids.set(name, job);
      ended.set(name, jobWhen(app.client, job, undefined, 40_000));
    }
  });
  after(async () => {
    await sql.end();
    await app[Symbol.asyncDispose]();
  });

  const end = async (name: keyof typeof PROMPTS): Promise<JobDetail> => {
    const job = await ended.get(name);
    assert.ok(job);
    return job;
  };
  /** Submits that were billed for a job's latest attempt. */
  const billed = async (name: keyof typeof PROMPTS): Promise<number> => {
    const rows = await sql`select s.attempt from simulated_submits s
      join actors a on a.snapshot->'context'->>'attempt' = s.attempt where a.id = ${ids.get(name) ?? ""}`;
    return rows.length;
  };
  const steps = async (name: keyof typeof PROMPTS) => {
    const { body } = await app.client.get<{ items: { event: string; from: string | null; to: string }[] }>(
      `/jobs/${ids.get(name)}/timeline`,
    );
    return body.items;
  };

  it("[fail] ends the job with a code, after one attempt", async () => {
    const job = await end("fail");
    assert.equal(job.status, "FAILED");
    assert.deepEqual(job.error, {
      code: "generation_failed",
      message: "The simulated generation failed",
      retryable: false,
    });
    assert.equal(job.attempt, 1);
    assert.deepEqual([job.result, job.outputs], [null, []]);
    assert.ok(job.finished_at);
  });

  it("[moderate], and words that say it without brackets, end it as moderated", async () => {
    for (const name of ["moderated", "plain"] as const) {
      const job = await end(name);
      assert.deepEqual([job.status, job.error?.code, job.error?.retryable], ["FAILED", "moderated", false], name);
    }
  });

  it("[reject] ends it at the submit, and nothing is billed", async () => {
    const job = await end("rejected");
    assert.deepEqual([job.status, job.error?.code, job.attempt], ["FAILED", "invalid_request", 1]);
    assert.equal(await billed("rejected"), 0);
  });

  it("[lost] is found out without a second submit: the job adopts what was billed", async () => {
    const job = await end("lost");
    assert.deepEqual([job.status, job.attempt], ["SUCCEEDED", 1]);
    assert.equal(await billed("lost"), 1);
    const states = (await steps("lost")).map(({ to }) => to);
    assert.ok(states.includes("active.reconciling.settling"), states.join(" "));
  });

  it("[gone] ends it as gone", async () => {
    const job = await end("gone");
    assert.deepEqual([job.status, job.error?.code, job.attempt], ["FAILED", "gone", 1]);
  });

  it("[flaky] polls are no reason to give up", async () => {
    assert.equal((await end("flaky")).status, "SUCCEEDED");
  });

  it("[fail-twice] is tried again, visibly, and succeeds", async () => {
    const job = await end("twice");
    assert.deepEqual([job.status, job.attempt, job.error], ["SUCCEEDED", 3, null]);
    const { body: chat } = await app.client.get<JobDetail>(`/jobs/${ids.get("twice")}`);
    const events = await app.client.events(`/sse/${chat.chat_id}?after=0`);
    await events.until(({ data }) => (data as { type: string }).type === "darkroom.job.succeeded");
    events.close();
    const jobs = events.seen.map(({ data }) => data as { type: string; data: JobDetail });
    const retried = jobs.filter(({ type }) => type === "darkroom.job.retried");
    assert.deepEqual(
      retried.map(({ data }) => [data.status, data.attempt, data.error?.code]),
      [
        ["QUEUED", 1, "generation_failed"],
        ["QUEUED", 2, "generation_failed"],
      ],
    );
    const started = jobs.filter(({ type }) => type === "darkroom.job.started");
    assert.deepEqual(
      started.map(({ data }) => data.attempt),
      [1, 2, 3],
    );
  });

  it("[busy] is tried again as often as the settings say, then fails; nothing is billed", async () => {
    const job = await end("busy");
    assert.deepEqual([job.status, job.error?.code, job.attempt], ["FAILED", "provider_busy", 3]);
    assert.equal(job.error?.retryable, true);
    assert.equal(await billed("busy"), 0);
  });

  it("[empty] is no success", async () => {
    const job = await end("empty");
    assert.deepEqual([job.status, job.error?.code, job.attempt], ["FAILED", "no_output", 1]);
  });

  it("[expired] is an error of its own, and nothing is made again for it", async () => {
    const job = await end("expired");
    assert.deepEqual([job.status, job.error?.code, job.attempt], ["FAILED", "output_expired", 1]);
  });

  it("is billed once per attempt that reached the provider, and never again", async () => {
    await Promise.all(ended.values());
    const [row] = await sql`select count(*)::int as submits, count(distinct attempt)::int as attempts
      from simulated_submits`;
    // Three attempts of [fail-twice]; none of [reject] and [busy]; one of each other.
    assert.deepEqual({ ...row }, { submits: 11, attempts: 11 });
  });

  it("leaves no slot taken and no job waiting", async () => {
    await Promise.all(ended.values());
    await app.settle();
    const accounts = await sql`select in_use from accounts`;
    assert.deepEqual(
      accounts.map(({ in_use }) => in_use),
      [0],
    );
    const turns = await sql`select waiting from turns where waiting > 0`;
    assert.equal(turns.length, 0);
    const timers = await sql`select id, state from actors where wake_at is not null`;
    assert.deepEqual([...timers], []);
  });
});

describe("a job that never ends", () => {
  let app: TestApp;
  before(async () => {
    app = await startApp({ JOB_TIMEOUT_MS: "700" });
  });
  after(() => app[Symbol.asyncDispose]());

  /** A model of its own limit would not heed JOB_TIMEOUT_MS; the first image model has none. */
  const stuck = async (words: string) => {
    const chat = await startChat(app.client);
    const [option = ""] = optionsOf(await say(app.client, chat.id, `${words} a fox`));
    return press(app.client, option);
  };

  it("[stuck] is canceled upstream at its deadline, and is TIMEOUT", async () => {
    const id = await stuck("[stuck]");
    const job = await jobWhen(app.client, id);
    assert.deepEqual([job.status, job.error?.code, job.error?.retryable], ["TIMEOUT", "timeout", true]);
    const took = Date.parse(String(job.finished_at)) - Date.parse(String(job.started_at));
    assert.ok(took >= 700 && took < 5000, `${took} ms`);
    const sql = connect(app.database, { max: 1, role: "admin" });
    const [row] = await sql`select s.canceled_at from simulated_submits s
      join actors a on a.snapshot->'context'->>'attempt' = s.attempt where a.id = ${id}`.finally(() => sql.end());
    assert.ok(row?.canceled_at, "the provider was told to stop");
    assert.equal((await getJob(app.client, id)).cancel, null, "nobody asked for a cancel");
  });

  it("[stuck] and [uncancelable] is TIMEOUT all the same", async () => {
    const job = await jobWhen(app.client, await stuck("[stuck] [uncancelable]"));
    assert.deepEqual([job.status, job.error?.code], ["TIMEOUT", "timeout"]);
  });

  it("[vanish] ends as unknown at its deadline, and is never submitted again", async () => {
    const id = await stuck("[vanish]");
    const job = await jobWhen(app.client, id, undefined, 30_000);
    assert.deepEqual([job.status, job.error?.code, job.attempt], ["FAILED", "submit_unknown", 1]);
    assert.equal(job.error?.retryable, false);
  });
});
