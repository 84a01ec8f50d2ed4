import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import type { CheckOutcome } from "../../src/ports.ts";
import { DownloadError } from "../../src/providers/download.ts";
import { decodeDataUrl } from "../../src/providers/replicate/inline.ts";
import { filesOf } from "../../src/providers/replicate/outputs.ts";
import type { How } from "../emulators/kit-faults.ts";
import { NSFW } from "../emulators/replicate-run.ts";
import { bytesOf, never, SEEDANCE, setup } from "./replicate-bundle.ts";

const urlsOf = (outcome: CheckOutcome) => (outcome.kind === "completed" ? outcome.outputs.map(({ url }) => url) : []);

describe("a check of a Replicate prediction", () => {
  it("walks the states and finds the outputs of any shape", async () => {
    await using bundle = await setup();
    const { emulator, provider, check } = bundle;
    const at = (name: string) => emulator.outputs.add(name);
    const [a, b, c] = [at("a.png"), at("b.png"), at("c.mp4")];
    const shapes: [output: unknown, urls: string[]][] = [
      [a, [a]],
      [
        [a, b, a],
        [a, b],
      ],
      [{ video: c, thumbnail: { url: a, width: 64 }, note: `see ${b}` }, [c, a]],
      [{ frames: [{ file: { url: a, name: "a.png", content_type: "image/png" } }, null, 3, true, b] }, [a, b]],
      ["a poem", []],
      [[], []],
      [null, []],
    ];
    for (const [output, urls] of shapes) {
      const ref = await bundle.accepted();
      for (let poll = 0; poll < 2; poll++) assert.deepEqual(await check(ref), { kind: "queued" });
      emulator.start(ref);
      for (let poll = 0; poll < 2; poll++) assert.deepEqual(await check(ref), { kind: "running" });
      emulator.finish(ref, { kind: "completed" }, output);
      const done = await check(ref);
      assert.equal(done.kind, "completed");
      assert.deepEqual(urlsOf(done), urls);
      assert.equal(done.kind === "completed" && done.cost?.unit, "seconds");
      for (const url of urls) assert.ok((await bytesOf(provider, url)) > 0);
    }
    assert.deepEqual(urlsOf(await check(await bundle.accepted())), []);
  });

  it("reads progress and the last lines from the logs", async () => {
    await using bundle = await setup();
    const ref = await bundle.accepted();
    bundle.emulator.start(ref);
    bundle.emulator.log(
      ref,
      "Using seed: 7\n  0%|          | 0/4 [00:00<?, ?it/s]\r 50%|█████     | 2/4 [00:01<00:01]",
    );
    const outcome = await bundle.check(ref);
    assert.deepEqual([outcome.kind === "running" && outcome.progress], [0.5]);
    assert.match((outcome.kind === "running" && outcome.logs) || "", /^Using seed: 7\n/);
    bundle.emulator.log(ref, `\n${"x".repeat(100_000)}`);
    const long = await bundle.check(ref);
    assert.ok(long.kind === "running" && (long.logs ?? "").length <= 1000);
  });

  it("tells moderation by the error's text, and nothing else", async () => {
    await using bundle = await setup();
    const end = async (message: string) => {
      const ref = await bundle.accepted();
      bundle.emulator.finish(ref, { kind: "failed", message });
      return bundle.check(ref);
    };
    const moderated = [
      NSFW,
      "All generated images contained NSFW content.",
      "The input or output was flagged as sensitive. Please try again with different inputs. (E005) (uIJ6l3ruRD)",
      "Your request was rejected by our safety system",
      "Content policy violation",
    ];
    for (const message of moderated) assert.deepEqual(await end(message), { kind: "moderated" }, message);
    const failed: [message: string, code: string, retryable: boolean][] = [
      ["E1000: unknown error", "provider_error", true],
      ["E1001: the model ran out of memory", "out_of_memory", false],
      ["E6716: timeout starting", "provider_timeout", true],
      ["Prediction interrupted; please retry (code: PA)", "provider_error", true],
      ["Input validation error: image: could not be fetched", "invalid_request", false],
      ["Traceback: /src/safety_checker.py is missing", "provider_error", false],
      ["keys are case-sensitive", "provider_error", false],
      ["", "provider_error", true],
    ];
    for (const [message, code, retryable] of failed) {
      const outcome = await end(message);
      assert.equal(outcome.kind, "failed", message);
      if (outcome.kind !== "failed") continue;
      assert.deepEqual([outcome.code, outcome.retryable], [code, retryable], message);
    }
    const page = await end(`<html><body><h1>502</h1>${"Bad gateway ".repeat(100)}</body></html>`);
    assert.ok(page.kind === "failed" && page.message.startsWith("502 Bad gateway") && page.message.length <= 300);
  });

  it("calls both ends of a deadline canceled", async () => {
    await using bundle = await setup();
    const { emulator, clock, check } = bundle;
    const [waiting, working] = [await bundle.accepted(), await bundle.accepted()];
    emulator.start(working);
    clock.ahead = 599_000;
    assert.deepEqual([(await check(waiting)).kind, (await check(working)).kind], ["queued", "running"]);
    clock.ahead = 602_000;
    assert.deepEqual([emulator.wire(waiting)?.status, emulator.wire(working)?.status], ["aborted", "canceled"]);
    for (const ref of [waiting, working]) assert.deepEqual(await check(ref), { kind: "canceled" });
  });

  it("calls an output expired an hour after completion, and its file too", async () => {
    await using bundle = await setup();
    const { emulator, provider, clock, check } = bundle;
    const ref = await bundle.accepted({ model: SEEDANCE });
    emulator.finish(ref);
    const [url = ""] = urlsOf(await check(ref));
    clock.ahead = 3_599_000;
    assert.ok((await bytesOf(provider, url)) > 0);
    clock.ahead = 3_601_000;
    const message = "Replicate no longer has the output";
    assert.deepEqual(await check(ref), { kind: "failed", code: "output_expired", message, retryable: false });
    const expired = (error: unknown) => error instanceof DownloadError && error.code === "output_expired";
    await assert.rejects(bytesOf(provider, url), expired);
  });

  it("does not know while the API is broken, and goes on when it recovers", async () => {
    await using bundle = await setup();
    const ref = await bundle.accepted();
    const broken: How[] = [
      "reset_before_read",
      "html",
      "empty",
      { status: 500, json: { detail: "boom" } },
      { status: 429, json: { detail: "Request was throttled. Your rate limit resets in ~30s." } },
      { status: 404, headers: { "content-type": "text/html" }, body: "<h1>404</h1>" },
      { status: 200, json: [] },
      { status: 200, body: '{"id":"x"' },
    ];
    for (const how of broken) {
      // Standing, because a runtime may send a GET again when its connection breaks.
      const mend = bundle.emulator.faults.add({ on: "status", how, times: Number.POSITIVE_INFINITY });
      assert.equal((await bundle.check(ref)).kind, "unknown", JSON.stringify(how));
      mend();
      assert.deepEqual(await bundle.check(ref), { kind: "queued" });
    }
  });

  it("keeps running on a status that it does not know", async () => {
    await using bundle = await setup();
    const ref = await bundle.accepted();
    bundle.emulator.show("rebooting");
    assert.deepEqual(await bundle.check(ref), { kind: "running" });
  });

  it("reads files that stand in the answer itself, without carrying them along", async () => {
    await using bundle = await setup({ emulator: { inline: true } });
    const { emulator, provider, check } = bundle;
    const ref = await bundle.accepted();
    emulator.finish(ref);
    const [url = ""] = urlsOf(await check(ref));
    assert.equal(url, `${emulator.base}/predictions/${ref}#inline=0`);
    const { size, mime } = await provider.download({ url }, never);
    assert.deepEqual([mime, (size ?? 0) > 60], ["image/png", true]);
    assert.equal(await bytesOf(provider, url), size);
    await assert.rejects(bytesOf(provider, url.replace("inline=0", "inline=1")), DownloadError);
    const { body } = await provider.download({ url: emulator.outputs.add("x.png") }, never);
    body.destroy();
  });
});

