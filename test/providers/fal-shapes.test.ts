import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { complaintIn, isLocked, isModerated } from "../../src/providers/fal/complaint.ts";
import { inputOf } from "../../src/providers/fal/input.ts";
import { logsIn, progressIn } from "../../src/providers/fal/logs.ts";
import { outputsIn } from "../../src/providers/fal/outputs.ts";
import { isRef, refInUrl, refOf } from "../../src/providers/fal/ref.ts";
import { generation } from "./fal-setup.ts";

const urls = (result: unknown) => outputsIn(result).outputs.map(({ url }) => url);
const file = (name: string, content_type?: string) => ({ url: `https://v3.fal.media/files/${name}`, content_type });
const at = (name: string) => file(name).url;

describe("what a fal model made", () => {
  it("is found in the shapes of image and video models, with its type", () => {
    assert.deepEqual(outputsIn({ images: [file("a", "image/jpeg"), file("b")], seed: 1, prompt: "p" }), {
      outputs: [{ url: at("a"), mime: "image/jpeg" }, { url: at("b") }],
      censored: false,
    });
    assert.deepEqual(urls({ video: file("v") }), [at("v")]);
    assert.deepEqual(urls({ image: file("i"), timings: { url: at("t") } }), [at("i")]);
    assert.deepEqual(urls({ audio_url: at("s") }), [at("s")]);
  });

  it("is found in any other shape, in order and once", () => {
    assert.deepEqual(urls({ data: { results: [{ clip: file("1") }, at("2"), file("1")] } }), [at("1"), at("2")]);
    assert.deepEqual(urls([]), []);
    for (const nothing of [null, "text", 7, {}, { images: [] }, { video: null }, { video: { url: "" } }]) {
      assert.deepEqual(urls(nothing), [], JSON.stringify(nothing));
    }
  });

  it("is not what went in, nor a mask beside it, nor a link within words", () => {
    assert.deepEqual(urls({ prompt: "https://example.com", input_image: file("in"), other: file("out") }), [at("out")]);
    assert.deepEqual(urls({ images: [file("a")], mask: file("m"), depth: file("d") }), [at("a")]);
    assert.deepEqual(urls({ note: "see https://example.com for more", data: "data:image/png;base64,AA" }), []);
  });

  it("leaves out what the model's checker has blacked out", () => {
    const images = [file("a"), file("b")];
    assert.deepEqual(urls({ images, has_nsfw_concepts: [false, true] }), [at("a")]);
    assert.deepEqual(outputsIn({ images, has_nsfw_concepts: [true, true] }), { outputs: [], censored: true });
    assert.deepEqual(urls({ images, has_nsfw_concepts: [false, false] }).length, 2);
    assert.deepEqual(urls({ images, has_nsfw_concepts: [true] }), [at("a"), at("b")]);
  });

  it("is bounded, however deep or long the result", () => {
    let deep: unknown = file("x");
    for (let depth = 0; depth < 100; depth += 1) deep = { deep };
    assert.deepEqual(urls(deep), []);
    assert.equal(urls({ images: Array.from({ length: 500 }, (_, index) => file(String(index))) }).length, 64);
  });
});

describe("what a fal model is asked", () => {
  it("is the parameters and the prompt, and the image where the model wants it", () => {
    const inputs = ["https://s3/a.png", "https://s3/b.png"];
    const asked = generation({ params: { seed: 1, prompt: "theirs" }, prompt: "ours" });
    assert.deepEqual(inputOf(asked), { seed: 1, prompt: "ours" });
    const one = inputOf({ ...asked, model: "fal-ai/flux-pro/kontext", inputs });
    assert.deepEqual(one, { seed: 1, prompt: "ours", image_url: inputs[0] });
    const many = inputOf({ ...asked, model: "fal-ai/flux-pro/kontext/max/multi", inputs });
    assert.deepEqual(many, { seed: 1, prompt: "ours", image_urls: inputs });
  });
});

