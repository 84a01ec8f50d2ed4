/** The emulator is what fal's own client takes it for. The client has no webhook verification. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { createFalClient, type FalClient } from "@fal-ai/client";
import { createFalEmulator, type FalEmulator } from "../emulators/fal.ts";
import { FAL_KEY } from "./fal-setup.ts";

/** A plain string: the client knows the exact inputs of models that it is given by name. */
const MODEL: string = "fal-ai/flux/dev";
const input = { prompt: "a lighthouse", num_images: 2 };
const forever = Number.POSITIVE_INFINITY;

/** The client has its hosts built in; its requests to them go to the emulator instead. */
const clientOf = (emulator: FalEmulator, credentials = FAL_KEY): FalClient => {
  const redirected = (target: string | URL | Request, init?: RequestInit) => {
    const url = new URL(target instanceof Request ? target.url : target);
    const isFal = ["queue.fal.run", "rest.fal.ai"].includes(url.host);
    return fetch(isFal ? `${emulator.url}${url.pathname}${url.search}` : url, init);
  };
  return createFalClient({ credentials, fetch: redirected as typeof fetch });
};

const rejectedWith = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => assert.fail("it should have been rejected"),
    (reason: unknown) => reason as { status?: number; body?: unknown; name?: string; isUserTimeout?: boolean },
  );
  return error;
};

