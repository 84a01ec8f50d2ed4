import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { BatchDetail } from "../../src/batches/words.ts";
import { connect } from "../../src/db/connect.ts";
import type { Envelope } from "../../src/streams/envelope.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { Client, ProblemBody } from "../support/client.ts";
import { metricsOf } from "../support/metrics.ts";
import { openSocket } from "../support/socket.ts";

const ADA = "01900000-0000-7000-8000-0000000000ad";

type Created = { job_id: string; status: string };
type Page<T> = { items: T[]; next_cursor: string | null };
const typeOf = (data: unknown) => (data as Envelope).type;

describe("a request for images", () => {
  let app: TestApp;
  let client: Client;
  before(async () => {
    app = await startApp({ PROVIDER_CONCURRENCY: "4" });
    client = await app.as(ADA);
  });
  after(() => app[Symbol.asyncDispose]());

  const create = async (prompt: string, num_images = 1, headers: Record<string, string> = {}) => {
    const { status, body } = await client.post<Created>("/api/generate", { prompt, num_images }, headers);
    assert.equal(status, 202, JSON.stringify(body));
    return body.job_id;
  };
  const get = async (id: string) => (await client.get<BatchDetail>(`/api/generate/${id}`)).body;
  const ended = async (id: string) => {
    await (await client.events(`/api/generate/${id}/stream`)).rest();
    return get(id);
  };

  it("is refused field by field when it makes no sense, and nothing is written", async () => {
    const sql = connect(app.database, { max: 1, role: "admin" });
    const count = async () =>
      (
        await sql`select (select count(*) from batches) b, (select count(*) from jobs) j, (select count(*) from facts) f`
      )[0];
    const before = await count();
    const refusals: [unknown, string][] = [
      [{ prompt: "a fox", num_images: 0 }, "/num_images"],
      [{ prompt: "a fox", num_images: -1 }, "/num_images"],
      [{ prompt: "a fox", num_images: 1e9 }, "/num_images"],
      [{ prompt: "a fox", num_images: 101 }, "/num_images"],
      [{ prompt: "a fox", num_images: 1.5 }, "/num_images"],
      [{ prompt: "a fox", num_images: "5" }, "/num_images"],
      [{ prompt: "a fox", num_images: null }, "/num_images"],
      [{ prompt: "a fox", num_images: true }, "/num_images"],
      [{ prompt: "" }, "/prompt"],
      [{ prompt: " \n\t" }, "/prompt"],
      [{ num_images: 1 }, "/prompt"],
      [{ prompt: 5 }, "/prompt"],
      [{ prompt: "a\0fox" }, "/prompt"],
      [{ prompt: "f".repeat(100_000) }, "/prompt"],
      [{ prompt: "f".repeat(8000) }, "/prompt"],
      [{ prompt: "a fox", model_key: "dall_e" }, "/model_key"],
      [{ prompt: "a fox", model_key: "kling" }, "/model_key"],
      [{ prompt: "a fox", params: { aspect_ratio: "wide" } }, "/params/aspect_ratio"],
    ];
    for (const [body, path] of refusals) {
      const answer = await client.post<ProblemBody>("/api/generate", body);
      const what = JSON.stringify(body).slice(0, 80);
      assert.deepEqual([answer.status, answer.body.code], [422, "validation_failed"], what);
      assert.equal(answer.body.errors?.[0]?.path, path, what);
    }
    const large = await client.post<ProblemBody>("/api/generate", { prompt: "f".repeat(2_000_000) });
    assert.deepEqual([large.status, large.body.code], [413, "too_large"]);
    const broken = await client.post<ProblemBody>("/api/generate", '{"prompt":"a fox"');
    assert.deepEqual([broken.status, broken.body.code], [400, "malformed_json"]);
    assert.deepEqual({ ...(await count()) }, { ...before });
    await sql.end();
  });

  it("is taken once per Idempotency-Key, if there is one", async () => {
    const key = { "idempotency-key": "five" };
    const ids = await Promise.all(Array.from({ length: 20 }, () => create("[fail] a fox", 2, key)));
    assert.equal(new Set(ids).size, 1);
    const again = await client.post<Created>("/api/generate", { num_images: 2, prompt: "[fail] a fox" }, key);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    const reused = await client.post<ProblemBody>("/api/generate", { prompt: "[fail] a fox", num_images: 3 }, key);
    assert.deepEqual([reused.status, reused.body.code], [422, "idempotency_key_reused"]);
    assert.notEqual(await create("[fail] a fox", 2), ids[0]);
  });

  it("ends with the word that fits: all alike, or PARTIAL", async () => {
    const words = { "[fail] a fox": "FAILED", "[moderate] a fox": "FAILED", "a small fox": "SUCCEEDED" };
    for (const [prompt, word] of Object.entries(words)) {
      const batch = await ended(await create(prompt, 2));
      assert.equal(batch.status, word, prompt);
      assert.deepEqual([batch.completed, batch.failed], word === "SUCCEEDED" ? [2, 0] : [0, 2]);
      assert.equal(batch.ttfi_ms === null, word !== "SUCCEEDED");
      assert.ok(Number(batch.total_ms) >= Number(batch.ttfi_ms));
    }
    const id = await create("a fox in a queue", 5);
    const first = (await get(id)).results.at(-1)?.job_id;
    await client.post(`/jobs/${first}/cancel`);
    const batch = await ended(id);
    assert.deepEqual([batch.status, batch.completed, batch.canceled], ["PARTIAL", 4, 1]);
  });

  it("runs no more at once than the provider's account allows, and finishes them all", async () => {
    const sql = connect(app.database, { max: 1, role: "admin" });
    const batches = await Promise.all([create("[fail] one", 30), create("[fail] two", 30)]);
    const events = await client.events(`/api/generate/${batches[0]}/stream`);
    let most = 0;
    for (let event = await events.next(); event; event = await events.next()) {
      const [row] = await sql`select count(*)::int as n from actors where kind = 'job' and state like 'active%'`;
      most = Math.max(most, row?.n);
    }
    for (const id of batches) {
      const batch = await ended(id);
      assert.deepEqual([batch.status, batch.failed], ["FAILED", 30]);
    }
    await app.settle();
    const [account] = await sql`select in_use from accounts`.finally(() => sql.end());
    assert.ok(most > 0 && most <= 4, `${most} at once`);
    assert.equal(account?.in_use, 0);
  });

  it("is canceled as a whole, and not twice", async () => {
    const id = await create("[stuck] a fox", 6);
    const events = await client.events(`/api/generate/${id}/stream`);
    await events.until(({ data }) => typeOf(data) === "darkroom.job.accepted");
    const asked = await client.post<BatchDetail>(`/api/generate/${id}/cancel`);
    assert.equal(asked.status, 202);
    await events.rest();
    const batch = await get(id);
    assert.deepEqual([batch.status, batch.canceled, batch.completed], ["CANCELED", 6, 0]);
    const outcomes = batch.results.map(({ cancel }) => cancel);
    assert.ok(outcomes.includes("canceled_before_start") && outcomes.includes("canceled_upstream"));
    const again = await client.post<ProblemBody>(`/api/generate/${id}/cancel`);
    assert.deepEqual([again.status, again.body.code], [409, "conflict"]);
  });

  it("goes on when those who watch it drop, by SSE and by WebSocket", async () => {
    const open = async () => (await metricsOf(app.client)).value("darkroom_streams_open");
    const before = await open();
    const id = await create("a fox", 2);
    const events = await client.events(`/api/generate/${id}/stream`);
    await events.next();
    const socket = await openSocket(`${app.url}/api/generate/${id}?token=${await app.token(ADA)}`);
    await socket.until(() => true);
    assert.equal(await open(), before + 2);
    events.close();
    socket.close();
    assert.equal((await ended(id)).status, "SUCCEEDED");
    for (const until = performance.now() + 5000; (await open()) > before; )
      assert.ok(performance.now() < until, "streams are still counted");
  });

  it("is listed newest first, page by page", async () => {
    const lister = await app.as("01900000-0000-7000-8000-000000000115");
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      const { body } = await lister.post<Created>("/api/generate", { prompt: `[fail] ${n}` });
      ids.unshift(body.job_id);
    }
    const first = await lister.get<Page<BatchDetail>>("/api/generate?limit=2");
    const second = await lister.get<Page<BatchDetail>>(`/api/generate?limit=2&cursor=${first.body.next_cursor}`);
    const listed = [...first.body.items, ...second.body.items].map(({ job_id }) => job_id);
    assert.deepEqual([listed, second.body.next_cursor], [ids, null]);
    assert.equal((await lister.get("/api/generate?limit=0")).status, 422);
  });

  it("takes another model and its parameters", async () => {
    const { body } = await client.post<Created>("/api/generate", {
      prompt: "[fail] a fox",
      model_key: "seedream",
      params: { size: "4K" },
    });
    const batch = await get(body.job_id);
    assert.equal(batch.model_key, "seedream");
    assert.equal(batch.results[0]?.model_key, "seedream");
  });
});

describe("a token that runs out while its bearer watches", () => {
  it("ends the stream with an auth event, and the WebSocket with 4001", async () => {
    await using app = await startApp({ JWT_TTL_S: "2" });
    const client = await app.as(ADA);
    const { body } = await client.post<Created>("/api/generate", { prompt: "[stuck] a fox" });
    const events = await client.events(`/api/generate/${body.job_id}/stream`);
    const socket = await openSocket(`${app.url}/api/generate/${body.job_id}?token=${await app.token(ADA)}`);
    const last = (await events.rest()).at(-1);
    assert.deepEqual(last, { event: "auth", data: { reason: "token_expired" } });
    assert.equal(await socket.closed, 4001);
    assert.deepEqual(socket.seen.at(-1), { event: "auth", data: { reason: "token_expired" } });
    // The stream went by the database's clock, tokens go by this host's: they may be some milliseconds apart.
    for (const until = performance.now() + 2000; (await client.get(`/api/generate/${body.job_id}`)).status !== 401; )
      assert.ok(performance.now() < until, "the token is still good");
  });
});
