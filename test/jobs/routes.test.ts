import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { BatchDetail } from "../../src/batches/words.ts";
import { connect } from "../../src/db/connect.ts";
import type { JobDetail } from "../../src/jobs/words.ts";
import type { Envelope } from "../../src/streams/envelope.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { ProblemBody } from "../support/client.ts";
import { generate, getJob, jobWhen, optionsOf, press, say, startChat } from "../support/flow.ts";

type Page<T> = { items: T[]; next_cursor: string | null };
type Transition = { version: number; at: string; event: string; from: string | null; to: string; effects: string[] };
const typeOf = (data: unknown) => (data as Envelope).type;

describe("canceling a job", () => {
  let app: TestApp;
  before(async () => {
    app = await startApp({ PROVIDER_CONCURRENCY: "2" });
  });
  after(() => app[Symbol.asyncDispose]());

  const cancel = (id: string) => app.client.post<JobDetail & { code: string }>(`/jobs/${id}/cancel`);
  const running = ({ state }: JobDetail) => state === "running.waiting";

  it("ends a queued one before it starts, and a running one upstream", async () => {
    const chat = await startChat(app.client);
    const [option = ""] = optionsOf(await say(app.client, chat.id, "[stuck] a fox"));
    const jobs = await Promise.all([press(app.client, option), press(app.client, option)]);
    for (const job of jobs) await jobWhen(app.client, job, running);
    const queued = await press(app.client, option);
    assert.equal((await getJob(app.client, queued)).status, "QUEUED");

    const before = await cancel(queued);
    assert.equal(before.status, 202);
    assert.deepEqual([before.body.status, before.body.cancel], ["CANCELED", "canceled_before_start"]);
    assert.equal(before.body.attempt, 0);

    for (const job of jobs) {
      assert.equal((await cancel(job)).status, 202);
      const ended = await jobWhen(app.client, job);
      assert.deepEqual([ended.status, ended.cancel, ended.error], ["CANCELED", "canceled_upstream", null]);
    }
  });

  it("is a conflict once the job has ended", async () => {
    const { job } = await generate(app.client, "[fail] a fox");
    await jobWhen(app.client, job);
    const { status, body } = await cancel(job);
    assert.deepEqual([status, body.code], [409, "conflict"]);
  });

  it("asked for twice is asked for once", async () => {
    const { chat, job } = await generate(app.client, "[stuck] a fox");
    await jobWhen(app.client, job, running);
    const answers = await Promise.all(Array.from({ length: 5 }, () => cancel(job)));
    for (const { status } of answers) assert.ok(status === 202 || status === 409, String(status));
    assert.equal((await jobWhen(app.client, job)).status, "CANCELED");
    const events = await app.client.events(`/sse/${chat}?after=0`);
    await events.until(({ data }) => typeOf(data) === "darkroom.job.canceled");
    events.close();
    const asked = events.seen.filter(({ data }) => typeOf(data) === "darkroom.job.cancel_requested");
    assert.equal(asked.length, 1);
  });

  it("says that it failed when the provider refuses, and the job goes on", async () => {
    const { job } = await generate(app.client, "[stuck] [uncancelable] a fox");
    await jobWhen(app.client, job, running);
    await cancel(job);
    const refused = await jobWhen(app.client, job, ({ cancel }) => cancel === "cancel_failed");
    assert.deepEqual([refused.status, refused.cancel], ["RUNNING", "cancel_failed"]);
  });
});

