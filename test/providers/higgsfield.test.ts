import assert from "node:assert/strict";
import { after, afterEach, describe, it } from "node:test";
import type { SubmitOutcome } from "../../src/ports.ts";
import { createLog } from "../../src/log.ts";
import { createHiggsfieldProvider, type HiggsfieldDeps } from "../../src/providers/higgsfield/adapter.ts";
import { inputOf } from "../../src/providers/higgsfield/input.ts";
import type { HiggsfieldOptions } from "../emulators/higgsfield.ts";
import type { How } from "../emulators/kit-faults.ts";
import { check, generation, KEYS, never, START, setup as open, submit } from "./higgsfield-harness.ts";

const closers: (() => Promise<void>)[] = [];
const closeAll = async () => {
  for (const close of closers.splice(0)) await close();
};
afterEach(closeAll);
after(closeAll);

const setup = async (options: HiggsfieldOptions = {}, deps: Partial<HiggsfieldDeps> = {}) => {
  const bundle = await open(options, deps);
  closers.push(bundle.emulator.close);
  return bundle;
};

const video = () =>
  generation({
    model: "kling-video/v2.6/pro/image-to-video",
    tool: "image_to_video",
    params: { duration: 5 },
    inputs: ["https://files.example.com/a.png"],
  });

const outcomeUnder = async (how: How, options: HiggsfieldOptions = {}): Promise<SubmitOutcome & { bills: number }> => {
  const { emulator, provider } = await setup(options);
  emulator.faults.add({ on: "submit", how });
  const outcome = await provider.submit(generation(), never);
  return { ...outcome, bills: emulator.ledger.length };
};

