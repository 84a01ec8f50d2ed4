import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createHealth, type Health } from "../../src/http/health.ts";
import { createMetricsRoute } from "../../src/http/metrics.ts";
import { createClient, recordingLog, setup } from "./bundle.ts";

const startHealth = (
  checks: Record<string, () => Promise<void>>,
  options: Partial<Pick<Parameters<typeof createHealth>[0], "spared" | "limitMs" | "cacheMs">> = {},
) => {
  const { log, lines } = recordingLog();
  return { ...createClient(setup().base.use(createHealth({ checks, log, ...options }))), lines };
};

describe("health", () => {
  it("tells each dependency and its latency, under both names", async () => {
    const { send } = startHealth({ postgres: async () => {}, s3: async () => {} });
    for (const path of ["/health", "/healthz"]) {
      const response = await send(path);
      const health = (await response.json()) as Health;
      assert.equal(response.status, 200);
      assert.equal(health.status, "ok");
      assert.deepEqual(Object.keys(health.checks), ["postgres", "s3"]);
      assert.equal(health.checks.postgres?.status, "ok");
      assert.equal(typeof health.checks.postgres?.ms, "number");
    }
  });

  it("is 503 when one is down, or takes too long, and tells why to the log only", async () => {
    const checks = {
      postgres: async () => {},
      nats: async () => Promise.reject(new Error("nats://secret@host refused")),
      s3: () => new Promise<void>(() => {}),
    };
    const { send, lines } = startHealth(checks, { limitMs: 20 });
    const response = await send("/health");
    const text = await response.text();
    const { status, checks: found } = JSON.parse(text) as Health;
    assert.deepEqual([response.status, status, response.headers.get("retry-after")], [503, "down", "1"]);
    assert.deepEqual([found.postgres?.status, found.nats?.status, found.s3?.status], ["ok", "down", "down"]);
    assert.doesNotMatch(text, /secret/);
    assert.deepEqual(
      lines
        .filter(({ check }) => check)
        .map(({ check }) => check)
        .sort(),
      ["nats", "s3"],
    );
    assert.equal((await send("/livez")).status, 200);
  });

  it("is degraded, and still 200, when something is down that no answer needs", async () => {
    const checks = { postgres: async () => {}, bus: async () => Promise.reject(new Error("away")) };
    const { send } = startHealth(checks, { spared: ["bus"] });
    const response = await send("/health");
    const { status, checks: found } = (await response.json()) as Health;
    assert.deepEqual([response.status, status, found.bus?.status], [200, "degraded", "down"]);
  });

  it("asks once for many probes, and again when the report is old", async () => {
    let asked = 0;
    const checks = { postgres: async () => void asked++ };
    const many = startHealth(checks, { cacheMs: 60_000 });
    await Promise.all(Array.from({ length: 10 }, () => many.send("/health")));
    assert.equal(asked, 1);
    const fresh = startHealth(checks, { cacheMs: 0 });
    await fresh.send("/health");
    await fresh.send("/health");
    assert.equal(asked, 3);
  });
});

describe("metrics", () => {
  const start = (queueDepth: () => Promise<number> = async () => 3) => {
    const { base, metrics } = setup({}, queueDepth);
    return { ...createClient(base.use(createMetricsRoute(metrics))), metrics };
  };

  it("have the names of the service that Darkroom replaces", async () => {
    const { send, metrics } = start();
    const labels = { tool_type: "text_to_image", model_key: "nano_banana" };
    metrics.jobsCreated.inc(labels);
    metrics.jobsSucceeded.inc(labels);
    metrics.jobsFailed.inc({ ...labels, error_code: "timeout" });
    metrics.providerPolls.inc();
    const response = await send("/metrics");
    assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    for (const line of [
      'jobs_created_total{tool_type="text_to_image",model_key="nano_banana"} 1',
      'jobs_succeeded_total{tool_type="text_to_image",model_key="nano_banana"} 1',
      'jobs_failed_total{tool_type="text_to_image",model_key="nano_banana",error_code="timeout"} 1',
      "provider_polls_total 1",
      "queue_depth 3",
    ])
      assert.ok(text.includes(`\n${line}\n`), line);
    assert.match(text, /process_cpu_user_seconds_total/);
    assert.match(text, /# TYPE darkroom_commit_seconds histogram/);
  });

  it("ask for the queue's depth at most every 5 seconds", async () => {
    let asked = 0;
    const { send } = start(async () => ++asked);
    await Promise.all([send("/metrics"), send("/metrics")]);
    await send("/metrics");
    assert.equal(asked, 1);
  });

  it("still come while the database is away", async () => {
    const { send } = start(() => Promise.reject(new Error("gone")));
    const text = await (await send("/metrics")).text();
    assert.match(text, /queue_depth NaN/i);
    assert.match(text, /provider_polls_total 0/);
  });

  it("of two apps in one process do not mix", async () => {
    const [a, b] = [start(), start()];
    a.metrics.providerPolls.inc(5);
    assert.match(await (await b.send("/metrics")).text(), /provider_polls_total 0/);
  });
});