describe("a cancel at Replicate", () => {
  it("takes effect in the queue and while running, and leaves alone what has finished", async () => {
    await using bundle = await setup();
    const { emulator, provider, check } = bundle;
    const refs = [await bundle.accepted(), await bundle.accepted(), await bundle.accepted()] as const;
    emulator.start(refs[1]);
    emulator.finish(refs[2]);
    const kinds = await Promise.all(refs.map(async (ref) => (await provider.cancel(ref, never)).kind));
    assert.deepEqual(kinds, ["canceled", "canceled", "already_finished"]);
    const after = await Promise.all(refs.map(async (ref) => (await check(ref)).kind));
    assert.deepEqual(after, ["canceled", "canceled", "completed"]);
    assert.deepEqual(await provider.cancel(refs[0], never), { kind: "canceled" });
  });

  it("is not known while it still reads as processing, and known when asked again", async () => {
    await using bundle = await setup({ emulator: { cancelLag: 1 } });
    const { emulator, provider, check } = bundle;
    const ref = await bundle.accepted();
    emulator.start(ref);
    assert.equal((await provider.cancel(ref, never)).kind, "unknown");
    assert.equal((await check(ref)).kind, "running");
    assert.deepEqual(await provider.cancel(ref, never), { kind: "canceled" });
  });

  it("is not known when the answer is lost or makes no sense", async () => {
    await using bundle = await setup();
    const ref = await bundle.accepted();
    const broken: How[] = ["reset_before_read", "html", "empty", { status: 500, json: {} }, { status: 403, body: "" }];
    for (const how of broken) {
      bundle.emulator.faults.add({ on: "cancel", how });
      assert.equal((await bundle.provider.cancel(ref, never)).kind, "unknown", JSON.stringify(how));
    }
    bundle.emulator.faults.add({ on: "cancel", how: { status: 409, json: { detail: "no" } } });
    assert.deepEqual(await bundle.provider.cancel(ref, never), { kind: "refused" });
    assert.equal((await bundle.provider.cancel("../account", never)).kind, "unknown");
  });
});

