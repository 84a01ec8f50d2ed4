import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createLog } from "../../src/log.ts";
import type { CheckOutcome, SubmitOutcome } from "../../src/ports.ts";
import { createFalProvider } from "../../src/providers/fal/adapter.ts";
import type { How } from "../emulators/kit-faults.ts";
import type { Ending } from "../emulators/kit-runs.ts";
import { describeProvider } from "./contract.ts";
import { APP, FAL_KEY, type FalSetup, generation, idOf, KONTEXT, never, setupFal } from "./fal-setup.ts";

describeProvider("fal", async () => {
  const { emulator, provider, close } = await setupFal();
  const operations = { submit: "submit", check: "status", cancel: "cancel" };
  return {
    provider,
    generation: () => generation({ prompt: crypto.randomUUID() }),
    run: (ref) => emulator.start(idOf(ref)),
    end: (ref, ending) => emulator.finish(idOf(ref), { kind: ending }),
    bills: ({ prompt }) => emulator.ledger.filter(({ body }) => (body as { prompt?: string }).prompt === prompt).length,
    unknownRef: `${APP}/requests/00000000-0000-4000-8000-000000000000`,
    loseNextSubmit: () => void emulator.faults.add({ on: "submit", how: "reset_after_accept" }),
    hangNext: (on) => void emulator.faults.add({ on: operations[on], how: "hang" }),
    // A running app was told; whether it stops is only known afterwards.
    cancels: { running: ["unknown"] },
    close,
  };
});

let setup: FalSetup;
before(async () => {
  setup = await setupFal();
});
after(() => setup.close());

const submit = (more: Parameters<typeof generation>[0] = {}) => setup.provider.submit(generation(more), never);
const rejection = (outcome: SubmitOutcome) =>
  outcome.kind === "rejected" ? [outcome.code, outcome.retryable] : [outcome.kind];
const failure = (outcome: CheckOutcome) =>
  outcome.kind === "failed" ? [outcome.code, outcome.retryable] : [outcome.kind];
const failNext = (on: string, how: How) => setup.emulator.faults.add({ on, how });
/** A GET that was reset may be sent again by the runtime, so a fault of one stands until it was seen. */
const checkUnder = async (ref: string, on: string, how: How) => {
  const remove = setup.emulator.faults.add({ on, how, times: Number.POSITIVE_INFINITY });
  const outcome = await setup.check(ref);
  remove();
  return outcome;
};
const lastAsked = (on: string) => setup.emulator.requests.findLast((asked) => asked.on === on);
const ended = async (ending: Ending) => {
  const ref = await setup.accepted();
  setup.emulator.finish(idOf(ref), ending);
  return ref;
};