describe("retrying a job", () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app[Symbol.asyncDispose]());

  const retry = (id: string) => app.client.post<{ job_id: string } & ProblemBody>(`/jobs/${id}/retry`);

  it("makes a new job of a failed one, in the same chat, that names it", async () => {
    const { chat, option, job } = await generate(app.client, "[fail] a fox");
    const failed = await jobWhen(app.client, job);
    const { status, headers, body } = await retry(job);
    assert.equal(status, 202);
    assert.equal(headers.get("location"), `/jobs/${body.job_id}`);
    assert.match(headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    const again = await getJob(app.client, body.job_id);
    const same = ({ chat_id, option_id, tool_type, model_key, prompt, params, stream }: JobDetail) => ({
      chat_id,
      option_id,
      tool_type,
      model_key,
      prompt,
      params,
      stream,
    });
    assert.deepEqual(same(again), same(failed));
    assert.deepEqual([again.retry_of, again.chat_id, again.option_id], [job, chat, option]);
    assert.equal((await jobWhen(app.client, again.job_id)).status, "FAILED");
    assert.deepEqual(await getJob(app.client, job), { ...failed, cursor: (await getJob(app.client, job)).cursor });
  });

  it("works for a canceled one and for one of a batch, which stays as it was", async () => {
    const { job } = await generate(app.client, "[stuck] a fox");
    await app.client.post(`/jobs/${job}/cancel`);
    await jobWhen(app.client, job);
    const again = await retry(job);
    assert.equal(again.status, 202);
    await app.client.post(`/jobs/${again.body.job_id}/cancel`);

    const client = await app.as("00000000-0000-0000-0000-000000000001");
    const created = await client.post<{ job_id: string }>("/api/generate", { prompt: "[fail] a fox", num_images: 2 });
    const path = `/api/generate/${created.body.job_id}`;
    await (await client.events(`${path}/stream`)).rest();
    const { body: batch } = await client.get<BatchDetail>(path);
    assert.equal(batch.status, "FAILED");
    const retried = await retry(batch.results[0]?.job_id ?? "");
    const ended = await jobWhen(client, retried.body.job_id);
    assert.deepEqual([ended.retry_of, ended.batch_id, ended.chat_id], [batch.results[0]?.job_id, null, null]);
    assert.equal(ended.stream, ended.job_id);
    assert.deepEqual((await client.get<BatchDetail>(path)).body, batch);
  });

  it("is a conflict while the job is live, and when it succeeded", async () => {
    const live = await generate(app.client, "[stuck] a fox");
    const { status, body } = await retry(live.job);
    assert.deepEqual([status, body.code], [409, "conflict"]);
    await app.client.post(`/jobs/${live.job}/cancel`);
    const good = await generate(app.client, "a fox");
    assert.equal((await jobWhen(app.client, good.job)).status, "SUCCEEDED");
    assert.equal((await retry(good.job)).status, 409);
  });

  it("is not found when the chat is deleted just before it is committed", async () => {
    const { chat, option, job } = await generate(app.client, "[reject] a fox");
    await jobWhen(app.client, job);
    const sql = connect(app.database, { max: 2, role: "admin" });
    const waiting = () => sql`select 1 from pg_locks where not granted`;
    const answers = await sql.begin(async (held) => {
      await held`select 1 from chats where id = ${chat} for update`;
      const deleted = app.client.send("DELETE", `/chats/${chat}`);
      for (const until = performance.now() + 5000; (await waiting()).length === 0; ) {
        assert.ok(performance.now() < until, "the delete does not come to its commit");
      }
      const late = [retry(job), app.client.post(`/options/${option}/generate`, {}, { "idempotency-key": "late" })];
      // Answered after those two have read what they need: they wait behind the delete now.
      await getJob(app.client, job);
      return { deleted, late };
    });
    assert.equal((await answers.deleted).status, 204);
    const statuses = (await Promise.all(answers.late)).map(({ status }) => status);
    await sql.end();
    assert.deepEqual(statuses, [404, 404]);
  });
});