describe("what a Replicate model may put out", () => {
  it("is walked however deep and long it is, within bounds", () => {
    const url = (n: number) => `https://replicate.delivery/${n}.png`;
    const nested = (depth: number): unknown => (depth === 0 ? url(1) : { in: [nested(depth - 1)] });
    assert.deepEqual(filesOf(nested(8)), [url(1)]);
    assert.deepEqual(filesOf(nested(5000)), []);
    assert.equal(filesOf(Array.from({ length: 1000 }, (_, n) => url(n))).length, 64);
    const texts = [
      "http://",
      "https://a b",
      "see https://a.example/b.png",
      "data: none",
      "",
      "ftp://a.example/b",
      7,
      true,
    ];
    assert.deepEqual(filesOf(texts), []);
    assert.deepEqual(filesOf([" https://a.example/b.png\n", "data:image/png,x"]), [
      "https://a.example/b.png",
      "data:image/png,x",
    ]);
  });

  it("is decoded from base64 and from percent signs", () => {
    assert.deepEqual(decodeDataUrl("data:image/png;base64,AP8="), { bytes: Buffer.from([0, 255]), mime: "image/png" });
    assert.deepEqual(decodeDataUrl("data:image/svg+xml;charset=utf-8,%3Csvg%2F%3E%FF"), {
      bytes: Buffer.from([...Buffer.from("<svg/>"), 255]),
      mime: "image/svg+xml",
    });
    assert.deepEqual(decodeDataUrl("data:,x"), { bytes: Buffer.from("x") });
    assert.equal(decodeDataUrl("https://a.example/b,c"), null);
  });
});