describe("a ref of fal", () => {
  const isOurs = (host: string) => host === "queue.fal.run";

  it("drops the model's path, and keeps the namespaces that need it", () => {
    assert.equal(refOf("fal-ai/flux/dev", "r"), "fal-ai/flux/requests/r");
    assert.equal(refOf("comfy/me/flow/x/y", "r"), "comfy/me/flow/requests/r");
    assert.equal(refOf("fal-ai/veo3.1/fast", "r"), "fal-ai/veo3.1/requests/r");
    for (const [model, id] of [
      ["flux", "r"],
      ["fal-ai/../x", "r"],
      ["fal-ai/flux", "../r"],
      ["fal-ai/flux", ""],
    ] as const) {
      assert.equal(refOf(model, id), null, `${model} ${id}`);
    }
  });

  it("is read from fal's URLs only, and only for the request that was named", () => {
    const url = "https://queue.fal.run/fal-ai/flux/requests/r1/status";
    assert.equal(refInUrl(url, "r1", isOurs), "fal-ai/flux/requests/r1");
    assert.equal(
      refInUrl("https://queue.fal.run/workflows/a/b/requests/r1", "r1", isOurs),
      "workflows/a/b/requests/r1",
    );
    assert.equal(refInUrl(url, "r2", isOurs), null);
    assert.equal(refInUrl("https://evil.example/fal-ai/flux/requests/r1", "r1", isOurs), null);
    for (const nonsense of [undefined, 7, "", "not a url", "https://queue.fal.run/"]) {
      assert.equal(refInUrl(nonsense, "r1", isOurs), null);
    }
  });

  it("is checked before it becomes a URL", () => {
    assert.ok(isRef("fal-ai/flux/requests/80e732af-660e-45cd-bd63-580e4f2a94cc"));
    for (const forged of ["fal-ai/flux/requests/a?x", "/fal-ai/flux/requests/a", "a/b/c/requests/d", "fal-ai/flux"]) {
      assert.ok(!isRef(forged), forged);
    }
  });
});

describe("what fal says", () => {
  it("is read in both of its formats, and as a plain text", () => {
    const none = new Headers();
    const model = complaintIn(none, {
      detail: [{ loc: ["body", "image_url"], msg: "too small", type: "image_too_small" }],
    });
    assert.deepEqual([model.type, model.message, model.structured], ["image_too_small", "image_url: too small", true]);
    const platform = complaintIn(none, { detail: "Request timed out", error_type: "request_timeout" });
    assert.deepEqual([platform.type, platform.message], ["request_timeout", "Request timed out"]);
    const header = complaintIn(new Headers({ "X-Fal-Error-Type": "internal_error" }), null);
    assert.deepEqual([header.type, header.message, header.structured], ["internal_error", null, true]);
    const plain = complaintIn(none, { detail: "no" });
    assert.deepEqual([plain.type, plain.message, plain.structured], [null, "no", false]);
    for (const nonsense of [null, "text", [], { detail: [null, 7, {}] }, { detail: { a: 1 } }]) {
      assert.equal(complaintIn(none, nonsense).message, null);
    }
  });

  it("is cut, and understood where it matters", () => {
    assert.equal(complaintIn(new Headers(), { detail: "x".repeat(5000) }).message?.length, 300);
    assert.ok(isLocked(complaintIn(new Headers(), { detail: "User is locked. Reason: Exhausted balance." })));
    const unloadable = complaintIn(new Headers(), {
      detail: "cannot load https://s3/a.png?X-Amz-Signature=s3cret (403)",
    });
    assert.equal(unloadable.message, "cannot load https://s3/a.png (403)");
    const second = { detail: [{ type: "missing" }, { type: "content_policy_violation" }] };
    assert.ok(isModerated(complaintIn(new Headers(), second)));
  });

  it("in logs is shown by its last lines, and its progress bar by a number", () => {
    const logs = [" 7%|▋  | 2/28 [00:00<00:03]", "25%|██▌ | 7/28 [00:01<00:03]", "", "saving"].map((message) => ({
      message,
    }));
    assert.equal(progressIn(logs), 0.25);
    assert.equal(logsIn(logs)?.split("\n").length, 3);
    assert.equal(logsIn(Array.from({ length: 50 }, () => ({ message: "x".repeat(900) })))?.length, 5 * 200 + 4);
    for (const none of [null, undefined, [], [null], [{ message: 7 }], "text"]) {
      assert.deepEqual([progressIn(none), logsIn(none)], [null, null]);
    }
    assert.equal(progressIn([{ message: "GPU at 97% of its memory" }]), null);
  });
});
