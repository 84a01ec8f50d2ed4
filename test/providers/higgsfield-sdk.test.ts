/** The official SDK against our emulator: what it can do with Higgsfield, it can do here. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, afterEach, describe, it } from "node:test";
import * as sdkV1 from "@higgsfield/client";
import * as sdkV2 from "@higgsfield/client/v2";
import { Webhook } from "standardwebhooks";
import { createHiggsfieldEmulator, type HiggsfieldOptions } from "../emulators/higgsfield.ts";
import { createInbox } from "../emulators/kit-inbox.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const FAST = { pollInterval: 5, retryBackoff: 1, retryMaxBackoff: 2, maxRetries: 3, maxPollTime: 5000, timeout: 5000 };

const closers: (() => Promise<void>)[] = [];
const closeAll = async () => {
  for (const close of closers.splice(0)) await close();
};
afterEach(closeAll);
after(closeAll);

const setup = async (options: HiggsfieldOptions = {}, credentials = "hf-id:hf-secret") => {
  const emulator = await createHiggsfieldEmulator({ queueMs: 20, runMs: 20, timers: true, ...options });
  closers.push(emulator.close);
  const [apiKey = "", apiSecret = ""] = credentials.split(":");
  const v2 = sdkV2.createHiggsfieldClient({ baseURL: emulator.url, credentials, ...FAST });
  const v1 = new sdkV1.HiggsfieldClient({ baseURL: emulator.url, apiKey, apiSecret, ...FAST });
  return { emulator, v1, v2 };
};

describe("the SDK's v2 client", () => {
  it("makes images and downloads them", async () => {
    const { emulator, v2 } = await setup();
    const input = { prompt: "a lake", num_images: 2 };
    const done = await v2.subscribe("nano-banana", { input });
    assert.equal(done.status, "completed");
    assert.equal(done.images?.length, 2);
    const image = await fetch(done.images?.[0]?.url ?? "");
    assert.equal(image.headers.get("content-type"), "image/png");
    assert.ok((await image.arrayBuffer()).byteLength > 0);
    const statuses = emulator.requests.filter(({ on }) => on === "status");
    assert.ok(statuses.length >= 2);
    assert.equal(emulator.ledger.length, 1);
    assert.deepEqual(emulator.ledger[0]?.body, input);
  });

  it("makes a video, with and without a leading slash", async () => {
    const { v2 } = await setup();
    for (const model of ["higgsfield-ai/dop/standard", "/higgsfield-ai/dop/standard"]) {
      const done = await v2.subscribe(model, {
        input: { prompt: "pan", image_url: "https://files.example.com/a.png" },
      });
      assert.match(done.video?.url ?? "", /\.mp4$/);
    }
  });

  it("sees failure and moderation", async () => {
    const { v2 } = await setup();
    const of = async (prompt: string) => (await v2.subscribe("nano-banana", { input: { prompt } })).status;
    assert.deepEqual([await of("a lake [fail]"), await of("a lake [moderate]")], ["failed", "nsfw"]);
  });

  it("registers a webhook, whose signature the reference library accepts", async () => {
    const { emulator, v2 } = await setup({ webhookSecrets: [SECRET] });
    const inbox = await createInbox();
    closers.push(inbox.close);
    const next = inbox.next();
    const webhook = { url: `${inbox.url}/hooks?a=1&b=2`, secret: "is dropped by the SDK" };
    const sent = await v2.subscribe("nano-banana", { input: { prompt: "a lake" }, webhook, withPolling: false });
    assert.equal(sent.status, "queued");
    const received = await next;
    assert.equal(received.path, "/hooks?a=1&b=2");
    const body = new Webhook(SECRET).verify(received.body.toString(), Object.fromEntries(received.headers));
    assert.equal((body as { request_id: string }).request_id, sent.request_id);
    assert.equal(emulator.ledger[0]?.webhook, webhook.url);
  });

  const errors: [string, (typeof sdkV2)["APIError"] | typeof sdkV2.AuthenticationError, HiggsfieldOptions][] = [
    ["bad credentials", sdkV2.AuthenticationError, { secret: "another" }],
    ["wrong input", sdkV2.ValidationError, {}],
  ];
  for (const [what, kind, options] of errors) {
    it(`throws its own error for ${what}, and asks four times as it does of Higgsfield`, async () => {
      const { emulator, v2 } = await setup(options);
      await assert.rejects(v2.subscribe("nano-banana", { input: {} }), kind);
      assert.equal(emulator.requests.length, 4);
      assert.equal(emulator.ledger.length, 0);
    });
  }

  it("bills twice when an answer is lost, because it sends no key: why it is not used in src", async () => {
    const { emulator, v2 } = await setup();
    emulator.faults.add({ on: "submit", how: "reset_after_accept" });
    await v2.subscribe("nano-banana", { input: { prompt: "a lake" } });
    assert.equal(emulator.ledger.length, 2);
  });

  it("does not know a canceled request and polls until its own time is up", async () => {
    const { emulator } = await setup({ queueMs: 60_000 });
    const v2 = sdkV2.createHiggsfieldClient({
      baseURL: emulator.url,
      credentials: "hf-id:hf-secret",
      ...FAST,
      maxPollTime: 60,
    });
    emulator.onSubmit("after_answer", () => emulator.finish(emulator.ledger[0]?.id ?? "", { kind: "canceled" }));
    await assert.rejects(v2.subscribe("nano-banana", { input: { prompt: "a lake" } }), sdkV2.TimeoutError);
  });
});

describe("the SDK's v1 client", () => {
  const params = { prompt: "a lake", batch_size: 4, quality: "720p", width_and_height: "1536x1536" };

  it("makes a batch of four", async () => {
    const { emulator, v1 } = await setup();
    const set = await v1.generate("/v1/text2image/soul", params);
    assert.equal(set.isCompleted, true);
    assert.equal(set.jobs.length, 4);
    assert.match(set.jobs[0]?.results?.raw.url ?? "", /\.png$/);
    assert.equal(emulator.ledger.length, 1);
  });

  it("makes a video, and sees failure and moderation", async () => {
    const { v1 } = await setup();
    const of = (prompt: string) =>
      v1.generate("/v1/image2video/dop", {
        model: "dop-turbo",
        prompt,
        input_images: [sdkV1.InputImage.fromUrl("https://files.example.com/a.png")],
      });
    assert.match((await of("pan")).jobs[0]?.results?.raw.url ?? "", /\.mp4$/);
    assert.equal((await of("pan [fail]")).isFailed, true);
    assert.equal((await of("pan [moderate]")).isNsfw, true);
  });

  it("gets its webhook's secret back", async () => {
    const { v1 } = await setup();
    const inbox = await createInbox();
    closers.push(inbox.close);
    const next = inbox.next();
    const webhook = sdkV1.webhook(`${inbox.url}/hooks`, "my-secret");
    await v1.generate("/v1/text2image/soul", params, { webhook, withPolling: false });
    const { headers, body } = await next;
    assert.equal(headers.get("x-webhook-secret-key"), "my-secret");
    assert.equal(JSON.parse(body.toString()).jobs.length, 4);
  });

  it("lists motions and styles", async () => {
    const { v1 } = await setup();
    assert.equal((await v1.getMotions())[0]?.name, "Dolly In");
    assert.equal((await v1.getSoulStyles())[0]?.name, "Editorial");
  });

  it("uploads where only the type is signed", async () => {
    const { v1 } = await setup({ generation: "mid" });
    const url = await v1.uploadImage(Buffer.from("image bytes"), "png");
    const stored = await fetch(url);
    assert.deepEqual([stored.headers.get("content-type"), await stored.text()], ["image/png", "image bytes"]);
  });

  it("cannot upload where the tags are signed, too: it leaves out the listed header", async () => {
    const { emulator, v1 } = await setup();
    await assert.rejects(v1.uploadImage(Buffer.from("image bytes"), "png"), /403/);
    const slot = await fetch(`${emulator.url}/files/generate-upload-url`, {
      method: "POST",
      headers: { authorization: "Key hf-id:hf-secret" },
      body: JSON.stringify({ content_type: "image/png" }),
    });
    const { upload_url, upload_headers, public_url } = (await slot.json()) as Record<string, string> & {
      upload_headers: Record<string, string>;
    };
    const put = await fetch(upload_url ?? "", { method: "PUT", headers: upload_headers, body: "image bytes" });
    assert.equal(put.status, 200);
    assert.equal(await (await fetch(public_url ?? "")).text(), "image bytes");
  });
});
