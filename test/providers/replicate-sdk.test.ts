/** The official SDK against the emulator: what it does there shows that the emulator speaks Replicate. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import Replicate, { validateWebhook } from "replicate";
import { createInbox } from "../emulators/kit-inbox.ts";
import {
  createReplicateEmulator,
  HELLO,
  type ReplicateOptions,
  TOKEN,
  WEBHOOK_SECRET,
} from "../emulators/replicate.ts";

const FLUX = "black-forest-labs/flux-schnell";
const INPUT = { prompt: "a lighthouse" };
const BY_HAND = { queueMs: Number.POSITIVE_INFINITY, runMs: Number.POSITIVE_INFINITY };

const setup = async (options: ReplicateOptions = {}) => {
  const emulator = await createReplicateEmulator(options);
  const replicate = new Replicate({ auth: TOKEN, baseUrl: emulator.base });
  return { emulator, replicate, [Symbol.asyncDispose]: () => emulator.close() };
};

describe("the official Replicate SDK at the emulator", () => {
  it("runs an official model and a version, waiting in the call and by polling", async () => {
    await using bundle = await setup();
    const { emulator, replicate } = bundle;
    const images = (await replicate.run(FLUX, { input: INPUT })) as string[];
    assert.match(images[0] ?? "", /\/outputs\/.*\.png$/);
    assert.equal((await fetch(images[0] ?? "")).status, 200);
    const video = await replicate.run("bytedance/seedance-1-lite", {
      input: INPUT,
      wait: { mode: "poll", interval: 1 },
    });
    assert.match(String(video), /\.mp4$/);
    const seen: string[] = [];
    await replicate.run(`${HELLO.name}:${HELLO.version}`, { input: INPUT }, ({ status }) => seen.push(status));
    assert.equal(seen.at(-1), "succeeded");
    assert.equal(emulator.ledger.length, 3);
  });

  it("follows a prediction through its states to outputs of any shape", async () => {
    await using bundle = await setup(BY_HAND);
    const { emulator, replicate } = bundle;
    const made = await replicate.predictions.create({ model: FLUX, input: INPUT });
    assert.deepEqual([made.status, made.output, made.data_removed], ["starting", null, false]);
    emulator.start(made.id);
    emulator.log(made.id, " 40%|████      | 2/5 [00:01<00:02]");
    const seen: string[] = [];
    const done = replicate.wait(made, { interval: 1 }, async ({ status }) => {
      seen.push(status);
      emulator.finish(made.id, { kind: "completed" }, { video: "https://replicate.delivery/x.mp4" });
      return false;
    });
    assert.deepEqual((await done).output, { video: "https://replicate.delivery/x.mp4" });
    assert.deepEqual(seen, ["processing"]);
    assert.equal((await replicate.predictions.get(made.id)).status, "succeeded");
  });

  it("gets files in the answer as file outputs", async () => {
    await using bundle = await setup({ inline: true });
    const [file] = (await bundle.replicate.run(FLUX, { input: INPUT })) as { blob(): Promise<Blob> }[];
    assert.ok(((await file?.blob())?.size ?? 0) > 60);
  });

  it("throws the model's failure and the API's refusals", async () => {
    await using bundle = await setup(BY_HAND);
    const { emulator, replicate } = bundle;
    emulator.onSubmit("before_answer", () => emulator.finish(emulator.ledger.at(-1)?.id ?? "", { kind: "moderated" }));
    const polled = replicate.run(FLUX, { input: INPUT, wait: { mode: "poll", interval: 1 } });
    await assert.rejects(polled, /Prediction failed: NSFW content detected/);
    await assert.rejects(replicate.run("nobody/nothing", { input: INPUT }), /status 404/);
    await assert.rejects(replicate.run(FLUX, { input: {} }), /status 422 .*prompt is required/s);
    emulator.setBroke(true);
    await assert.rejects(replicate.run(FLUX, { input: INPUT }), /status 402 .*Insufficient credit/s);
    const stranger = new Replicate({ auth: "r8_wrong", baseUrl: emulator.base });
    await assert.rejects(stranger.predictions.list(), /status 401 .*Unauthenticated/s);
  });

  it("cancels what waits and what runs, and gets what has finished unchanged", async () => {
    await using bundle = await setup(BY_HAND);
    const { emulator, replicate } = bundle;
    const create = () => replicate.predictions.create({ model: FLUX, input: INPUT });
    const [waiting, working, finished] = [await create(), await create(), await create()];
    emulator.start(working.id);
    emulator.finish(finished.id);
    const statuses = [];
    for (const { id } of [waiting, working, finished]) statuses.push((await replicate.predictions.cancel(id)).status);
    assert.deepEqual(statuses, ["canceled", "canceled", "succeeded"]);
    await assert.rejects(replicate.predictions.cancel("nothing"), /status 404/);
  });

  it("pages through predictions, newest first", async () => {
    await using bundle = await setup({ ...BY_HAND, pageSize: 2 });
    const made: string[] = [];
    for (let i = 0; i < 5; i++) {
      made.push((await bundle.replicate.predictions.create({ model: FLUX, input: INPUT })).id);
    }
    const listed: string[] = [];
    for await (const page of bundle.replicate.paginate(bundle.replicate.predictions.list)) {
      listed.push(...page.map(({ id }) => id));
    }
    assert.deepEqual(listed, made.reverse());
  });

  it("uploads a file and uses its address as input, until it expires", async () => {
    const clock = { now: Date.now() };
    await using bundle = await setup({ now: () => clock.now });
    const { emulator, replicate } = bundle;
    const bytes = Buffer.from("not really a picture");
    const file = await replicate.files.create(new File([bytes], "cat.png", { type: "image/png" }), { of: "cat" });
    assert.deepEqual([file.size, file.content_type, file.metadata], [bytes.length, "image/png", { of: "cat" }]);
    assert.equal((await replicate.files.get(file.id)).checksums.sha256, file.checksums.sha256);
    await replicate.run("bytedance/seedream-4", { input: { ...INPUT, image_input: [new Blob([bytes])] } });
    const { input } = emulator.ledger.at(-1)?.body as { input: { image_input: string[] } };
    assert.match(input.image_input[0] ?? "", /\/v1\/files\//);
    assert.equal((await replicate.files.list()).results.length, 2);
    assert.equal(await replicate.files.delete(file.id), true);
    clock.now += 25 * 3_600_000;
    assert.equal((await replicate.files.list()).results.length, 0);
  });

  it("verifies the webhooks that the emulator sends, with the secret that it tells", async () => {
    const inbox = await createInbox();
    await using bundle = await setup(BY_HAND);
    const { emulator, replicate } = bundle;
    try {
      const made = await replicate.predictions.create({ model: FLUX, input: INPUT, webhook: `${inbox.url}/hook` });
      emulator.finish(made.id);
      await emulator.webhooks.settle();
      const { key } = await replicate.webhooks.default.secret.get();
      assert.equal(key, WEBHOOK_SECRET);
      assert.equal(inbox.received.length, 2);
      for (const { headers, body } of inbox.received) {
        const request = () => new Request("http://localhost/", { method: "POST", headers, body: body.toString() });
        assert.equal(await validateWebhook(request(), key), true);
        assert.equal(await validateWebhook(request(), "whsec_b3RoZXI="), false);
      }
    } finally {
      await inbox.close();
    }
  });

  it("is why Darkroom does not use it: it submits again when an answer is lost, and bills again", async () => {
    await using bundle = await setup();
    const { emulator, replicate } = bundle;
    emulator.faults.add({ on: "submit", how: "reset_after_accept", times: 2 });
    await replicate.predictions.create({ model: FLUX, input: INPUT });
    assert.equal(emulator.ledger.length, 3);
  });
});
