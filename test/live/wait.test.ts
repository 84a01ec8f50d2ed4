import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import type { BatchDetail } from "../../src/batches/words.ts";
import type { JobDetail } from "../../src/jobs/words.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { until } from "../streams/until.ts";
import { getJob, jobWhen, optionsOf, say, startChat } from "../support/flow.ts";

const ADA = "01900000-0000-7000-8000-0000000000ad";
type Begun = { job_id: string };
const wait = (seconds: number) => ({ prefer: `wait=${seconds}` });

describe("a request that would rather wait for the end", () => {
  let app: TestApp;
  let ada: Client;
  before(async () => {
    app = await startApp();
    ada = await app.as(ADA);
  });
  after(() => app[Symbol.asyncDispose]());

  const option = async (text: string) => {
    const chat = await startChat(ada);
    const [id = ""] = optionsOf(await say(ada, chat.id, text));
    return `/options/${id}/generate`;
  };
  const keyed = (key: string = randomUUID()) => ({ "idempotency-key": key });

  it("gets the job whole when it ends in time, and again by its key", async () => {
    const path = await option("a fox");
    const key = keyed();
    const { status, headers, body } = await ada.post<JobDetail>(path, {}, { ...key, ...wait(20) });
    assert.deepEqual([status, headers.get("preference-applied")], [200, "wait=20"]);
    assert.deepEqual([body.status, headers.get("location")], ["SUCCEEDED", `/options/jobs/${body.job_id}`]);
    assert.equal(headers.get("retry-after"), null);
    assert.equal(body.cursor, (await getJob(ada, body.job_id)).cursor);
    const again = await ada.post<JobDetail>(path, {}, { ...key, ...wait(20) });
    assert.deepEqual([again.status, again.headers.get("idempotency-replayed")], [200, "true"]);
    assert.equal(again.body.job_id, body.job_id);
    const plain = await ada.post<Begun>(path, {}, key);
    assert.deepEqual([plain.status, plain.body], [202, { job_id: body.job_id }]);
  });

  it("gets it by a replay that comes while the first one waits, too", async () => {
    const path = await option("a fox");
    const key = keyed();
    const both = await Promise.all([1, 2].map(() => ada.post<JobDetail>(path, {}, { ...key, ...wait(20) })));
    for (const { status, body } of both) assert.deepEqual([status, body.status], [200, "SUCCEEDED"]);
    assert.equal(both[0]?.body.job_id, both[1]?.body.job_id);
  });

  it("gets a failure as what it is, and may try again the same way", async () => {
    const failed = await ada.post<JobDetail>(await option("[fail] a fox"), {}, { ...keyed(), ...wait(20) });
    assert.deepEqual([failed.status, failed.body.status], [200, "FAILED"]);
    const retried = await ada.post<JobDetail>(`/jobs/${failed.body.job_id}/retry`, undefined, wait(20));
    assert.deepEqual([retried.status, retried.body.retry_of], [200, failed.body.job_id]);
    assert.equal(retried.headers.get("preference-applied"), "wait=20");
  });

  it("gets a request for several images whole", async () => {
    const body = { prompt: "a fox", num_images: 3 };
    const answer = await ada.post<BatchDetail>("/api/generate", body, { prefer: "respond-async, wait=20" });
    assert.deepEqual([answer.status, answer.body.status, answer.body.results.length], [200, "SUCCEEDED", 3]);
    assert.ok(answer.body.results.every(({ url }) => url !== null));
  });

  it("is told that it is under way when the end does not come in time, or nobody asked to wait", async () => {
    const path = await option("[stuck] a fox");
    for (const prefer of [wait(1), wait(0), { prefer: "respond-async" }, { prefer: "wait=soon" }, {}]) {
      const { status, headers, body } = await ada.post<Begun>(path, {}, { ...keyed(), ...prefer });
      assert.deepEqual([status, Object.keys(body)], [202, ["job_id"]], JSON.stringify(prefer));
      assert.equal(headers.get("preference-applied"), null);
      assert.equal(headers.get("retry-after"), "1");
      await ada.post(`/jobs/${body.job_id}/cancel`);
    }
  });

  it("leaves its job alone when it goes", async () => {
    const path = await option("a fox");
    const key = randomUUID();
    const token = await app.token(ADA);
    const headers = { authorization: `Bearer ${token}`, "idempotency-key": key, ...wait(60) };
    const asked = request(`${app.url}${path}`, { method: "POST", headers });
    asked.on("error", () => {});
    asked.end();
    const { body } = await ada.post<Begun>(path, undefined, { "idempotency-key": key });
    asked.destroy();
    assert.equal((await jobWhen(ada, body.job_id)).status, "SUCCEEDED");
  });

  it("gives its place to another when it goes", async () => {
    const path = `${app.url}${await option("[stuck] a fox")}`;
    const authorization = `Bearer ${await app.token(ADA)}`;
    const live = async () => {
      const { body } = await ada.get<{ items: { job_id: string; status: string }[] }>("/jobs?limit=100");
      return body.items.filter(({ status }) => status === "QUEUED" || status === "RUNNING");
    };
    const before = (await live()).length;
    const all = Array.from({ length: 10 }, () => {
      const asked = request(path, { method: "POST", headers: { authorization, ...keyed(), ...wait(60) } });
      asked.on("error", () => {});
      asked.end();
      return asked;
    });
    await until(async () => (await live()).length === before + 10);
    for (const asked of all) asked.destroy();
    const next = await option("a fox");
    await until(async () => (await ada.post(next, {}, { ...keyed(), ...wait(20) })).status === 200);
    for (const { job_id } of await live()) await ada.post(`/jobs/${job_id}/cancel`);
  });

  it("may wait for longer than a connection may be idle", async () => {
    // Longer than our own client waits for an answer.
    const headers = { authorization: `Bearer ${await app.token(ADA)}`, ...keyed(), ...wait(32) };
    const answer = await fetch(`${app.url}${await option("[stuck] a fox")}`, { method: "POST", headers });
    const { job_id } = (await answer.json()) as Begun;
    assert.equal(answer.status, 202);
    await ada.post(`/jobs/${job_id}/cancel`);
  });
});

describe("a node that stops", () => {
  it("tells those who wait on it that their jobs are under way", async () => {
    const app = await startApp();
    const client = await app.as(ADA);
    const waiting = client.post<Begun>("/api/generate", { prompt: "[stuck] a fox" }, wait(60));
    await until(async () => (await client.get<{ items: unknown[] }>("/api/generate")).body.items.length > 0);
    await app[Symbol.asyncDispose]();
    const { status, headers } = await waiting;
    assert.deepEqual([status, headers.get("preference-applied")], [202, null]);
  });
});