describe("a submit to Higgsfield", () => {
  it("posts the flat input to the model's path with the keys, the attempt as idempotency key, and the webhook", async () => {
    const { emulator, provider } = await setup();
    const webhook = "https://app.example.com/hooks/higgsfield/t?x=1&y=ä";
    const asked = generation({ params: { num_images: 2, seed: undefined, output_format: "png" }, webhook });
    await submit(provider, asked);
    const [request] = emulator.requests;
    assert.equal(request?.path, "/nano-banana");
    assert.equal(request?.query.get("hf_webhook"), webhook);
    assert.deepEqual(request?.json, { num_images: 2, output_format: "png", prompt: "a lake" });
    assert.equal(request?.headers.get("authorization"), "Key hf-id:hf-secret");
    assert.equal(request?.headers.get("idempotency-key"), asked.attempt);
    assert.equal(emulator.ledger[0]?.webhook, webhook);
  });

  it("puts input images where each model wants them", () => {
    const inputs = ["https://x/1", "https://x/2"];
    const of = (model: string) => {
      const { prompt, ...rest } = inputOf(generation({ model, inputs }));
      assert.equal(prompt, "a lake");
      return rest;
    };
    const wrapped = inputs.map((image_url) => ({ type: "image_url", image_url }));
    assert.deepEqual(of("nano-banana"), { input_images: wrapped });
    assert.deepEqual(of("higgsfield-ai/dop/standard"), { image_url: inputs[0], end_image_url: inputs[1] });
    assert.deepEqual(of("higgsfield-ai/soul/reference"), { image_reference_url: inputs[0] });
    assert.deepEqual(of("higgsfield-ai/popcorn/auto"), { image_urls: inputs });
    assert.deepEqual(of("reve/fast/remix"), { image_urls: inputs });
    assert.deepEqual(of("kling-video/v2.6/pro/image-to-video"), { image_url: inputs[0] });
    assert.deepEqual(inputOf(generation({ params: { prompt: "another" } })), { prompt: "a lake" });
  });

  it("goes nowhere but to a model of this API", async () => {
    const { emulator, provider } = await setup();
    for (const model of ["v1/text2image/soul", "../admin", "a b", "", "nano-banana?x=1", "//evil.example/x"]) {
      const outcome = await provider.submit(generation({ model }), never);
      assert.deepEqual([outcome.kind, "code" in outcome && outcome.code], ["rejected", "model_unavailable"], model);
    }
    assert.equal(emulator.requests.length, 0);
  });

  it("whose answer is lost is adopted by the same attempt, also after it has finished", async () => {
    const { emulator, provider } = await setup();
    const asked = generation();
    emulator.faults.add({ on: "submit", how: "reset_after_accept" });
    assert.equal((await provider.submit(asked, never)).kind, "ambiguous");
    const id = emulator.ledger[0]?.id ?? "";
    emulator.finish(id);
    assert.equal(await submit(provider, { ...asked }), id);
    assert.equal(emulator.ledger.length, 1);
  });

  it("is ambiguous, not refused, when its attempt was taken before with other words", async () => {
    const { emulator, provider } = await setup();
    const asked = generation({ inputs: ["https://files.example.com/a.png?signed=1"] });
    await submit(provider, asked);
    const again = { ...asked, inputs: ["https://files.example.com/a.png?signed=2"] };
    assert.equal((await provider.submit(again, never)).kind, "ambiguous");
    assert.equal(emulator.ledger.length, 1);
  });

  it("counts on its key everywhere but at the older host, unless it is told", () => {
    const claims = (baseUrl: string, idempotent?: boolean) =>
      createHiggsfieldProvider({ baseUrl, idempotent, ...KEYS, log: createLog("silent"), now: () => START })
        .capabilities.idempotentSubmit;
    assert.equal(claims("https://api.higgsfield.ai"), true);
    assert.equal(claims("https://platform.higgsfield.ai"), false);
    assert.equal(claims("https://platform.higgsfield.ai", true), true);
    assert.equal(claims("https://api.higgsfield.ai", false), false);
  });

  it("makes a second job of the same attempt where keys are not heeded", async () => {
    const { emulator, provider } = await setup({ generation: "mid" });
    const asked = generation();
    assert.notEqual(await submit(provider, asked), await submit(provider, asked));
    assert.equal(emulator.ledger.length, 2);
  });

  const ambiguous: [string, How, number][] = [
    ["is reset before it is read", "reset_before_read", 0],
    ["is reset after it was accepted", "reset_after_accept", 1],
    ["gets a proxy's page", "html", 0],
    ["gets an empty 200", "empty", 0],
    ["gets a 500", { status: 500, json: { detail: "Internal Server Error" } }, 0],
    ["gets a 503 although it was accepted", { status: 503, carriedOut: true }, 1],
    ["gets a 408", { status: 408, json: { detail: "Request Timeout" } }, 0],
    ["gets a 200 without an id", { status: 200, json: { status: "queued" } }, 0],
    ["gets a 200 with an id that is none", { status: 200, json: { status: "queued", request_id: "../../x" } }, 0],
    ["gets a 409", { status: 409, json: { detail: "Request with this key is in progress" } }, 0],
  ];
  for (const [what, how, bills] of ambiguous) {
    it(`is ambiguous when it ${what}`, async () => {
      const outcome = await outcomeUnder(how);
      assert.deepEqual([outcome.kind, outcome.bills], ["ambiguous", bills]);
    });
  }

  const terminal: [string, number, unknown][] = [
    ["unauthorized", 401, { detail: "Invalid credentials" }],
    ["out_of_credit", 402, { detail: "Payment required" }],
    ["out_of_credit", 403, { detail: "Not enough credits" }],
    ["model_unavailable", 404, { detail: "Not found" }],
    ["invalid_request", 400, { detail: "aspect_ratio is not supported" }],
    ["moderated", 400, { detail: "Input image was rejected: NSFW content" }],
    ["moderated", 422, { detail: "Prompt rejected by moderation" }],
    ["misconfigured", 301, null],
    ["invalid_request", 413, { message: "Too large" }],
  ];
  for (const [code, status, json] of terminal) {
    it(`is refused for good as ${code} by ${status} ${JSON.stringify(json)}`, async () => {
      const outcome = await outcomeUnder({ status, json });
      assert.equal(outcome.kind === "rejected" && !outcome.retryable && outcome.code, code);
    });
  }

  it("says which field is wrong, in the provider's words", async () => {
    const { provider } = await setup();
    const outcome = await provider.submit(generation({ params: { num_images: 9 } }), never);
    assert.deepEqual(
      outcome.kind === "rejected" && !outcome.retryable && [outcome.code, /num_images: /.test(outcome.message)],
      ["invalid_request", true],
    );
  });

  it("takes a proxy's 403 page for what it is, not for an empty purse", async () => {
    const outcome = await outcomeUnder({ status: 403, body: "<html>Blocked by your company</html>" });
    assert.equal(outcome.kind === "rejected" && !outcome.retryable && outcome.code, "forbidden");
  });

  it("tells when the account is out of credit, and bills nothing", async () => {
    const { emulator, provider } = await setup();
    emulator.setCredit(0);
    const outcome = await provider.submit(generation(), never);
    assert.equal(outcome.kind === "rejected" && outcome.code, "out_of_credit");
    assert.equal(emulator.ledger.length, 0);
  });

  it("never repeats the keys in what it says", async () => {
    const { provider } = await setup({}, { secret: "wrong-secret" });
    const outcome = await provider.submit(generation(), never);
    assert.equal(outcome.kind === "rejected" && outcome.code, "unauthorized");
    assert.doesNotMatch(JSON.stringify(outcome), /wrong-secret|hf-id/);
  });

  const waits: [string, number, How][] = [
    ["rate_limited", 12_000, { status: 429, headers: { "retry-after": "12" }, json: { detail: "Too many requests" } }],
    ["rate_limited", 30_000, { status: 429, headers: { "retry-after": new Date(START + 30_000).toUTCString() } }],
    ["rate_limited", 5_000, { status: 429 }],
    [
      "queue_full",
      7_000,
      { status: 429, headers: { "retry-after": "7" }, json: { code: "account_queue_full", limit: 8 } },
    ],
    ["queue_full", 5_000, { status: 429, json: { detail: { code: "account_queue_full", limit: 8 } } }],
    ["queue_full", 5_000, { status: 429, json: { error: { code: "account_queue_full" } } }],
    ["model_blocked", 30_000, { status: 423, json: { detail: "The model is temporarily blocked" } }],
  ];
  for (const [code, afterMs, how] of waits) {
    it(`may be tried again after ${afterMs} ms as ${code} by ${JSON.stringify(how)}`, async () => {
      const outcome = await outcomeUnder(how);
      assert.deepEqual(outcome, { kind: "rejected", retryable: true, code, afterMs, bills: 0 });
    });
  }

  it("waits when the older service says that too many run at once", async () => {
    const { provider } = await setup({ generation: "mid", capacity: { concurrency: 4 } });
    for (let i = 0; i < 4; i++) await submit(provider, generation());
    const outcome = await provider.submit(generation(), never);
    assert.deepEqual(outcome, { kind: "rejected", retryable: true, code: "rate_limited", afterMs: 5000 });
  });

  for (const nested of [false, true]) {
    it(`is queued by the newer service until its queue is full, too (${nested ? "nested" : "flat"} code)`, async () => {
      const { emulator, provider } = await setup({ capacity: { concurrency: 1, queue: 1, nested }, queueMs: 0 });
      const first = await submit(provider, generation());
      const second = await submit(provider, generation());
      const outcome = await provider.submit(generation(), never);
      assert.deepEqual(outcome, { kind: "rejected", retryable: true, code: "queue_full", afterMs: 7000 });
      assert.deepEqual(
        [(await check(provider, first)).kind, (await check(provider, second)).kind],
        ["running", "queued"],
      );
      emulator.finish(first);
      assert.equal((await check(provider, second)).kind, "running");
      assert.equal(emulator.ledger.length, 2);
    });
  }

  it("that could not leave is to be tried again", async () => {
    const { emulator, provider } = await setup();
    await emulator.close();
    const outcome = await provider.submit(generation(), never);
    assert.deepEqual(outcome, { kind: "rejected", retryable: true, code: "not_sent", afterMs: 1000 });
  });
});

