import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { BatchDetail } from "../../src/batches/words.ts";
import type { Bracket } from "../../machines/distribution.ts";
import { connect } from "../../src/db/connect.ts";
import { createQueries, loadQueries } from "../../src/db/queries.ts";
import type { JobDetail, JobProgress } from "../../src/jobs/words.ts";
import type { Aside } from "../../src/streams/envelope.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { generate, getJob, jobWhen, optionsOf, press, say, startChat } from "../support/flow.ts";
import { haveMade } from "../support/history.ts";
import { openSocket } from "../support/socket.ts";

const ADA = "01900000-0000-7000-8000-0000000001f1";
const MADE = { model: "nano_banana", tool: "text_to_image", count: 100, seconds: [20, 40] as [number, number] };
const running = ({ state }: JobDetail) => state === "running.waiting";

describe("the outlook of a job", () => {
  let app: TestApp;
  before(async () => {
    app = await startApp({ PROVIDER_CONCURRENCY: "1" });
    await haveMade(app, MADE);
  });
  after(() => app[Symbol.asyncDispose]());

  /** One job that runs for ever, and two that wait for it. */
  const line = async () => {
    const chat = await startChat(app.client);
    const [option = ""] = optionsOf(await say(app.client, chat.id, "[stuck] a fox"));
    const jobs: string[] = [];
    for (let n = 0; n < 3; n++) {
      jobs.push(await press(app.client, option));
      if (n === 0) await jobWhen(app.client, jobs[0] ?? "", running);
    }
    return { chat: chat.id, jobs: jobs as [string, string, string] };
  };
  const cancel = (id: string) => app.client.post(`/jobs/${id}/cancel`);

  it("tells how many will be started before it, and when it may be done", async () => {
    const { jobs } = await line();
    const [first, second, third] = await Promise.all(jobs.map((id) => getJob(app.client, id)));
    assert.deepEqual([first?.queue_position, second?.queue_position, third?.queue_position], [null, 0, 1]);

    const { p50 = 0, p95 = 0 } = first?.eta_seconds ?? {};
    assert.ok(p50 > 20 && p50 < 35, `${p50}`);
    assert.ok(p95 > p50 && p95 < 45, `${p95}`);
    // Each before it takes half a minute on the only slot.
    const waits = [second, third].map((job) => (job?.eta_seconds?.p50 ?? 0) - p50);
    assert.ok((waits[0] ?? 0) > 20 && (waits[0] ?? 0) < 40, `${waits}`);
    assert.ok((waits[1] ?? 0) > 50 && (waits[1] ?? 0) < 70, `${waits}`);

    for (const job of jobs.reverse()) await cancel(job);
    const ended = await jobWhen(app.client, jobs[2]);
    assert.deepEqual([ended.queue_position, ended.eta_seconds], [null, null]);
  });

  it("has its place in the queue in the ETag: a 304 never keeps an old one", async () => {
    const { jobs } = await line();
    const [first, second, third] = jobs;
    const path = `/options/jobs/${third}`;
    const etag = (await app.client.get(path)).headers.get("etag") ?? "";
    assert.equal((await app.client.get(path, { "if-none-match": etag })).status, 304);
    await cancel(second);
    const moved = await app.client.get<JobDetail>(path, { "if-none-match": etag });
    assert.deepEqual([moved.status, moved.body.queue_position], [200, 0]);
    await cancel(third);
    await cancel(first);
    await jobWhen(app.client, first);
  });

  it("comes to who watches a chat, without an id, and is not in the log", async () => {
    const { chat, jobs } = await line();
    const events = await app.client.events(`/sse/${chat}`);
    const told = new Map<string, { data: JobProgress; envelope: Aside }>();
    while (told.size < 3) {
      const event = await events.until(({ event }) => event === "job.progress");
      assert.equal(event.id, undefined);
      const envelope = event.data as Aside;
      told.set(envelope.subject, { data: envelope.data as JobProgress, envelope });
    }
    events.close();
    const [running, next] = jobs.map((id) => told.get(id));
    assert.deepEqual([running?.data.status, running?.data.queue_position], ["RUNNING", null]);
    assert.deepEqual([next?.data.status, next?.data.queue_position], ["QUEUED", 0]);
    assert.ok((next?.data.eta_seconds?.p50 ?? 0) > (running?.data.eta_seconds?.p50 ?? 0));
    assert.deepEqual([next?.envelope.type, next?.envelope.stream], ["darkroom.job.progress", chat]);
    assert.ok(!("sequence" in (next?.envelope ?? {})), "nobody resumes from it");

    const sql = connect(app.database, { max: 1, role: "admin" });
    const [{ kept } = { kept: -1 }] = await sql`select count(*)::int as kept from facts where type = 'job.progress'`;
    await sql.end();
    assert.equal(kept, 0);
    for (const job of jobs.reverse()) await cancel(job);
    await jobWhen(app.client, jobs[2]);
  });

  it("comes to who watches one job, of that job alone", async () => {
    const { jobs } = await line();
    const events = await app.client.events(`/jobs/${jobs[2]}/stream`);
    await events.until(({ event }) => event === "job.progress");
    await cancel(jobs[1]);
    const moved = await events.until(
      ({ event, data }) => event === "job.progress" && ((data as Aside).data as JobProgress).queue_position === 0,
    );
    assert.equal((moved.data as Aside).subject, jobs[2]);
    const subjects = events.seen.map(({ event, data }) => event === "job.progress" && (data as Aside).subject);
    assert.deepEqual(new Set(subjects.filter(Boolean)), new Set([jobs[2]]));
    events.close();
    await cancel(jobs[2]);
    await cancel(jobs[0]);
    await jobWhen(app.client, jobs[0]);
  });

  it("comes by WebSocket in the same envelope", async () => {
    const client = await app.as(ADA);
    const { body } = await client.post<BatchDetail>("/api/generate", { prompt: "[stuck] a fox", num_images: 2 });
    const socket = await openSocket(`${app.url}/api/generate/${body.job_id}?token=${await app.token(ADA)}`);
    const frame = (await socket.until((seen) => (seen as Aside).type === "darkroom.job.progress")) as Aside;
    assert.deepEqual([frame.specversion, frame.stream], ["1.0", body.job_id]);
    assert.ok(!("sequence" in frame));
    socket.close();
    await client.post(`/api/generate/${body.job_id}/cancel`);
  });

  it("knows no time for a model that has made too little", async () => {
    await using other = await startApp();
    const { job } = await generate(other.client, "[stuck] a fox");
    const { eta_seconds, queue_position } = await jobWhen(other.client, job, running);
    assert.deepEqual([eta_seconds, queue_position], [null, null]);
  });
});