describe("a submit to fal", () => {
  it("posts the flat input to the model's whole path with the key, and asks to be told at the webhook", async () => {
    const webhook = "http://127.0.0.1:9/hooks/fal/token?a=1&b=2";
    await submit({ params: { num_images: 2, seed: 7 }, webhook });
    const asked = lastAsked("submit");
    assert.equal(asked?.path, `/${KONTEXT}`);
    assert.equal(asked?.query.get("fal_webhook"), webhook);
    assert.equal(asked?.headers.get("authorization"), `Key ${FAL_KEY}`);
    assert.deepEqual(asked?.json, { num_images: 2, seed: 7, prompt: "a lighthouse" });
  });

  it("gives fal until our deadline to start it, forbids hidden retries and says how long files are kept", async () => {
    await submit({ deadline: setup.clock.now + 90_001 });
    const headers = lastAsked("submit")?.headers;
    assert.equal(headers?.get("x-fal-request-timeout"), "91");
    assert.equal(headers?.get("x-fal-no-retry"), "1");
    assert.equal(headers?.get("x-fal-object-lifecycle-preference"), '{"expiration_duration_seconds":86400}');
    await submit({ deadline: setup.clock.now - 5 });
    assert.equal(lastAsked("submit")?.headers.get("x-fal-request-timeout"), "2");
  });

  it("makes a ref of the app and the request, without the model's path", async () => {
    const ref = await setup.accepted();
    assert.equal(ref, `${APP}/requests/${setup.emulator.ledger.at(-1)?.id}`);
    const workflow = await setup.accepted({ model: "workflows/someone/portrait/fast" });
    assert.match(workflow, /^workflows\/someone\/portrait\/requests\/[\w-]+$/);
  });

  const answering = (id: string, host: string, app: string): How => ({
    json: { request_id: id, status_url: `${host}/${app}/requests/${id}/status` },
  });

  it("takes the app that fal's own URL names, and never the host of another", async () => {
    failNext("submit", answering("r1", "https://queue.fal.run", "fal-ai/renamed"));
    assert.deepEqual(await submit(), { kind: "accepted", ref: "fal-ai/renamed/requests/r1" });
    failNext("submit", answering("r2", "https://queue.example.com", "fal-ai/elsewhere"));
    assert.deepEqual(await submit(), { kind: "accepted", ref: `${APP}/requests/r2` });
    failNext("submit", { json: { request_id: "r3", gateway_request_id: "r3" } });
    assert.deepEqual(await submit(), { kind: "accepted", ref: `${APP}/requests/r3` });
  });

  it("sends nothing for a name that is no model's", async () => {
    const count = setup.emulator.requests.length;
    for (const model of ["", "flux", "../../keys", "fal-ai/..", "fal-ai/flux?x=1", "https://fal.run/fal-ai/flux"]) {
      assert.deepEqual(rejection(await submit({ model })), ["model_unavailable", false], model);
    }
    assert.equal(setup.emulator.requests.length, count);
  });

  it("is ambiguous when it may have been taken", async () => {
    const lost: How[] = ["html", "empty", "reset_before_read", "reset_after_accept", { status: 500 }];
    lost.push({ status: 503, json: { detail: "no runner", error_type: "internal_error" } });
    lost.push({ status: 200, json: { request_id: "../../evil" } }, { status: 408 });
    for (const how of lost) {
      failNext("submit", how);
      assert.equal((await submit()).kind, "ambiguous", JSON.stringify(how));
    }
  });

  it("cannot look for a lost one, and says so", async () => {
    const { provider, emulator } = setup;
    assert.deepEqual([provider.capabilities.idempotentSubmit, provider.capabilities.findable], [false, false]);
    const before = emulator.ledger.length;
    failNext("submit", "reset_after_accept");
    const lost = generation();
    await provider.submit(lost, never);
    assert.deepEqual(await provider.find(lost.attempt, setup.clock.now, never), { kind: "unknown" });
    assert.equal(emulator.ledger.length - before, 1);
  });

  it("is rejected for good with a code that says why", async () => {
    const detail = (type: string) => ({ detail: [{ loc: ["body", "prompt"], msg: "no", type }] });
    const cases: [How, string][] = [
      [{ status: 422, json: detail("missing") }, "invalid_request"],
      [{ status: 422, json: { detail: "nonsense" } }, "invalid_request"],
      [{ status: 422, json: detail("content_policy_violation") }, "moderated"],
      [{ status: 401, json: { detail: "who are you" } }, "unauthorized"],
      [{ status: 403, body: "<html>proxy</html>" }, "unauthorized"],
      [{ status: 402 }, "out_of_credit"],
      [{ status: 504, headers: { "x-fal-request-timeout-type": "user" } }, "start_timeout"],
      [{ status: 308, headers: { location: "https://elsewhere.example" } }, "misconfigured"],
    ];
    for (const [how, code] of cases) {
      failNext("submit", how);
      assert.deepEqual(rejection(await submit()), [code, false]);
    }
    assert.deepEqual(rejection(await submit({ model: "nobody/nothing" })), ["model_unavailable", false]);
  });

  it("tells an exhausted balance from a forbidden key", async () => {
    setup.emulator.lock();
    assert.deepEqual(rejection(await submit()), ["out_of_credit", false]);
    setup.emulator.lock(false);
  });

  it("waits and comes again when told to", async () => {
    failNext("submit", { status: 429, headers: { "retry-after": "7" } });
    const limited = { kind: "rejected", retryable: true, code: "rate_limited", afterMs: 7000 };
    assert.deepEqual(await submit(), limited);
    failNext("submit", { status: 429, json: { detail: "Queue length exceeds the maximum" } });
    assert.deepEqual(rejection(await submit()), ["queue_full", true]);
  });

  it("was certainly not sent when nobody listens", async () => {
    const gone = await setupFal();
    await gone.close();
    assert.deepEqual(rejection(await gone.provider.submit(generation(), never)), ["not_sent", true]);
  });

  it("never says the key, whatever goes wrong", async () => {
    const log = createLog("silent");
    const provider = createFalProvider({ baseUrl: setup.emulator.url, key: "other:secret\n", now: Date.now, log });
    const outcome = await provider.submit(generation(), never);
    assert.notEqual(outcome.kind, "accepted");
    assert.doesNotMatch(JSON.stringify(outcome), /secret/);
  });
});