describe("a Higgsfield request", () => {
  it("shows every state at two polls and more, by the clock alone, and gives images", async () => {
    const { clock, provider } = await setup({ queueMs: 4000, runMs: 4000 });
    const ref = await submit(provider, generation({ params: { num_images: 3 } }));
    const kinds: string[] = [];
    for (; clock.now <= START + 10_000; clock.now += 2000) kinds.push((await check(provider, ref)).kind);
    assert.deepEqual(kinds, ["queued", "queued", "running", "running", "completed", "completed"]);
    const done = await check(provider, ref);
    assert.equal(done.kind === "completed" && done.outputs.length, 3);
  });

  it("gives one video", async () => {
    const { emulator, provider } = await setup();
    const ref = await submit(provider, video());
    emulator.finish(ref);
    const done = await check(provider, ref);
    assert.match((done.kind === "completed" && done.outputs[0]?.url) || "", /\.mp4$/);
  });

  it("fails with the provider's words or without any, and says whether that may pass", async () => {
    const { emulator, provider } = await setup();
    const failure = async (message?: string) => {
      const ref = await submit(provider, generation());
      emulator.finish(ref, { kind: "failed", ...(message && { message }) });
      return check(provider, ref);
    };
    const failed = { kind: "failed", code: "generation_failed" };
    assert.deepEqual(await failure("Face was not found"), {
      ...failed,
      message: "Face was not found",
      retryable: false,
    });
    assert.deepEqual(await failure(), { ...failed, message: "The provider did not say why", retryable: false });
    assert.deepEqual(await failure("The model timed out"), {
      kind: "failed",
      code: "model_timeout",
      message: "The model timed out",
      retryable: true,
    });
  });

  it("is moderated without a reason, and also by a word that only the other API has", async () => {
    const { emulator, provider } = await setup();
    const ref = await submit(provider, generation());
    emulator.finish(ref, { kind: "moderated" });
    assert.deepEqual(await check(provider, ref), { kind: "moderated" });
    emulator.faults.add({ on: "status", how: { json: { status: "ip_detected", request_id: ref } } });
    assert.deepEqual(await check(provider, ref), { kind: "moderated" });
  });

  it("completes without outputs when there are none", async () => {
    const { emulator, provider } = await setup();
    const ref = await submit(provider, generation());
    emulator.finish(ref, { kind: "completed", outputs: [] });
    assert.deepEqual(await check(provider, ref), { kind: "completed", outputs: [] });
  });

  it("stays completed when its outputs have expired, and these say so", async () => {
    const { emulator, provider } = await setup();
    for (const status of [403, 404] as const) {
      const ref = await submit(provider, generation());
      emulator.finish(ref);
      const done = await check(provider, ref);
      const [output] = done.kind === "completed" ? done.outputs : [];
      assert.ok(output);
      emulator.outputs.expire(output.url, status);
      assert.deepEqual(await check(provider, ref), done);
      await assert.rejects(provider.download(output, never), { code: "output_expired" });
    }
  });

  it("never sends the keys along with a download", async () => {
    const { emulator, provider } = await setup();
    const ref = await submit(provider, generation());
    emulator.finish(ref);
    const done = await check(provider, ref);
    const [output] = done.kind === "completed" ? done.outputs : [];
    (await provider.download(output ?? { url: "" }, never)).body.destroy();
    const asked = emulator.requests.find(({ on }) => on === "output");
    assert.deepEqual([asked?.method, asked?.headers.get("authorization")], ["GET", null]);
  });

  it("finds every artifact, whatever the field, and nothing else that has a URL", async () => {
    const { emulator, provider } = await setup();
    const ref = await submit(provider, generation());
    const json = {
      status: "completed",
      request_id: ref,
      status_url: `${emulator.url}/requests/x/status`,
      images: [{ url: "https://cdn.higgsfield.ai/1.png" }, { url: "https://cdn.higgsfield.ai/1.png" }],
      video: { url: "https://cdn.higgsfield.ai/2.mp4", content_type: "video/mp4", thumbnail: { url: "https://x/t" } },
      model_3d: {
        files: { fbx: { url: "https://cdn.higgsfield.ai/3.fbx" } },
        ply_url: "https://cdn.higgsfield.ai/4.ply",
      },
      project_file: "https://cdn.higgsfield.ai/5.zip",
      docs: "https://docs.higgsfield.ai",
      thumbnail: { url: "https://cdn.higgsfield.ai/t.png" },
      input: { image_url: "https://files.example.com/input.png" },
      expires_at: "2026-10-14T10:00:00Z",
      cost: 2.5,
    };
    emulator.faults.add({ on: "status", how: { json } });
    const at = (name: string) => ({ url: `https://cdn.higgsfield.ai/${name}` });
    assert.deepEqual(await check(provider, ref), {
      kind: "completed",
      outputs: [at("1.png"), { ...at("2.mp4"), mime: "video/mp4" }, at("3.fbx"), at("4.ply"), at("5.zip")],
      cost: { amount: 2.5, unit: "credits" },
    });
  });

  it("counts as running under a status that nobody has heard of", async () => {
    const { emulator, provider } = await setup();
    const ref = await submit(provider, generation());
    emulator.faults.add({ on: "status", how: { json: { status: "warming_up", request_id: ref } } });
    assert.deepEqual(await check(provider, ref), { kind: "running" });
  });

  const passing: [string, How][] = [
    ["a 500", { status: 500, json: { detail: "x" } }],
    ["a page", "html"],
    ["an empty body", "empty"],
    ["a 429", { status: 429, headers: { "retry-after": "3" } }],
    ["a 401", { status: 401, json: { detail: "Invalid credentials" } }],
    ["a page that says 404", { status: 404, body: "<html>no such site</html>" }],
    ["an answer without a status", { json: { request_id: "x" } }],
    ["a list", { json: [] }],
  ];
  for (const [what, how] of passing) {
    it(`is only unknown during ${what}, and known again after it`, async () => {
      const { emulator, provider } = await setup();
      const ref = await submit(provider, generation());
      emulator.start(ref);
      emulator.faults.add({ on: "status", how, times: 2 });
      assert.equal((await check(provider, ref)).kind, "unknown");
      assert.equal((await check(provider, ref)).kind, "unknown");
      assert.equal((await check(provider, ref)).kind, "running");
    });
  }

  it("is gone when its ref is none of Higgsfield's", async () => {
    const { emulator, provider } = await setup();
    for (const ref of ["", "../x", "a b", "a b c d", "id https://evil.example/requests/id/status x"]) {
      const outcome = await check(provider, ref);
      assert.ok(["gone", "unknown"].includes(outcome.kind), ref);
    }
    assert.equal(emulator.requests.length, 0);
  });
});

