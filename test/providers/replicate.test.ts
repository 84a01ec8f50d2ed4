import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLog } from "../../src/log.ts";
import type { Provider } from "../../src/ports.ts";
import { createReplicateProvider } from "../../src/providers/replicate/adapter.ts";
import { cancelAfter } from "../../src/providers/replicate/cancel-after.ts";
import type { How } from "../emulators/kit-faults.ts";
import { HELLO } from "../emulators/replicate.ts";
import { describeProvider } from "./contract.ts";
import { generation, never, SEEDANCE, SEEDREAM, setup } from "./replicate-bundle.ts";

for (const listWebhooks of [true, false]) {
  describeProvider(`Replicate (list ${listWebhooks ? "with" : "without"} webhooks)`, async () => {
    const { emulator, provider } = await setup({ emulator: { listWebhooks } });
    const operation = { submit: "submit", check: "status", cancel: "cancel" };
    return {
      provider,
      generation: () => generation(),
      run: (ref) => emulator.start(ref),
      end: (ref, ending) => emulator.finish(ref, { kind: ending }),
      bills: ({ webhook }) => emulator.ledger.filter((bill) => bill.webhook === webhook).length,
      unknownRef: "gm3qorzdhgbfurvjtvhg6dckhu",
      loseNextSubmit: () => void emulator.faults.add({ on: "submit", how: "reset_after_accept" }),
      hangNext: (on) => void emulator.faults.add({ on: operation[on], how: "hang_after_accept" }),
      close: () => emulator.close(),
    };
  });
}