describe("POLL_STRATEGY", () => {
  it("adaptive lets a job of a known model wait until it may be done, and says how long", async () => {
    await using app = await startApp({ POLL_STRATEGY: "adaptive", POLL_MIN_MS: "1000", POLL_MAX_MS: "30000" });
    await haveMade(app, MADE);
    // Whoever asks for its outlook waits for the history, which the next job then finds.
    const teacher = await generate(app.client, "[stuck] a fox");
    await getJob(app.client, teacher.job);
    const { job } = await generate(app.client, "[stuck] a fox");
    const { retry_after_seconds } = await jobWhen(app.client, job, running);
    assert.ok(retry_after_seconds > 15 && retry_after_seconds < 35, `${retry_after_seconds}`);
  });

  it("backoff, the default, knows no history", async () => {
    await using app = await startApp({ POLL_MIN_MS: "1000", POLL_MAX_MS: "30000" });
    await haveMade(app, MADE);
    const { job } = await generate(app.client, "[stuck] a fox");
    const { retry_after_seconds, eta_seconds } = await jobWhen(app.client, job, running);
    assert.ok(retry_after_seconds <= 2, `${retry_after_seconds}`);
    assert.ok(eta_seconds !== null);
  });

  it("learns from what each generation tells of itself", async () => {
    await using app = await startApp();
    const { job } = await generate(app.client, "a fox");
    const { started_at, finished_at, ...ended } = await jobWhen(app.client, job);
    assert.equal(ended.status, "SUCCEEDED");
    const sql = connect(app.database, { max: 1, role: "read" });
    const found = await createQueries(sql, loadQueries())<Bracket>("completions", [
      ended.model_key,
      ended.tool_type,
      9,
    ]);
    await sql.end();
    assert.equal(found.length, 1);
    const [{ after, by } = { after: -1, by: -1 }] = found;
    assert.ok(after >= 0 && after < by, `${after} to ${by}`);
    assert.ok(by <= Date.parse(String(finished_at)) - Date.parse(String(started_at)));
  });
});
