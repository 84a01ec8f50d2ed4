import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect } from "../../src/db/connect.ts";
import type { JobDetail } from "../../src/jobs/words.ts";
import type { OfferedModel } from "../../src/models/model.ts";
import type { Option } from "../../src/options/words.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { ProblemBody } from "../support/client.ts";
import { getJob, optionsOf, press, say, startChat } from "../support/flow.ts";

const ADA = "01900000-0000-7000-8000-0000000000ad";
const BOB = "01900000-0000-7000-8000-000000000b0b";

type Created = { job_id: string };

describe("pressing an option", () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app[Symbol.asyncDispose]());

  const option = async (text: string, client = app.client) => {
    const chat = await startChat(client);
    const [id = ""] = optionsOf(await say(client, chat.id, text));
    return { chat: chat.id, id };
  };
  const ask = <T = ProblemBody>(id: string, key: string, body: unknown = {}, client = app.client) =>
    client.post<T>(`/options/${id}/generate`, body, { "idempotency-key": key });

  it("takes parameters of the model's schema, on top of the option's own", async () => {
    const { id } = await option("[fail] a fox, 16:9");
    const plain = await getJob(app.client, await press(app.client, id));
    assert.equal(plain.params.aspect_ratio, "16:9");
    const { status, body } = await ask<Created>(id, "square", { params: { aspect_ratio: "1:1" } });
    assert.equal(status, 202);
    assert.equal((await getJob(app.client, body.job_id)).params.aspect_ratio, "1:1");
  });

  it("refuses what the model's schema does not know, by its path, and makes no job of it", async () => {
    const { chat, id } = await option("a fox");
    const refusals: [unknown, string][] = [
      [{ params: { aspect_ratio: "7:3" } }, "/params/aspect_ratio"],
      [{ params: { num_images: 1e9 } }, "/params/num_images"],
      [{ params: { num_images: "2" } }, "/params/num_images"],
      [{ params: { sudo: true } }, "/params/sudo"],
      [{ params: ["16:9"] }, "/params/0"],
      [{ params: { output_format: "jpeg\0" } }, "/params/output_format"],
    ];
    for (const [body, path] of refusals) {
      const { status, body: problem } = await ask(id, `bad-${path}`, body);
      assert.deepEqual([status, problem.code], [422, "validation_failed"], JSON.stringify(body));
      assert.equal(problem.errors?.[0]?.path, path);
    }
    assert.equal((await ask(id, "malformed", "{")).status, 400);
    const { body: jobs } = await app.client.get<{ items: unknown[] }>(`/jobs?chat_id=${chat}`);
    assert.deepEqual(jobs.items, []);
    // What was refused may be tried again under the same key.
    assert.equal((await ask(id, "bad-/params/sudo", {})).status, 202);
  });

  it("refuses keys that are none", async () => {
    const { id } = await option("[fail] a fox");
    for (const key of ["", " ", "two words", "k".repeat(256), "schlüssel"]) {
      const { status, body } = await ask(id, key);
      assert.deepEqual([status, body.code], [400, "bad_request"], JSON.stringify(key));
    }
    assert.equal((await ask(id, "k".repeat(255))).status, 202);
  });

  it("keeps the keys of two users apart", async () => {
    const [ada, bob] = await Promise.all([app.as(ADA), app.as(BOB)]);
    const [first, second] = await Promise.all([option("[fail] a fox", ada), option("[fail] a fox", bob)]);
    const answers = await Promise.all([
      ask<Created>(first.id, "shared", {}, ada),
      ask<Created>(second.id, "shared", {}, bob),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [202, 202],
    );
    assert.notEqual(answers[0]?.body.job_id, answers[1]?.body.job_id);
  });

  it("lets one of two bodies win that race for a key", async () => {
    const { chat, id } = await option("[fail] a fox");
    const bodies = [{ params: { aspect_ratio: "1:1" } }, { params: { aspect_ratio: "16:9" } }];
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => ask<Created & ProblemBody>(id, "raced", bodies[n % 2])),
    );
    const taken = answers.filter(({ status }) => status === 202);
    const refused = answers.filter(({ status }) => status === 422);
    assert.deepEqual([taken.length, refused.length], [20, 20]);
    assert.deepEqual(new Set(refused.map(({ body }) => body.code)), new Set(["idempotency_key_reused"]));
    assert.equal(new Set(taken.map(({ body }) => body.job_id)).size, 1);
    const { body: jobs } = await app.client.get<{ items: unknown[] }>(`/jobs?chat_id=${chat}`);
    assert.equal(jobs.items.length, 1);
  });

  it("is not repeated once what it made is deleted: the key stays used", async () => {
    const { chat, id } = await option("[fail] a fox");
    const first = await ask<Created>(id, "once");
    assert.equal((await app.client.send("DELETE", `/options/jobs/${first.body.job_id}`)).status, 204);
    assert.equal((await ask(id, "once")).status, 404);
    assert.equal((await ask(id, "twice")).status, 202);
    await app.client.send("DELETE", `/chats/${chat}`);
    for (const key of ["once", "twice", "thrice"]) assert.equal((await ask(id, key)).status, 404, key);
  });

  it("submits each job once, whatever was pressed how often", async () => {
    const sql = connect(app.database, { max: 1, role: "admin" });
    const { chat, id } = await option("[stuck] a fox");
    const jobs = await Promise.all(Array.from({ length: 5 }, (_, n) => press(app.client, id, `many-${n}`)));
    await Promise.all(jobs.map((job) => press(app.client, id, `many-${jobs.indexOf(job)}`)));
    await app.client.send("DELETE", `/chats/${chat}`);
    await app.settle();
    const submits =
      await sql`select a.id, a.snapshot->'context'->>'attempts' as attempts, count(s.attempt)::int as billed
      from actors a left join simulated_submits s on s.attempt = a.snapshot->'context'->>'attempt'
      where a.id in ${sql(jobs)} group by a.id`.finally(() => sql.end());
    assert.equal(submits.length, 5);
    for (const { attempts, billed } of submits) assert.ok(billed <= Number(attempts));
  });
});

describe("the options of a long text", () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app[Symbol.asyncDispose]());

  it("are only those that can be pressed", async () => {
    const { body: models } = await app.client.get<{ items: OfferedModel[] }>("/models");
    const longest = Math.max(...models.items.map(({ max_prompt }) => max_prompt));
    const chat = await startChat(app.client);
    for (const length of [1000, 2600, 3600, longest]) {
      const ids = optionsOf(await say(app.client, chat.id, "f".repeat(length)));
      assert.ok(ids.length > 0);
      for (const id of ids) {
        const { body: option } = await app.client.get<Option>(`/options/${id}`);
        const job = await getJob(app.client, await press(app.client, id));
        assert.equal(job.model_key, option.model_key);
        await app.client.post<JobDetail>(`/jobs/${job.job_id}/cancel`);
      }
    }
    const refused = await app.client.post<ProblemBody>(`/chats/${chat.id}/messages`, { text: "f".repeat(longest + 1) });
    assert.deepEqual([refused.status, refused.body.code], [422, "validation_failed"]);
    assert.equal(refused.body.errors?.[0]?.path, "/text");
    assert.match(refused.body.errors?.[0]?.message ?? "", new RegExp(String(longest)));
  });
});
