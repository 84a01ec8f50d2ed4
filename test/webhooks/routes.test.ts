import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, beforeEach, describe, it } from "node:test";
import { connect, type Sql } from "../../src/db/connect.ts";
import { loadQueries } from "../../src/db/queries.ts";
import { createFalEmulator } from "../emulators/fal.ts";
import { signFal, VECTOR_SEED } from "../emulators/fal-keys.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { ProblemBody } from "../support/client.ts";
import { getJob, jobWhen } from "../support/flow.ts";
import { metricsOf } from "../support/metrics.ts";

const KEY = "id:secret";
const MODEL = "flux_kontext";
const FOREVER = Number.POSITIVE_INFINITY;

type Emulator = Awaited<ReturnType<typeof createFalEmulator>>;
type Ack = { received: boolean };

describe("a provider's webhook", () => {
  let emulator: Emulator;
  let app: TestApp;
  let sql: Sql;
  before(async () => {
    // Nothing ends by itself, and the next poll is a minute away: what happens at once, a nudge made happen.
    emulator = await createFalEmulator({ key: KEY, queueMs: FOREVER, runMs: FOREVER });
    app = await startApp({
      FAL_BASE_URL: emulator.url,
      FAL_KEY: KEY,
      SIMULATED: "0",
      PUBLIC_URL: "own",
      POLL_MIN_MS: "60000",
      POLL_MAX_MS: "60000",
    });
    sql = connect(app.database, { max: 1, role: "admin" });
  });
  after(async () => {
    await sql.end({ timeout: 5 });
    await app[Symbol.asyncDispose]();
    await emulator.close();
  });
  beforeEach(() => emulator.faults.clear());

  /** Orders one image at fal. Resolves to its job once the provider took the order. */
  const order = async (prompt = "A red fox"): Promise<{ job: string; request: string; hook: URL }> => {
    const client = await app.as("00000000-0000-0000-0000-000000000001");
    const bills = emulator.ledger.length;
    const { status, body } = await client.post<{ job_id: string }>("/api/generate", {
      prompt,
      model: MODEL,
      num_images: 1,
    });
    assert.equal(status, 202, JSON.stringify(body));
    const { body: page } = await client.get<{ items: { job_id: string }[] }>(`/jobs?batch_id=${body.job_id}`);
    const job = page.items[0]?.job_id ?? "";
    await app.settle();
    const bill = emulator.ledger[bills];
    assert.ok(bill?.webhook, "the submit names where we are to be called");
    return { job, request: bill.id, hook: new URL(bill.webhook) };
  };
  const post = (path: string, body: string, headers: Headers | Record<string, string>) =>
    app.client.send<Ack & ProblemBody>("POST", path, { body, headers: Object.fromEntries(new Headers(headers)) });
  const signed = (id: string, body: string, at = Date.now(), seed: Uint8Array = VECTOR_SEED) =>
    signFal(seed, "user-1")({ id, body, at });
  const bodyOf = (id: string) =>
    JSON.stringify({ request_id: id, gateway_request_id: id, status: "OK", payload: null });
  const statusChecks = () => emulator.requests.filter(({ on }) => on === "status").length;

  it("makes the job look at once, and is acknowledged", async () => {
    const { job, request } = await order();
    emulator.start(request);
    emulator.finish(request);
    const done = await jobWhen(app.client, job);
    assert.equal(done.status, "SUCCEEDED");
    const [row] =
      await sql`select facts.data->>'noticed_by' as by from facts where actor_id = ${job} and type = 'job.rendered'`;
    assert.equal(row?.by, "webhook");
    const metrics = await metricsOf(app.client);
    assert.ok(metrics.value("darkroom_completions_total", { model_key: MODEL, noticed_by: "webhook" }) >= 1);
  });

  it("is a nudge and never data: what it claims is not believed", async () => {
    const { job, request, hook } = await order();
    const body = JSON.stringify({
      request_id: request,
      status: "OK",
      payload: { images: [{ url: "https://evil.example/x.png" }] },
    });
    const { status, body: ack } = await post(hook.pathname, body, signed(request, body));
    assert.deepEqual([status, ack], [200, { received: true }]);
    await app.settle();
    assert.equal((await getJob(app.client, job)).status, "RUNNING");
  });

  it("that comes twice makes the job look once", async () => {
    const { request, hook } = await order();
    const body = bodyOf(request);
    const checks = statusChecks();
    for (let n = 0; n < 3; n++) {
      const { status } = await post(hook.pathname, body, signed(request, body));
      assert.equal(status, 200);
      await app.settle();
    }
    assert.equal(statusChecks(), checks + 1);
  });

  it("is refused and does nothing when its signature does not fit, it is stale, or it is none of fal's", async () => {
    const { request, hook } = await order();
    const body = bodyOf(request);
    const checks = statusChecks();
    const wrong: [string, Record<string, string>, string, number, string][] = [
      ["another key", signed(request, body, Date.now(), Buffer.alloc(32, 9)), body, 401, "unauthenticated"],
      ["another body", signed(request, body), `${body} `, 401, "unauthenticated"],
      ["six minutes old", signed(request, body, Date.now() - 360_000), body, 400, "bad_request"],
      ["unsigned", {}, body, 400, "bad_request"],
      ["no JSON", signed(request, "x"), "x", 400, "bad_request"],
    ];
    for (const [what, headers, sent, status, code] of wrong) {
      const answer = await post(hook.pathname, sent, headers);
      assert.deepEqual([answer.status, answer.body.code], [status, code], what);
    }
    await app.settle();
    assert.equal(statusChecks(), checks);
  });

  it("under a token that is not ours, another provider's, or another job's is not found", async () => {
    const one = await order();
    const other = await order();
    const [, , , token = ""] = one.hook.pathname.split("/");
    const [job, , signature] = token.split(".");
    const [, attempt] = (other.hook.pathname.split("/")[3] ?? "").split(".");
    const body = bodyOf(one.request);
    for (const path of [
      "/hooks/fal/nonsense",
      `/hooks/replicate/${token}`,
      `/hooks/simulated/${token}`,
      `/hooks/fal/${job}.${attempt}.${signature}`,
      `/hooks/fal/${token.slice(0, -2)}`,
    ]) {
      const answer = await post(path, body, signed(one.request, body));
      assert.deepEqual([answer.status, answer.body.code], [404, "not_found"], path);
    }
  });

  it("is taken as it comes, whatever type it says it has, up to the limit of a body", async () => {
    const { request, hook } = await order();
    const body = bodyOf(request);
    const headers = { ...signed(request, body), "content-type": "text/plain" };
    assert.equal((await post(hook.pathname, body, headers)).status, 200);
    const large = "x".repeat(app.config.BODY_LIMIT_BYTES + 1);
    assert.equal((await post(hook.pathname, large, signed(request, large))).status, 413);
  });

  it("for a job that has ended is acknowledged", async () => {
    const { job, request, hook } = await order();
    await app.client.post(`/jobs/${job}/cancel`);
    await jobWhen(app.client, job);
    const body = bodyOf(request);
    assert.equal((await post(hook.pathname, body, signed(request, body))).status, 200);
  });

  it("finds a submit whose answer was lost: the job takes it as its own, and pays once", async () => {
    emulator.faults.add({ on: "submit", how: "reset_after_accept" });
    const { job, request } = await order();
    const before = await getJob(app.client, job);
    assert.match(before.state, /^reconciling/);
    emulator.start(request);
    emulator.finish(request);
    const done = await jobWhen(app.client, job);
    assert.equal(done.status, "SUCCEEDED");
    assert.equal(emulator.ledger.filter(({ webhook }) => webhook?.includes(job)).length, 1);
  });

  it("that comes before the answer of the submit is the answer", async () => {
    const release = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const takeBack = emulator.onSubmit("before_answer", async () => {
      const { id } = emulator.ledger.at(-1) ?? { id: "" };
      emulator.start(id);
      emulator.finish(id);
      arrived.resolve();
      await release.promise;
    });
    const ordered = order();
    await arrived.promise;
    const client = await app.as("00000000-0000-0000-0000-000000000001");
    const { body: page } = await client.get<{ items: { job_id: string }[] }>("/jobs?limit=1");
    const done = await jobWhen(client, page.items[0]?.job_id ?? "");
    release.resolve();
    takeBack();
    const { job } = await ordered;
    assert.equal(done.status, "SUCCEEDED");
    assert.equal(done.job_id, job);
  });

  it("is not asked for where nobody said how we are reached: then the job polls as if there were none", async () => {
    await using alone = await startApp({ FAL_BASE_URL: emulator.url, FAL_KEY: KEY, SIMULATED: "0" });
    const client = await alone.as("00000000-0000-0000-0000-000000000001");
    const bills = emulator.ledger.length;
    const { body } = await client.post<{ job_id: string }>("/api/generate", { prompt: "A red fox", model_key: MODEL });
    await alone.settle();
    const bill = emulator.ledger[bills];
    assert.equal(bill?.webhook, null);
    emulator.start(bill?.id ?? "");
    emulator.finish(bill?.id ?? "");
    const { body: page } = await client.get<{ items: { job_id: string }[] }>(`/jobs?batch_id=${body.job_id}`);
    assert.equal((await jobWhen(client, page.items[0]?.job_id ?? "")).status, "SUCCEEDED");
  });

  it("is forgotten after a day by the sweep", async () => {
    await sql`update hook_deliveries set received_at = received_at - interval '25 hours'`;
    await sql.unsafe(loadQueries().sweepHooks ?? "", [Date.now() - 24 * 3_600_000], { prepare: true });
    const [left] = await sql`select count(*)::int as n from hook_deliveries`;
    assert.equal(left?.n, 0);
  });
});