describe("reading jobs", () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app[Symbol.asyncDispose]());

  it("shows every transition of a job, with what caused it and what it did", async () => {
    const { job } = await generate(app.client, "[fail] a fox");
    const ended = await jobWhen(app.client, job);
    const { body } = await app.client.get<{ items: Transition[] }>(`/jobs/${job}/timeline`);
    const { items } = body;
    assert.deepEqual(
      items.map(({ version }) => version),
      items.map((_, index) => index + 1),
    );
    for (const [index, { from }] of items.entries()) assert.equal(from, items[index - 1]?.to ?? null);
    assert.deepEqual(
      items.slice(0, 3).map(({ event, to, effects }) => [event, to, effects]),
      [
        ["create", "queued", []],
        ["start", "active.submitting", ["submit"]],
        ["accepted", "active.running.waiting", []],
      ],
    );
    assert.equal(items.at(-1)?.to, "failed");
    const late = Date.parse(items.at(-1)?.at ?? "") - Date.parse(String(ended.finished_at));
    assert.ok(late >= 0 && late < 100, `${late} ms`);
    const instants = items.map(({ at }) => at);
    assert.deepEqual(instants, instants.toSorted());
  });

  it("lists them newest first, by status, chat, batch and tool", async () => {
    const client = await app.as("01900000-0000-7000-8000-00000000115f");
    const first = await generate(client, "[fail] one");
    await jobWhen(client, first.job);
    const second = await generate(client, "[stuck] two");
    const third = await generate(client, "[fail] a video of three");
    await jobWhen(client, third.job);
    const { body: batch } = await client.post<{ job_id: string }>("/api/generate", {
      prompt: "[fail] four",
      num_images: 3,
    });
    await (await client.events(`/api/generate/${batch.job_id}/stream`)).rest();
    const list = async (query: string) => (await client.get<Page<JobDetail>>(`/jobs?${query}`)).body;
    const idsOf = ({ items }: Page<JobDetail>) => items.map(({ job_id }) => job_id);
    const all = idsOf(await list(""));
    assert.equal(all.length, 6);
    assert.deepEqual(all.slice(3), [third.job, second.job, first.job]);
    assert.deepEqual(idsOf(await list("status=RUNNING")), [second.job]);
    assert.deepEqual(idsOf(await list("status=FAILED")), [...all.slice(0, 3), third.job, first.job]);
    assert.deepEqual(idsOf(await list(`chat_id=${first.chat}`)), [first.job]);
    assert.deepEqual(idsOf(await list(`batch_id=${batch.job_id}`)), all.slice(0, 3));
    assert.deepEqual(idsOf(await list("tool_type=text_to_video")), [third.job]);
    assert.deepEqual(idsOf(await list("status=FAILED&tool_type=text_to_video")), [third.job]);
    const paged: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Page<JobDetail> = await list(`limit=4${cursor && `&cursor=${cursor}`}`);
      paged.push(...idsOf(page));
      cursor = page.next_cursor;
    }
    assert.deepEqual(paged, all);
    for (const query of ["status=DONE", "chat_id=1", "batch_id=x", `tool_type=${"t".repeat(51)}`]) {
      const { status, body } = await client.get<ProblemBody>(`/jobs?${query}`);
      assert.deepEqual([status, body.code], [422, "validation_failed"], query);
    }
  });

  it("shows one live: a snapshot, its own events only, and then the end", async () => {
    const chat = await startChat(app.client);
    const [option = ""] = optionsOf(await say(app.client, chat.id, "[fail] a fox"));
    const [one, other] = await Promise.all([press(app.client, option), press(app.client, option)]);
    const events = await (await app.client.events(`/jobs/${one}/stream`)).rest();
    assert.equal(events[0]?.event, "snapshot");
    const own = events.slice(1).map(({ data }) => (data as Envelope).data.job_id);
    assert.deepEqual(new Set(own), new Set(own.length > 0 ? [one] : []));
    const ids = events.map(({ id }) => Number(id));
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => a - b),
    );
    const { status } = await jobWhen(app.client, other);
    assert.equal(status, "FAILED");
    const again = await (await app.client.events(`/jobs/${one}/stream`)).rest();
    assert.deepEqual(
      again.map(({ event, data }) => [event, (data as { data: JobDetail }).data.status]),
      [["snapshot", "FAILED"]],
    );
  });

  it("tells an EventSource that has seen the end not to come back", async () => {
    const { job } = await generate(app.client, "[fail] a fox");
    const events = await (await app.client.events(`/jobs/${job}/stream`)).rest();
    const end = { "last-event-id": String(events.at(-1)?.id) };
    const { status, body } = await app.client.send("GET", `/jobs/${job}/stream`, { headers: end });
    assert.deepEqual([status, body], [204, ""]);
  });

  it("goes on when the client that watches drops, and counts it no more", async () => {
    const { chat, job } = await generate(app.client, "a fox");
    const watcher = await app.client.events(`/jobs/${job}/stream`);
    await watcher.next();
    watcher.close();
    assert.equal((await jobWhen(app.client, job)).status, "SUCCEEDED");
    const events = await app.client.events(`/sse/${chat}?after=0`);
    const last = await events.until(({ data }) => typeOf(data) === "darkroom.job.succeeded");
    events.close();
    assert.equal(Number(last.id), events.seen.length);
  });
});