describe("a Higgsfield request at the other host", () => {
  it("is followed there, with the keys, when that host is allowed", async () => {
    const other = await setup();
    const host = new URL(other.emulator.url).host;
    const { emulator, provider } = await setup({ statusOrigin: other.emulator.url }, { apiHosts: [host] });
    const ref = await submit(provider, generation());
    assert.match(ref, new RegExp(`${host}/requests/.*/status .*${host}/requests/.*/cancel$`));
    assert.deepEqual(await check(provider, ref), { kind: "gone" }, "the other emulator does not know it");
    assert.equal(other.emulator.requests[0]?.headers.get("authorization"), "Key hf-id:hf-secret");
    assert.equal(emulator.requests.length, 1);
  });

  it("is asked for at our own host when that host is not allowed, and gets no keys", async () => {
    const other = await setup();
    const { provider } = await setup({ statusOrigin: other.emulator.url });
    const ref = await submit(provider, generation());
    assert.equal((await check(provider, ref)).kind, "queued");
    assert.deepEqual(await provider.cancel(ref, never), { kind: "canceled" });
    assert.equal(other.emulator.requests.length, 0);
  });

  it("keeps the URLs of both of Higgsfield's own hosts", async () => {
    const { provider } = await setup({ statusOrigin: "https://platform.higgsfield.ai" });
    const [id, statusUrl] = (await submit(provider, generation())).split(" ");
    assert.equal(statusUrl, `https://platform.higgsfield.ai/requests/${id}/status`);
  });
});