describe("a request at fal", () => {
  it("is queued with its position, runs with progress and its last lines, and completes with cost and outputs", async () => {
    const first = await setupFal();
    await first.accepted();
    first.clock.now += 1;
    const ref = await first.accepted({ params: { num_images: 2 } });
    assert.deepEqual(await first.check(ref), { kind: "queued", position: 1 });
    assert.deepEqual(await first.check(ref), { kind: "queued", position: 1 });
    first.emulator.start(idOf(ref));
    for (const _ of [1, 2]) {
      const running = await first.check(ref);
      assert.ok(running.kind === "running");
      assert.equal(running.progress, 0.5);
      assert.match(running.logs ?? "", /^loading\n50%/);
    }
    first.emulator.finish(idOf(ref));
    const done = await first.check(ref);
    assert.ok(done.kind === "completed");
    assert.deepEqual(done.cost, { amount: 1.5, unit: "billable_units" });
    assert.equal(done.outputs.length, 2);
    assert.match(done.outputs[0]?.url ?? "", /-0\.png$/);
    assert.equal(done.outputs[0]?.mime, "image/png");
    assert.ok(first.emulator.requests.some(({ path }) => path === `/${ref}/status`));
    await first.close();
  });

  it("may be a video", async () => {
    const image = "https://cdn.example.com/a.png";
    const ref = await setup.accepted({
      model: "fal-ai/veo3.1/fast/image-to-video",
      tool: "image_to_video",
      inputs: [image],
      params: { duration: "8s" },
    });
    assert.match(ref, /^fal-ai\/veo3\.1\/requests\//);
    assert.deepEqual(lastAsked("submit")?.json, { duration: "8s", prompt: "a lighthouse", image_url: image });
    setup.emulator.finish(idOf(ref));
    const done = await setup.check(ref);
    assert.ok(done.kind === "completed");
    assert.equal(done.outputs[0]?.mime, "video/mp4");
  });

  it("is not a success before its result was fetched", async () => {
    const ref = await ended({ kind: "completed" });
    failNext("result", { status: 400, json: { detail: "Request is still in progress" } });
    assert.equal((await setup.check(ref)).kind, "running");
    assert.equal((await checkUnder(ref, "result", "reset_before_read")).kind, "unknown");
    assert.equal((await setup.check(ref)).kind, "completed");
  });

  it("is moderated when its result is refused by policy, or when every image is blacked out", async () => {
    assert.deepEqual(await setup.check(await ended({ kind: "moderated" })), { kind: "moderated" });
    const ref = await ended({ kind: "completed" });
    const censored = { images: [{ url: "https://v3.fal.media/black.png" }], has_nsfw_concepts: [true] };
    failNext("result", { json: censored });
    assert.deepEqual(await setup.check(ref), { kind: "moderated" });
  });

  it("fails with our code for fal's word; only what fal does not bill is worth another try", async () => {
    const cases: [string | undefined, string, boolean][] = [
      ["runner_disconnected", "provider_unavailable", true],
      ["runner_scheduling_failure", "provider_unavailable", true],
      ["startup_timeout", "provider_unavailable", true],
      ["request_timeout", "generation_timeout", true],
      ["runner_server_error", "generation_failed", true],
      ["bad_request", "invalid_request", false],
      ["generation_timeout", "generation_timeout", true],
      ["internal_server_error", "generation_failed", true],
      ["downstream_service_error", "generation_failed", false],
      ["no_media_generated", "no_output", false],
      ["image_load_error", "input_unreadable", false],
      ["missing", "invalid_request", false],
      ["a_word_of_tomorrow", "invalid_request", false],
      [undefined, "generation_failed", true],
    ];
    for (const [word, code, retryable] of cases) {
      const ref = await ended({ kind: "failed", code: word, message: "it broke" });
      const outcome = await setup.check(ref);
      assert.deepEqual(failure(outcome), [code, retryable], word);
      assert.match(outcome.kind === "failed" ? outcome.message : "", /it broke/);
    }
  });

  it("is validated by the model: a missing prompt shows only in the result", async () => {
    const ref = await setup.accepted({ prompt: "" });
    setup.emulator.finish(idOf(ref), { kind: "failed", code: "missing", message: "Field required" });
    const outcome = await setup.check(ref);
    assert.deepEqual(outcome, {
      kind: "failed",
      code: "invalid_request",
      message: "prompt: Field required",
      retryable: false,
    });
  });

  it("believes its result more than an error of the status without a type, and does not try that again", async () => {
    const status = { json: { status: "COMPLETED", error: "something" } };
    const ref = await ended({ kind: "completed" });
    failNext("status", status);
    assert.equal((await setup.check(ref)).kind, "completed");
    const moderated = await ended({ kind: "moderated" });
    failNext("status", status);
    assert.equal((await setup.check(moderated)).kind, "moderated");
    const endings: Ending[] = [{ kind: "expired" }, { kind: "completed", outputs: [] }];
    for (const ending of endings) {
      const other = await ended(ending);
      failNext("status", status);
      assert.deepEqual(await setup.check(other), {
        kind: "failed",
        code: "generation_failed",
        message: "something",
        retryable: false,
      });
    }
  });

  it("is not tried again when fal says so or has billed it", async () => {
    const headers: Record<string, string>[] = [
      { "x-fal-retryable": "false" },
      { "x-fal-needs-retry": "0" },
      { "x-fal-billable-units": "2" },
    ];
    for (const each of headers) {
      const ref = await ended({ kind: "completed" });
      failNext("result", { status: 500, headers: each, json: { detail: "broken" } });
      assert.deepEqual(failure(await setup.check(ref)), ["generation_failed", false]);
    }
  });

  it("fails by our own start deadline without another try", async () => {
    const ref = await setup.accepted({ deadline: setup.clock.now + 10_000 });
    failNext("status", { json: { status: "COMPLETED", error: "Request timed out" } });
    failNext("result", {
      status: 504,
      headers: { "x-fal-request-timeout-type": "user" },
      json: { detail: "Request timed out", error_type: "request_timeout" },
    });
    assert.deepEqual(failure(await setup.check(ref)), ["start_timeout", false]);
    setup.clock.now += 10_000;
    assert.equal((await setup.check(ref)).kind, "failed");
  });

  it("is one run: a broken runner ends it, where fal itself would run it again", async () => {
    const ref = await setup.accepted();
    setup.emulator.start(idOf(ref));
    setup.emulator.breakRunner(idOf(ref));
    assert.deepEqual(failure(await setup.check(ref)), ["provider_unavailable", true]);

    const lenient = await setupFal({}, { upstreamRetries: true });
    const other = await lenient.accepted();
    lenient.emulator.start(idOf(other));
    assert.equal((await lenient.check(other)).kind, "running");
    lenient.emulator.breakRunner(idOf(other));
    assert.equal((await lenient.check(other)).kind, "queued");
    await lenient.close();
  });

  it("survives trouble on the way: what is paid for ends only by fal's own word", async () => {
    const ref = await ended({ kind: "completed" });
    const trouble: How[] = ["html", "empty", "reset_before_read", { status: 401 }, { status: 404, body: "<html>" }];
    trouble.push({ status: 429 }, { status: 503 }, { status: 500, json: { detail: "oops" } }, { status: 302 });
    trouble.push({ status: 403, json: { detail: "User is locked. Reason: Exhausted balance." } });
    for (const how of trouble) {
      assert.equal((await checkUnder(ref, "status", how)).kind, "unknown", `status ${JSON.stringify(how)}`);
    }
    const onResult = trouble.filter((how) => typeof how === "string" || ("status" in how && how.status !== 500));
    onResult.push({ status: 502, json: { detail: "bad gateway" } });
    for (const how of onResult) {
      assert.equal((await checkUnder(ref, "result", how)).kind, "unknown", `result ${JSON.stringify(how)}`);
    }
    assert.equal((await setup.check(ref)).kind, "completed");
  });

  it("keeps running under a word that we do not know, and never believes a FAILED that fal does not have", async () => {
    const ref = await setup.accepted();
    for (const status of ["PAUSED", "FAILED"]) {
      failNext("status", { status: 202, json: { status } });
      assert.deepEqual(await setup.check(ref), { kind: "running" });
    }
  });

  it("is gone when fal does not know it or no longer has its result", async () => {
    const ref = await ended({ kind: "expired" });
    assert.deepEqual(await setup.check(ref), { kind: "gone" });
    const late = await setupFal();
    const old = await late.accepted();
    late.emulator.finish(idOf(old));
    late.clock.now += 3600_000;
    assert.deepEqual(await late.check(old), { kind: "gone" });
    await late.close();
    for (const forged of ["", "../../admin", `${APP}/requests/a/../../b`, "simulated:1"]) {
      assert.deepEqual(await setup.check(forged), { kind: "gone" }, forged);
    }
  });

  it("keeps a large result for six minutes only", async () => {
    const ref = await setup.accepted({ params: { num_images: 60 } });
    setup.emulator.finish(idOf(ref));
    assert.equal((await setup.check(ref)).kind, "completed");
    const passed = await setupFal();
    const large = await passed.accepted({ params: { num_images: 60 } });
    passed.emulator.finish(idOf(large));
    passed.clock.now += 6 * 60_000;
    assert.deepEqual(await passed.check(large), { kind: "gone" });
    await passed.close();
  });

  it("may complete without an output", async () => {
    const outcome = await setup.check(await ended({ kind: "completed", outputs: [] }));
    assert.ok(outcome.kind === "completed");
    assert.deepEqual(outcome.outputs, []);
  });

  it("has outputs that may have expired, or lie where nothing is fetched from", async () => {
    const done = await setup.check(await ended({ kind: "completed" }));
    assert.ok(done.kind === "completed" && done.outputs[0]);
    setup.emulator.outputs.expire(done.outputs[0].url);
    await assert.rejects(setup.provider.download(done.outputs[0], never), { code: "output_expired" });
    const foreign = { url: "https://fal.media.example.com/a.png" };
    await assert.rejects(setup.provider.download(foreign, never), { code: "output_refused" });
    assert.equal(lastAsked("output")?.headers.get("authorization"), null);
  });
});

describe("a cancel at fal", () => {
  const cancel = (ref: string, { provider }: FalSetup = setup) => provider.cancel(ref, never);

  it("is done when the request was taken out of the queue", async () => {
    const ref = await setup.accepted();
    assert.deepEqual(await cancel(ref), { kind: "canceled" });
    assert.equal(lastAsked("cancel")?.method, "PUT");
    assert.equal((await setup.check(ref)).kind, "canceled");
  });

  it("of a running app is known only afterwards: asked again it is over, and the check says by what", async () => {
    const ref = await setup.accepted();
    setup.emulator.start(idOf(ref));
    assert.deepEqual(await cancel(ref), { kind: "unknown", reason: "requested, not confirmed" });
    assert.deepEqual(await cancel(ref), { kind: "already_finished" });
    assert.deepEqual(await setup.check(ref), { kind: "canceled" });
  });

  it("may be ignored by the app, which then completes", async () => {
    const deaf = await setupFal({ stopsWhenTold: false });
    const ref = await deaf.accepted();
    deaf.emulator.start(idOf(ref));
    assert.equal((await cancel(ref, deaf)).kind, "unknown");
    assert.equal((await cancel(ref, deaf)).kind, "unknown");
    assert.equal((await deaf.check(ref)).kind, "running");
    deaf.emulator.finish(idOf(ref));
    assert.equal((await cancel(ref, deaf)).kind, "already_finished");
    assert.equal((await deaf.check(ref)).kind, "completed");
    await deaf.close();
  });

  it("in the queue may be only requested, by older pages", async () => {
    const older = await setupFal({ cancelWord: "CANCELLATION_REQUESTED" });
    const ref = await older.accepted();
    assert.equal((await cancel(ref, older)).kind, "unknown");
    assert.equal((await cancel(ref, older)).kind, "already_finished");
    assert.equal((await older.check(ref)).kind, "canceled");
    await older.close();
  });

  it("goes by the word and not by the code, and knows nothing from a proxy", async () => {
    const ref = await setup.accepted();
    const cases: [How, string][] = [
      [{ status: 202, json: { status: "OK" } }, "canceled"],
      [{ status: 409, json: { status: "ALREADY_COMPLETED" } }, "already_finished"],
      [{ status: 200, json: { status: "ALREADY_COMPLETED" } }, "already_finished"],
      [{ status: 400, json: { detail: "Request already completed" } }, "already_finished"],
      [{ status: 404, json: { status: "NOT_FOUND" } }, "already_finished"],
      [{ status: 202, body: "" }, "unknown"],
      [{ status: 405, json: { detail: "Method Not Allowed" } }, "refused"],
      [{ status: 404, body: "<html>" }, "unknown"],
      [{ status: 403, json: { detail: "no" } }, "unknown"],
      ["html", "unknown"],
      ["reset_after_accept", "unknown"],
    ];
    for (const [how, kind] of cases) {
      failNext("cancel", how);
      assert.equal((await cancel(ref)).kind, kind, JSON.stringify(how));
    }
  });
});
