import assert from "node:assert/strict";
import { after, afterEach, describe, it } from "node:test";
import type { Generation } from "../../src/ports.ts";
import { jobSetIn } from "../../src/providers/higgsfield/job-set.ts";
import type { HiggsfieldOptions } from "../emulators/higgsfield.ts";
import { check, generation, never, setup as open, submit } from "./higgsfield-harness.ts";

const closers: (() => Promise<void>)[] = [];
const closeAll = async () => {
  for (const close of closers.splice(0)) await close();
};
afterEach(closeAll);
after(closeAll);

const setup = async (options: HiggsfieldOptions = {}) => {
  const { emulator, v1 } = await open(options);
  closers.push(emulator.close);
  return { emulator, v1 };
};
const soul = (more: Partial<Generation> = {}) =>
  generation({ model: "v1/text2image/soul", params: { batch_size: 4, quality: "1080p" }, ...more });

const four = async (options: HiggsfieldOptions = {}) => {
  const { emulator, v1 } = await setup(options);
  const ref = await submit(v1, soul());
  const jobs = emulator.jobsOf(ref);
  assert.equal(jobs.length, 4);
  return { emulator, v1, ref, jobs, look: () => check(v1, ref) };
};

describe("a v1 submit", () => {
  it("wraps the input in params, sends its own two headers, and bills a batch of four once", async () => {
    const { emulator, v1 } = await setup();
    await submit(v1, soul({ webhook: "https://app.example.com/hooks/x" }));
    const [request] = emulator.requests;
    const { params, webhook } = request?.json as { params: unknown; webhook: { url: string; secret: string } };
    assert.deepEqual(params, { batch_size: 4, quality: "1080p", prompt: "a lake" });
    assert.equal(webhook.url, "https://app.example.com/hooks/x");
    assert.match(webhook.secret, /^[0-9a-f]{64}$/);
    assert.deepEqual(
      ["hf-api-key", "hf-secret", "authorization"].map((name) => request?.headers.get(name)),
      ["hf-id", "hf-secret", null],
    );
    assert.equal(emulator.ledger.length, 1);
  });

  it("wraps input media as each route wants them", async () => {
    const { emulator, v1 } = await setup();
    const image = "https://files.example.com/a.png";
    const wrapped = { type: "image_url", image_url: image };
    const sent = async (model: string, inputs: string[], params: Record<string, unknown> = {}) => {
      await submit(v1, generation({ model, inputs, params }));
      return (emulator.requests.at(-1)?.json as { params: Record<string, unknown> }).params;
    };
    assert.deepEqual((await sent("v1/text2image/soul", [image])).image_reference, wrapped);
    assert.deepEqual((await sent("v1/image2video/dop", [image], { model: "dop-turbo" })).input_images, [wrapped]);
    const spoken = await sent("v1/speak/higgsfield", [image, "https://files.example.com/a.wav"], { quality: "mid" });
    assert.deepEqual(spoken.input_image, wrapped);
    assert.deepEqual(spoken.input_audio, { type: "audio_url", audio_url: "https://files.example.com/a.wav" });
  });

  it("is not idempotent and says so: a lost answer stays ambiguous and is never sent again by itself", async () => {
    const { emulator, v1 } = await setup();
    assert.equal(v1.capabilities.idempotentSubmit, false);
    emulator.faults.add({ on: "submit", how: "reset_after_accept" });
    assert.equal((await v1.submit(soul(), never)).kind, "ambiguous");
    assert.deepEqual(await v1.find("x", 0, never), { kind: "unknown" });
    assert.equal(emulator.requests.length, 1);
  });

  it("goes to v1 paths only", async () => {
    const { emulator, v1 } = await setup();
    for (const model of ["nano-banana", "v1/../requests", "v1", "v1/a?b=c"]) {
      const outcome = await v1.submit(generation({ model }), never);
      assert.equal(outcome.kind === "rejected" && outcome.code, "model_unavailable", model);
    }
    assert.equal(emulator.requests.length, 0);
  });
});

describe("a job set of four", () => {
  it("is queued, runs with progress as they end at different times, and completes with the last", async () => {
    const { emulator, jobs, look } = await four();
    assert.deepEqual(await look(), { kind: "queued" });
    emulator.start(jobs[0] ?? "");
    assert.deepEqual(await look(), { kind: "running" });
    const seen: unknown[] = [];
    for (const job of jobs) {
      emulator.finish(job);
      const outcome = await look();
      seen.push(outcome.kind === "running" ? outcome.progress : outcome.kind === "completed" && outcome.outputs.length);
    }
    assert.deepEqual(seen, [0.25, 0.5, 0.75, 4]);
  });

  it("completes with those that succeeded when others did not", async () => {
    const { emulator, jobs, look } = await four();
    const [a = "", b = "", c = "", d = ""] = jobs;
    emulator.finish(a, { kind: "moderated" });
    emulator.finish(b, { kind: "failed", message: "x" });
    emulator.finish(c);
    assert.equal((await look()).kind, "running");
    emulator.finish(d);
    const done = await look();
    assert.deepEqual(done.kind === "completed" && done.outputs.length, 2);
  });

  it("ends as its jobs do when none succeeded: all moderated, else failed with the count", async () => {
    const moderated = await four();
    for (const job of moderated.jobs) moderated.emulator.finish(job, { kind: "moderated" });
    assert.deepEqual(await moderated.look(), { kind: "moderated" });
    const mixed = await four();
    for (const [i, job] of mixed.jobs.entries()) mixed.emulator.finish(job, { kind: i % 2 ? "moderated" : "failed" });
    assert.deepEqual(await mixed.look(), {
      kind: "failed",
      code: "generation_failed",
      message: "Of 4 pictures, 2 failed, 2 moderated",
      retryable: false,
    });
  });

  it("is unknown during an outage and gone when nobody knows it", async () => {
    const { emulator, v1, look } = await four();
    for (const how of ["html", "empty", "reset_before_read", { status: 500 }] as const) {
      const undo = emulator.faults.add({ on: "status", how, times: Number.POSITIVE_INFINITY });
      assert.equal((await look()).kind, "unknown");
      undo();
    }
    assert.equal((await look()).kind, "queued");
    assert.deepEqual(await check(v1, "../x"), { kind: "gone" });
  });
});

describe("jobs of which little is said", () => {
  const done = {
    results: { raw: { url: "https://cdn.higgsfield.ai/raw.png" }, min: { url: "https://cdn.higgsfield.ai/min.webp" } },
  };

  it("are done when they have results and under way when not, without any status", () => {
    assert.deepEqual(jobSetIn([{ results: null }, done]), { kind: "running", progress: 0.5 });
    assert.deepEqual(jobSetIn([done]), { kind: "completed", outputs: [{ url: "https://cdn.higgsfield.ai/raw.png" }] });
  });

  it("are under way under an unknown status, and so is an empty set", () => {
    assert.deepEqual(jobSetIn([{ status: "warming_up", results: null }]), { kind: "running" });
    assert.deepEqual(jobSetIn([]), { kind: "running" });
    assert.deepEqual(jobSetIn([null, 7]), { kind: "running" });
  });

  it("complete without outputs when there are none, and are canceled when all are", () => {
    assert.deepEqual(jobSetIn([{ status: "completed", results: null }]), { kind: "completed", outputs: [] });
    assert.deepEqual(jobSetIn([{ status: "canceled" }, { status: "canceled" }]), { kind: "canceled" });
  });
});