describe("a cancel at Higgsfield", () => {
  it("is done when the 202 without a body came in time", async () => {
    const { emulator, provider } = await setup();
    const ref = await submit(provider, generation());
    assert.deepEqual(await provider.cancel(ref, never), { kind: "canceled" });
    assert.deepEqual(await check(provider, ref), { kind: "canceled" });
    assert.deepEqual(await provider.cancel(ref, never), { kind: "canceled" }, "a second one hears 400, and looks");
    assert.ok(emulator.ledger.length === 1);
  });

  it("is told apart by the status when the answer is 400: running or finished", async () => {
    const { emulator, provider } = await setup();
    const ref = await submit(provider, generation());
    emulator.start(ref);
    assert.deepEqual(await provider.cancel(ref, never), { kind: "refused" });
    for (const kind of ["completed", "failed", "moderated"] as const) {
      const ended = await submit(provider, generation());
      emulator.finish(ended, { kind });
      assert.deepEqual(await provider.cancel(ended, never), { kind: "already_finished" }, kind);
    }
  });

  it("says what really happened when a 202 was overtaken", async () => {
    const { emulator, provider } = await setup();
    const ref = await submit(provider, generation());
    emulator.finish(ref);
    emulator.faults.add({ on: "cancel", how: { status: 202, body: "" } });
    assert.deepEqual(await provider.cancel(ref, never), { kind: "already_finished" });
  });

  it("is unknown when nobody answers, or something in between does", async () => {
    const { emulator, provider } = await setup();
    const ref = await submit(provider, generation());
    for (const how of ["reset_before_read", "html"] as const) {
      emulator.faults.add({ on: "cancel", how });
      assert.equal((await provider.cancel(ref, never)).kind, "unknown");
    }
    assert.equal((await provider.cancel("no ref", never)).kind, "unknown");
  });
});