describe("a submit to Replicate", () => {
  it("goes to the model's own route, with a deadline, our webhook for the end only, and no wait", async () => {
    await using bundle = await setup();
    const asked = generation({ deadline: Date.now() + 90_400 });
    await bundle.provider.submit(asked, never);
    const [sent] = bundle.asked("submit");
    assert.equal(sent?.path, "/v1/models/black-forest-labs/flux-schnell/predictions");
    assert.deepEqual(sent?.json, {
      input: { aspect_ratio: "1:1", prompt: "a lighthouse" },
      webhook: asked.webhook,
      webhook_events_filter: ["completed"],
    });
    assert.match(sent?.headers.get("cancel-after") ?? "", /^9[01]s$/);
    assert.equal(sent?.headers.has("prefer"), false);
  });

  it("has a deadline that the API takes and that is never before ours", () => {
    const now = 1_800_000_000_000;
    const at = (ms: number) => cancelAfter(now + ms, now);
    assert.deepEqual([-1, 0, 4_999, 90_000, 90_001].map(at), ["5s", "5s", "5s", "90s", "91s"]);
    assert.deepEqual([7 * 86_400_000, Number.POSITIVE_INFINITY].map(at), ["86400s", "86400s"]);
  });

  it("names the version of a model that has one", async () => {
    await using bundle = await setup();
    await bundle.accepted({ model: `${HELLO.name}:${HELLO.version}`, webhook: null });
    const [sent] = bundle.asked("submit");
    assert.equal(sent?.path, "/v1/predictions");
    assert.deepEqual(sent?.json, {
      version: HELLO.version,
      input: { aspect_ratio: "1:1", prompt: "a lighthouse" },
    });
  });

  it("puts pictures where the model wants them, and refuses those that it cannot place without sending", async () => {
    await using bundle = await setup();
    const inputs = ["https://files.example/a.png", "https://files.example/b.png"];
    await bundle.accepted({ model: SEEDREAM, inputs });
    await bundle.accepted({ model: SEEDANCE, inputs: inputs.slice(1) });
    const placed = bundle.asked("submit").map(({ json }) => (json as { input: Record<string, unknown> }).input);
    assert.deepEqual([placed[0]?.image_input, placed[1]?.image], [inputs, inputs[1]]);
    for (const refused of [{ model: SEEDANCE, inputs }, { inputs }, { model: "../../account" }, { model: "flux" }]) {
      const outcome = await bundle.provider.submit(generation(refused), never);
      assert.deepEqual([outcome.kind, "retryable" in outcome && outcome.retryable], ["rejected", false]);
    }
    assert.equal(bundle.asked("submit").length, 2);
  });

  it("has no webhooks, and is not findable, when it cannot reach us by https", async () => {
    const capable = ({ provider: { capabilities, verify } }: { provider: Provider }) => [
      capabilities.findable,
      capabilities.webhooks,
      verify !== undefined,
    ];
    const real = { baseUrl: "https://api.replicate.com/v1", token: "r8_x", now: Date.now, log: createLog("silent") };
    const over = (webhookBase: string | null) => ({ provider: createReplicateProvider({ ...real, webhookBase }) });
    assert.deepEqual(capable(over("https://darkroom.example/hooks/replicate")), [true, true, true]);
    for (const base of ["http://darkroom.example/hooks/replicate", null]) {
      assert.deepEqual(capable(over(base)), [false, false, false]);
      assert.deepEqual(await over(base).provider.find("x", 0, never), { kind: "unknown" });
    }
    assert.deepEqual(over(null).provider.rates, { submits: 600, checks: 3000 });
  });

  it("is refused for good when the credentials, the credit, the model or the input are not right", async () => {
    await using bundle = await setup();
    const { emulator, provider } = bundle;
    const codeOf = async (more = {}) => {
      const outcome = await provider.submit(generation(more), never);
      return outcome.kind === "rejected" && !outcome.retryable ? outcome.code : outcome.kind;
    };
    assert.equal(await codeOf({ model: "nobody/nothing" }), "model_unavailable");
    assert.equal(await codeOf({ model: `${HELLO.name}:${"0".repeat(64)}` }), "model_unavailable");
    assert.equal(await codeOf({ webhook: "not a URL" }), "invalid_request");
    emulator.setBroke(true);
    assert.equal(await codeOf(), "out_of_credit");
    await using other = await setup({ adapter: { token: "r8_wrong" } });
    const outcome = await other.provider.submit(generation(), never);
    assert.deepEqual(outcome, {
      kind: "rejected",
      retryable: false,
      code: "unauthorized",
      message: "Replicate refused the credentials",
    });
    const flagged = { title: "Input validation failed", detail: "The prompt was flagged as sensitive", status: 422 };
    emulator.faults.add({ on: "submit", how: { status: 422, json: flagged } });
    assert.equal(await codeOf(), "moderated");
    assert.equal(emulator.ledger.length, 0);
  });

  it("waits as long as a throttled answer asks for: in its body, in its words, in a header", async () => {
    await using bundle = await setup({ emulator: { throttle: { perMinute: 60, burst: 1, style: "plain" } } });
    const { emulator, provider } = bundle;
    await bundle.accepted();
    const again = () => provider.submit(generation(), never);
    const throttled = (code: string, afterMs: number) => ({ kind: "rejected", retryable: true, code, afterMs });
    assert.deepEqual(await again(), throttled("rate_limited", 1000));
    emulator.throttle({ perMinute: 6, burst: 1, style: "low_credit" });
    await bundle.accepted();
    const low = await again();
    assert.deepEqual(low, throttled("low_credit", 10_000));
    const reply = (json: object, headers = {}) =>
      emulator.faults.add({ on: "submit", how: { status: 429, json, headers } });
    const words = "your rate limit is reduced to 6 requests per minute. Your rate limit resets in ~5s.";
    reply({ detail: words, status: 429, retry_after: 5 });
    assert.deepEqual(await again(), throttled("low_credit", 10_000), "never sooner than its share of a minute");
    reply({ detail: "Request was throttled. Your rate limit resets in ~30s." });
    assert.deepEqual(await again(), throttled("rate_limited", 30_000));
    reply({ detail: "Request was throttled." }, { "retry-after": "7" });
    assert.deepEqual(await again(), throttled("rate_limited", 7_000));
    assert.equal(emulator.ledger.length, 2);
  });

  it("is ambiguous whenever something may have been made, and a second one would be billed again", async () => {
    await using bundle = await setup();
    const { emulator, provider } = bundle;
    const same = generation();
    const maybe: How[] = [
      "reset_after_accept",
      "html",
      "empty",
      { status: 500, json: { detail: "boom" } },
      { status: 504, body: "", carriedOut: true },
      { status: 201, json: { id: "../x", status: "starting" } },
      { status: 201, body: '{"id":' },
    ];
    for (const how of maybe) {
      emulator.faults.add({ on: "submit", how });
      const { kind } = await provider.submit(same, never);
      assert.equal(kind, "ambiguous", JSON.stringify(how));
    }
    assert.equal(emulator.ledger.length, 2, "there is no idempotency key: two were carried out, two are billed");
    const closed = await setup();
    await closed.emulator.close();
    const outcome = await closed.provider.submit(same, never);
    assert.deepEqual(outcome, { kind: "rejected", retryable: true, code: "not_sent", afterMs: 1000 });
  });

  it("takes the 2xx of an API that waited for us", async () => {
    await using bundle = await setup();
    const body = { id: "gm3qorzdhgbfurvjtvhg6dckhu", status: "processing", output: null };
    bundle.emulator.faults.add({ on: "submit", how: { status: 202, json: body } });
    assert.equal(await bundle.accepted(), body.id);
  });
});
