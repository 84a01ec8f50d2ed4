import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import sharp from "sharp";
import { createS3Storage } from "../../src/storage/s3.ts";
import { TEST_SECRET } from "../support/app.ts";
import { generate, jobWhen, say, startChat } from "../support/flow.ts";
import { type Remote, startRemote } from "../support/remote.ts";
import { RUNTIMES, type Runtime } from "../support/server.ts";

type Presigned = { upload_url: string; download_url: string; upload_id: string };
type Attachment = { state: string; error: { code: string } | null };

const PNG = "image/png";

const storage = (runtime: Runtime) => () => {
  let app: Remote;
  let picture: Uint8Array<ArrayBuffer>;
  before(async () => {
    app = await startRemote(runtime);
    const noise = { type: "gaussian", mean: 128, sigma: 40 } as const;
    picture = new Uint8Array(
      await sharp({ create: { width: 640, height: 480, channels: 3, background: "#000", noise } })
        .png()
        .toBuffer(),
    );
  });
  after(() => app[Symbol.asyncDispose]());

  const presign = async (size: number, type = PNG): Promise<Presigned> => {
    const wish = { file_name: "fox.png", content_type: type, size };
    const { status, body } = await app.client.post<Presigned>("/attachments/presign", wish);
    assert.equal(status, 200);
    return body;
  };
  const put = async (url: string, body: BodyInit, headers: Record<string, string> = {}) => {
    const answer = await fetch(url, { method: "PUT", body, headers: { "content-type": PNG, ...headers } });
    await answer.arrayBuffer();
    return answer.status;
  };
  const uploaded = async () => {
    const signed = await presign(picture.length);
    assert.equal(await put(signed.upload_url, picture), 200);
    await say(app.client, (await startChat(app.client)).id, "like this", [signed.upload_id]);
    return signed;
  };

  it("takes an upload by its signed URL, and gives it back", async () => {
    const { download_url } = await uploaded();
    const got = await fetch(download_url);
    assert.deepEqual([got.status, got.headers.get("content-type")], [200, PNG]);
    assert.equal(got.headers.get("content-length"), String(picture.length));
    assert.deepEqual(new Uint8Array(await got.arrayBuffer()), picture);
  });

  it("serves ranges, and nothing anew that the client has", async () => {
    const { download_url } = await uploaded();
    const { url } = await fetch(download_url);
    const part = await fetch(url, { headers: { range: "bytes=100-199" } });
    assert.deepEqual(
      [part.status, part.headers.get("content-range"), part.headers.get("content-length")],
      [206, `bytes 100-199/${picture.length}`, "100"],
    );
    assert.deepEqual(new Uint8Array(await part.arrayBuffer()), picture.slice(100, 200));
    const beyond = await fetch(url, { headers: { range: `bytes=${picture.length}-` } });
    assert.equal(beyond.status, 416);
    await beyond.body?.cancel();
    const whole = await fetch(url);
    await whole.arrayBuffer();
    const same = await fetch(url, { headers: { "if-none-match": whole.headers.get("etag") ?? "" } });
    assert.deepEqual([same.status, await same.text()], [304, ""]);
  });

  it("refuses what was not signed", async () => {
    const { upload_url } = await presign(picture.length);
    assert.equal(await put(upload_url.replace("/uploads/", "/media/"), picture), 403);
    assert.equal(await put(upload_url.replace(/X-Amz-Expires=\d+/, "X-Amz-Expires=9999"), picture), 403);
    const anonymous = await fetch(upload_url.split("?")[0] ?? "");
    assert.equal(anonymous.status, 403);
    await anonymous.body?.cancel();
  });

  it("takes no upload that is not what was announced", async () => {
    const signed = await presign(picture.length, "image/jpeg");
    assert.equal(await put(signed.upload_url, "no picture", { "content-type": "image/jpeg" }), 200);
    const chat = await startChat(app.client);
    const { status } = await app.client.post(`/chats/${chat.id}/messages`, {
      text: "like this",
      attachments: [signed.upload_id],
    });
    assert.equal(status, 422);
    const { body } = await app.client.get<Attachment>(`/attachments/${signed.upload_id}`);
    assert.equal(body.state, "rejected");
  });

  it("is an S3: takes a form with a policy, and what a client streams, but nothing beyond the policy", async () => {
    const secretAccessKey = createHmac("sha256", TEST_SECRET).update("embedded-s3").digest("hex");
    const keys = { accessKeyId: "darkroom", secretAccessKey, region: "us-east-1", bucket: "darkroom", pathStyle: true };
    const [internal, outside] = [{ endpoint: app.url }, { endpoint: app.url }];
    const s3 = createS3Storage({ ...keys, internal, public: outside, publicUrls: false, urlTtlSeconds: 600 });
    const policy = { mime: PNG, maxBytes: picture.length, seconds: 60 };
    const send = async (bytes: Uint8Array<ArrayBuffer>) => {
      const { url, fields } = await s3.presignPost("uploads/form", policy);
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      form.append("file", new Blob([bytes]), "fox.png");
      const answer = await fetch(url, { method: "POST", body: form });
      await answer.arrayBuffer();
      return answer.status;
    };
    assert.equal(await send(new Uint8Array(picture.length + 1)), 400);
    assert.equal(await s3.stat("uploads/form"), null);
    assert.equal(await send(picture), 204);
    assert.deepEqual(new Uint8Array(await buffer(await s3.get("uploads/form"))), picture);
    const large = Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(100_000)));
    await s3.put("uploads/large", large, { size: 10_000_000, mime: PNG });
    assert.equal((await s3.stat("uploads/large"))?.size, 10_000_000);
    await s3.remove(["uploads/form", "uploads/large"]);
    s3.close();
  });

  it("sends a picture that was made to many at once, and to one who leaves", async () => {
    const job = await jobWhen(app.client, (await generate(app.client, "a fox")).job);
    const url = String(job.result?.raw_url);
    const leaving = await fetch(url);
    await leaving.body?.cancel();
    const all = await Promise.all(
      Array.from({ length: 20 }, async () => (await (await fetch(url)).arrayBuffer()).byteLength),
    );
    assert.deepEqual(new Set(all), new Set([job.result?.size_bytes]));
    const looked = await fetch(url.replace(/\?.*/, ""), { method: "HEAD" });
    assert.equal(looked.status, 403);
  });
};

for (const runtime of RUNTIMES) describe(`the storage of Darkroom on ${runtime}`, storage(runtime));
