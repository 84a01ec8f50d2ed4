import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { connect } from "../../src/db/connect.ts";
import type { ProviderState } from "../../src/http/providers.ts";
import type { Provider } from "../../src/ports.ts";
import { startApp } from "../support/app.ts";
import { generate, getJob, jobWhen } from "../support/flow.ts";
import { scripted } from "./scripted.ts";

/** An app in front of it. */
const setup = async (settings: Record<string, string> = {}, rates?: Provider["rates"]) => {
  const far = scripted("simulated", rates);
  const app = await startApp(settings, { providers: [far.provider] });
  const sql = connect(app.database, { max: 1, role: "admin" });
  const operator = await app.as(randomUUID(), "operator");
  return {
    app,
    far,
    sql,
    state: async () => {
      const { body } = await operator.get<{ items: ProviderState[] }>("/providers");
      return body.items[0] as ProviderState;
    },
    metrics: async () => String((await app.client.get("/metrics")).body),
    [Symbol.asyncDispose]: async () => {
      await sql.end({ timeout: 1 });
      await app[Symbol.asyncDispose]();
    },
  };
};

describe("a provider that is out of credit", () => {
  it("fails no job: they wait, say for what, and one of them tries in the end", async () => {
    await using w = await setup({ PAUSE_MIN_MS: "1500", PAUSE_MAX_MS: "1500" });
    w.far.submit = () => ({ kind: "rejected", retryable: false, code: "out_of_credit", message: "Pay" });
    const first = await generate(w.app.client, "a fox");
    const waiting = await jobWhen(w.app.client, first.job, ({ waiting_for }) => waiting_for !== null);
    assert.deepEqual(
      [waiting.status, waiting.attempt, waiting.error, waiting.waiting_for?.code],
      ["QUEUED", 0, null, "out_of_credit"],
    );
    const second = await generate(w.app.client, "another fox");
    assert.equal(
      (await getJob(w.app.client, second.job)).waiting_for?.code,
      "out_of_credit",
      "also who was never sent",
    );
    const { paused_reason, paused_until, waiting: queued, in_use } = await w.state();
    assert.deepEqual([paused_reason, queued, in_use], ["out_of_credit", 2, 0]);
    assert.ok(Date.parse(paused_until ?? "") > 0);
    assert.match(await w.metrics(), /darkroom_paused_accounts\{reason="out_of_credit"\} 1/);

    w.far.submit = () => ({ kind: "accepted", ref: "ref" });
    for (const { job } of [first, second]) await jobWhen(w.app.client, job, ({ status }) => status === "RUNNING");
    assert.equal((await w.state()).paused_reason, null);
    assert.equal((await getJob(w.app.client, first.job)).waiting_for, null);
  });
});

describe("GET /providers", () => {
  it("is for operators", async () => {
    await using w = await setup();
    assert.equal((await (await w.app.as(randomUUID())).get("/providers")).status, 403);
    assert.equal((await w.state()).breaker, "closed");
  });
});

describe("a provider that cannot be reached", () => {
  it("opens its breaker: the account pauses, the job waits, one probe closes it", async () => {
    await using w = await setup({ BREAKER_FAILURES: "2", BREAKER_COOLDOWN_MS: "1500" });
    w.far.submit = () => ({ kind: "rejected", retryable: true, code: "not_sent", afterMs: 50 });
    const { job } = await generate(w.app.client, "a fox");
    await jobWhen(w.app.client, job, ({ waiting_for }) => waiting_for?.code === "unreachable");
    let state = await w.state();
    while (state.breaker !== "open" || state.paused_reason !== "breaker_open") state = await w.state();
    assert.equal(w.far.submits.length, 2);
    assert.match(await w.metrics(), /darkroom_breaker_state\{provider="simulated"\} 2/);
    w.far.submit = () => ({ kind: "accepted", ref: "ref" });
    await jobWhen(w.app.client, job, ({ status, attempt }) => status === "RUNNING" && attempt === 1);
    while ((await w.state()).paused_reason !== null);
    assert.equal((await w.state()).breaker, "closed");
    assert.equal(w.far.submits.length, 3);
  });

  it("does not open it by what it says about a job", async () => {
    await using w = await setup({ BREAKER_FAILURES: "1" });
    w.far.submit = () => ({ kind: "rejected", retryable: false, code: "moderated", message: "No" });
    await jobWhen(w.app.client, (await generate(w.app.client, "a fox")).job);
    w.far.submit = () => ({ kind: "accepted", ref: "ref" });
    w.far.check = () => ({ kind: "failed", code: "generation_failed", message: "No", retryable: false });
    await jobWhen(w.app.client, (await generate(w.app.client, "a fox")).job);
    assert.equal((await w.state()).breaker, "closed");
  });
});

describe("polls", () => {
  it("are stretched when the account's rate does not allow more, and that is no failure of the provider", async () => {
    // A bucket of two: the third poll has to wait for what flows back.
    await using w = await setup({ POLL_MIN_MS: "1", POLL_MAX_MS: "1" }, { checks: 20 });
    await w.sql`update accounts set check_tokens = 1, checks_at = clock_timestamp()`;
    const { job } = await generate(w.app.client, "a fox");
    let deferred: RegExpExecArray | null = null;
    while (!deferred)
      deferred = /darkroom_polls_deferred_total\{provider="simulated"\} ([1-9])/.exec(await w.metrics());
    const { next_poll_at, status } = await getJob(w.app.client, job);
    assert.equal(status, "RUNNING");
    assert.ok(Date.parse(next_poll_at ?? "") - Date.now() > 1000, "seconds, where the backoff says a millisecond");
    assert.equal(w.far.checks, 1);
    assert.equal((await w.state()).breaker, "closed");
  });

  it("pause for as long as the provider asks", async () => {
    await using w = await setup();
    w.far.check = () => ({ kind: "unknown", reason: "HTTP 429", throttledMs: 30_000 });
    const { job } = await generate(w.app.client, "a fox");
    const wait = (at: string | null) => Date.parse(at ?? "") - Date.now();
    const found = await jobWhen(w.app.client, job, ({ state }) => state === "running.waiting");
    let { next_poll_at } = found;
    while (!(wait(next_poll_at) > 20_000)) ({ next_poll_at } = await getJob(w.app.client, job));
    assert.equal(w.far.checks, 1);
  });
});