describe("@fal-ai/client against the emulator", () => {
  let emulator: FalEmulator;
  let fal: FalClient;
  before(async () => {
    emulator = await createFalEmulator({ key: FAL_KEY, queueMs: forever, runMs: forever });
    fal = clientOf(emulator);
  });
  after(() => emulator.close());

  it("submits, watches and fetches a result", async () => {
    const { request_id: requestId, status } = await fal.queue.submit(MODEL, { input });
    assert.equal(status, "IN_QUEUE");
    assert.deepEqual(emulator.ledger.at(-1)?.body, input);
    const queued = await fal.queue.status(MODEL, { requestId, logs: true });
    assert.deepEqual([queued.status, "queue_position" in queued], ["IN_QUEUE", true]);
    emulator.start(requestId);
    const running = await fal.queue.status(MODEL, { requestId, logs: true });
    assert.ok(running.status === "IN_PROGRESS" && running.logs.length === 2);
    emulator.finish(requestId);
    const done = await fal.queue.status(MODEL, { requestId });
    assert.equal(done.status, "COMPLETED");
    const { data, requestId: named } = await fal.queue.result(MODEL, { requestId });
    assert.equal(named, requestId);
    assert.equal((data as { images: unknown[] }).images.length, 2);
  });

  it("subscribes until it is done, with the states in between", async () => {
    const seen: string[] = [];
    const done = fal.subscribe(MODEL, {
      input,
      pollInterval: 10,
      onEnqueue: (requestId) => emulator.start(requestId),
      onQueueUpdate: ({ status, request_id: requestId }) => {
        seen.push(status);
        if (status === "IN_PROGRESS") emulator.finish(requestId);
      },
    });
    assert.equal(((await done).data as { images: unknown[] }).images.length, 2);
    assert.deepEqual([...new Set(seen)], ["IN_PROGRESS", "COMPLETED"]);
  });

  it("hands over the webhook, the start timeout and the priority", async () => {
    const webhookUrl = "http://127.0.0.1:9/hook";
    await fal.queue.submit(MODEL, { input, webhookUrl, startTimeout: 30, priority: "low" });
    assert.equal(emulator.ledger.at(-1)?.webhook, webhookUrl);
    const headers = emulator.requests.at(-1)?.headers;
    assert.deepEqual([headers?.get("x-fal-request-timeout"), headers?.get("x-fal-queue-priority")], ["30", "low"]);
  });

  it("sees a policy violation and a missing field as validation errors of the result", async () => {
    for (const [ending, type] of [
      [{ kind: "moderated" }, "content_policy_violation"],
      [{ kind: "failed", code: "missing", message: "Field required" }, "missing"],
    ] as const) {
      const { request_id: requestId } = await fal.queue.submit(MODEL, { input });
      emulator.finish(requestId, ending);
      assert.equal((await fal.queue.status(MODEL, { requestId })).status, "COMPLETED");
      const error = await rejectedWith(fal.queue.result(MODEL, { requestId }));
      assert.deepEqual([error.name, error.status], ["ValidationError", 422]);
      assert.equal((error.body as { detail: { type: string }[] }).detail[0]?.type, type);
    }
  });

  it("sees failures of the model and of the platform, and whose timeout it was", async () => {
    const { request_id: requestId } = await fal.queue.submit(MODEL, { input });
    emulator.finish(requestId, { kind: "failed", message: "it broke" });
    assert.equal((await rejectedWith(fal.queue.result(MODEL, { requestId }))).status, 500);

    const late = await createFalEmulator({ queueMs: 3600_000, now: () => at });
    let at = 0;
    const other = clientOf(late);
    const { request_id: id } = await other.queue.submit(MODEL, { input, startTimeout: 2 });
    at = 2_000;
    const status = await other.queue.status(MODEL, { requestId: id });
    assert.equal((status as { error_type?: string }).error_type, "request_timeout");
    const error = await rejectedWith(other.queue.result(MODEL, { requestId: id }));
    assert.deepEqual([error.status, error.isUserTimeout], [504, true]);
    await late.close();
  });

  it("asks too early, or with a wrong key, or without credit, and is told so", async () => {
    const { request_id: requestId } = await fal.queue.submit(MODEL, { input });
    assert.equal((await rejectedWith(fal.queue.result(MODEL, { requestId }))).status, 400);
    assert.equal((await rejectedWith(clientOf(emulator, "a:b").queue.status(MODEL, { requestId }))).status, 401);
    assert.equal((await rejectedWith(fal.queue.status(MODEL, { requestId: "unknown" }))).status, 404);
    emulator.lock();
    const error = await rejectedWith(fal.queue.submit(MODEL, { input }));
    emulator.lock(false);
    assert.equal(error.status, 403);
    assert.match(JSON.stringify(error.body), /User is locked/);
  });

  it("cancels in the queue and while running, and not what is over", async () => {
    const { request_id: queued } = await fal.queue.submit(MODEL, { input });
    await fal.queue.cancel(MODEL, { requestId: queued });
    const { request_id: running } = await fal.queue.submit(MODEL, { input });
    emulator.start(running);
    await fal.queue.cancel(MODEL, { requestId: running });
    for (const requestId of [queued, running]) {
      const status = await fal.queue.status(MODEL, { requestId });
      assert.equal((status as { error_type?: string }).error_type, "client_cancelled");
      const error = await rejectedWith(fal.queue.cancel(MODEL, { requestId }));
      assert.deepEqual([error.status, error.body], [400, { status: "ALREADY_COMPLETED" }]);
    }
  });

  it("uploads a file in one piece, and one that it finds in the input", async () => {
    const bytes = Buffer.from("a picture");
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const url = await fal.storage.upload(new File([bytes], "a.png", { type: "image/png" }));
    const expected = { name: "a.png", mime: "image/png", size: 9, sha256, parts: 1 };
    assert.deepEqual(emulator.storage.find(url), expected);
    const put = emulator.requests.findLast(({ on }) => on === "upload");
    assert.equal(put?.headers.get("authorization"), null, "the key does not go to the storage");

    await fal.queue.submit(MODEL, { input: { prompt: "p", image_url: new Blob([bytes], { type: "image/png" }) } });
    const submitted = emulator.ledger.at(-1)?.body as { image_url: string };
    assert.equal(emulator.storage.find(submitted.image_url)?.sha256, sha256);
  });

  it("uploads more than 90 MB in parts", async () => {
    const part = Buffer.alloc(1024 * 1024, 5);
    const blob = new Blob(
      Array.from({ length: 91 }, () => part),
      { type: "video/mp4" },
    );
    const upload = emulator.storage.find(await fal.storage.upload(blob));
    assert.deepEqual([upload?.size, upload?.parts], [blob.size, 10]);
    assert.match(upload?.sha256 ?? "", /^[0-9a-f]{64}$/);
  });

  it("may bill twice: it posts a submit again that has only lost its answer", async () => {
    const before = emulator.ledger.length;
    emulator.faults.add({ on: "submit", how: { status: 503, carriedOut: true } });
    await fal.queue.submit(MODEL, { input });
    assert.equal(emulator.ledger.length - before, 2);
  });
});
