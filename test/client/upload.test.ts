import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Failure } from "../../src/client/failure.ts";
import { type Progress, type UploadOptions, upload } from "../../src/client/upload.ts";
import { noise } from "../attachments/uploads.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { openWay, type Way } from "./way.ts";

const MIB = 1024 * 1024;
const ADA = "01900000-0000-7000-8000-0000000000ad";
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("the client's upload", { timeout: 60_000 }, () => {
  let app: TestApp;
  let way: Way;
  let options: UploadOptions;
  before(async () => {
    way = await openWay();
    app = await startApp({ PUBLIC_URL: way.url });
    way.to(Number(new URL(app.url).port));
    options = { baseUrl: `${way.url}/`, headers: { authorization: `Bearer ${await app.token(ADA)}` }, pauseMs: 10 };
  });
  after(async () => {
    await app[Symbol.asyncDispose]();
    await way.close();
  });

  const film = (size: number) => {
    const bytes = new Uint8Array(randomBytes(size));
    bytes.set(new TextEncoder().encode("\0\0\0\x18ftypisom\0\0\x02\0isommp42"));
    return { bytes, file: new File([bytes], "fox.mp4", { type: "video/mp4" }) };
  };
  const follow = () => {
    const seen: Progress[] = [];
    return { seen, onProgress: (progress: Progress) => void seen.push(progress) };
  };
  const rises = (seen: Progress[], total: number) => {
    assert.deepEqual(seen[0], { sent: 0, total });
    assert.deepEqual(seen.at(-1), { sent: total, total });
    assert.ok(seen.every(({ sent }, n) => n === 0 || sent > (seen[n - 1]?.sent ?? 0)));
  };
  const failing = async (file: Blob, more: Partial<UploadOptions>) => {
    try {
      await upload(file, { ...options, ...more });
    } catch (error) {
      return error as Failure & { uploadId?: string };
    }
    return assert.fail("it did not fail");
  };

  it("brings a small file whole, and resolves to the attachment that may be used", async () => {
    const bytes = await noise(200, 100);
    const { seen, onProgress } = follow();
    const file = new File([bytes], "fox.jpg", { type: "image/jpeg" });
    const attachment = await upload(file, { ...options, onProgress });
    assert.deepEqual(
      [attachment.state, attachment.file_name, attachment.mime, attachment.width, attachment.height],
      ["ready", "fox.jpg", "image/jpeg", 200, 100],
    );
    rises(seen, bytes.length);
    const shown = await (await app.as(ADA)).get<{ sha256: string }>(`/attachments/${attachment.upload_id}`);
    assert.equal(shown.body.sha256, sha256(bytes));
    const named = await upload(new Blob([bytes]), { ...options, fileName: "other.jpg", contentType: "image/jpeg" });
    assert.equal(named.file_name, "other.jpg");
  });

  it("brings a large file in parts", async () => {
    const { bytes, file } = film(18 * MIB);
    const { seen, onProgress } = follow();
    const attachment = await upload(file, { ...options, onProgress });
    assert.deepEqual([attachment.state, attachment.sha256], ["ready", sha256(bytes)]);
    rises(seen, bytes.length);
    assert.ok(seen.length >= 4, "part by part");
  });

  it("goes on when connections break in the middle of parts: each is sent again by itself", async () => {
    const { bytes, file } = film(23 * MIB);
    const [carried, cuts] = [way.carried(), way.cuts()];
    way.cutAfter(3 * MIB, 11 * MIB, 19 * MIB, 20 * MIB);
    const { seen, onProgress } = follow();
    const attachment = await upload(file, { ...options, onProgress });
    assert.equal(way.cuts() - cuts, 4);
    assert.deepEqual([attachment.state, attachment.sha256], ["ready", sha256(bytes)]);
    rises(seen, bytes.length);
    const extra = way.carried() - carried - bytes.length;
    assert.ok(extra < 4 * 5 * MIB + MIB, `${extra} bytes more than once: what had arrived was not sent again`);
  });

  it("sends a small file again as a whole", async () => {
    const bytes = await noise(900, 900);
    const cuts = way.cuts();
    way.cutAfter(bytes.length / 2);
    const attachment = await upload(new Blob([bytes], { type: "image/jpeg" }), options);
    assert.deepEqual([way.cuts() - cuts, attachment.sha256], [1, sha256(bytes)]);
  });

  it("that has failed is resumed: what had arrived stays, and only the rest is sent", async () => {
    const { bytes, file } = film(23 * MIB);
    way.shutAfter(16 * MIB);
    const error = await failing(file, { tries: 2 });
    way.heal();
    assert.deepEqual([error.code, error.retryable], ["network", true]);
    const carried = way.carried();
    const { seen, onProgress } = follow();
    const attachment = await upload(file, { ...options, onProgress, resume: error.uploadId });
    assert.deepEqual([attachment.upload_id, attachment.sha256], [error.uploadId, sha256(bytes)]);
    rises(seen, bytes.length);
    assert.ok(way.carried() - carried < bytes.length, "not all of it again");
    const again = await upload(file, { ...options, resume: error.uploadId });
    assert.equal(again.sha256, sha256(bytes), "one that is done is not sent at all");
  });

  it("can be given up at any moment", async () => {
    const { file } = film(20 * MIB);
    const giving = new AbortController();
    const onProgress = ({ sent }: Progress) => {
      if (sent > 0) giving.abort(new Error("no longer"));
    };
    const error = await failing(file, { onProgress, signal: giving.signal });
    assert.equal(error.message, "no longer");
    assert.equal((await failing(file, { signal: AbortSignal.abort(new Error("never")) })).message, "never");
  });

  it("tells why a file is not taken", async () => {
    const page = new Blob(["<!doctype html>"], { type: "image/png" });
    assert.equal((await failing(page, {})).code, "type_mismatch");
    const { code, status } = await failing(new Blob(["x"], { type: "text/html" }), {});
    assert.deepEqual([code, status], ["validation_failed", 422]);
    assert.equal((await failing(page, { headers: { authorization: "Bearer x" } })).code, "unauthenticated");
    assert.equal((await failing(page, { baseUrl: "http://127.0.0.1:1", tries: 2 })).code, "network");
  });
});
