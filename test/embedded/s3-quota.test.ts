import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { clientOn, startEmbedded, storageOn } from "../storage/targets.ts";
import { until } from "../streams/until.ts";

const MIB = 1024 * 1024;
const QUOTA = 16 * MIB;
/** Of the trailers, of which every object and part has one. */
const SMALL = 64 * 1024;
const bytes = (mib: number) => Buffer.alloc(Math.round(mib * MIB), mib);

describe("an embedded S3 with a quota", () => {
  let target: Awaited<ReturnType<typeof startEmbedded>>;
  let storage: ReturnType<typeof storageOn>;
  let client: ReturnType<typeof clientOn>;
  const put = async (key: string, mib: number) => {
    const url = await storage.presignPut(key, 60);
    const answer = await fetch(url, { method: "PUT", body: new Uint8Array(bytes(mib)) });
    const text = await answer.text();
    return answer.ok ? "stored" : /<Code>(\w+)<\/Code>/.exec(text)?.[1];
  };

  before(async () => {
    target = await startEmbedded({ quotaBytes: QUOTA + SMALL });
    storage = storageOn(target);
    client = clientOn(target);
  });
  beforeEach(async () => {
    await storage.remove(["a", "b", "c"]);
  });
  after(async () => {
    storage.close();
    await target.close();
  });

  it("refuses what does not fit, and then nothing has changed", async () => {
    assert.equal(await put("a", 10), "stored");
    assert.equal(await put("b", 7), "QuotaExceeded");
    assert.equal(await storage.stat("b"), null);
    assert.equal((await storage.stat("a"))?.size, 10 * MIB);
    assert.deepEqual(await readdir(join(target.dir, target.bucket, "temp")), []);
    assert.equal(await put("b", 6), "stored", "what was refused took no room");
  });

  it("has room again for what was removed, and for what is replaced by less", async () => {
    assert.equal(await put("a", 8), "stored");
    assert.equal(await put("a", 5), "stored");
    assert.equal(await put("b", 11), "stored");
    assert.equal(await put("c", 1), "QuotaExceeded");
    await storage.remove(["b"]);
    assert.equal(await put("c", 11), "stored");
  });

  it("counts copies", async () => {
    assert.equal(await put("a", 9), "stored");
    await assert.rejects(storage.copy("a", "b", "image/png"));
    assert.equal(await storage.stat("b"), null);
  });

  it("counts parts once, also when they have become an object, and not when they were given up", async () => {
    const begin = (key: string) => client.initiateNewMultipartUpload(target.bucket, key, {});
    const part = (key: string, uploadID: string, partNumber: number, mib: number) =>
      client.uploadPart({ bucketName: target.bucket, objectName: key, uploadID, partNumber, headers: {} }, bytes(mib));
    const [one, two] = [await begin("a"), await begin("b")];
    const etags = [await part("a", one, 1, 6), await part("a", one, 2, 5)];
    await assert.rejects(part("b", two, 1, 6));
    await client.completeMultipartUpload(target.bucket, "a", one, etags);
    assert.equal(await put("c", 5), "stored");
    await storage.remove(["c"]);
    await part("b", two, 1, 5);
    assert.equal(await put("c", 1), "QuotaExceeded");
    await client.abortMultipartUpload(target.bucket, "b", two);
    assert.equal(await put("c", 5), "stored");
  });
});

it("does not lose count however often small objects are written, copied, joined and removed", async () => {
  const target = await startEmbedded({ quotaBytes: 100_000 });
  const [storage, client] = [storageOn(target), clientOn(target)];
  const put = (key: string, size: number) => storage.put(key, Buffer.alloc(size), { size, mime: "image/png" });
  await put("a", 50_000);
  for (let round = 0; round < 50; round++) {
    await put("b", 1);
    await storage.copy("b", "c", "image/webp");
    const upload = { bucketName: target.bucket, objectName: "d", headers: {} };
    const uploadID = await client.initiateNewMultipartUpload(target.bucket, "d", {});
    const part = await client.uploadPart({ ...upload, uploadID, partNumber: 1 }, Buffer.alloc(1));
    await client.completeMultipartUpload(target.bucket, "d", uploadID, [part]);
    await storage.remove(["c"]);
  }
  await assert.rejects(put("e", 55_000), "50,000 and these are too much");
  await put("e", 45_000);
  storage.close();
  await target.close();
});

it("counts what is there when it starts", async () => {
  const first = await startEmbedded();
  const filled = storageOn(first);
  await filled.put("a", bytes(10), { size: 10 * MIB, mime: "image/png" });
  const second = await startEmbedded({ dir: first.dir, quotaBytes: QUOTA + SMALL });
  const storage = storageOn(second);
  await assert.rejects(storage.put("b", bytes(7), { size: 7 * MIB, mime: "image/png" }));
  await storage.put("b", bytes(6), { size: 6 * MIB, mime: "image/png" });
  for (const each of [filled, storage]) each.close();
  for (const each of [second, first]) await each.close();
});

it("takes so many uploads at once, and tells the next one to come again", async () => {
  const target = await startEmbedded({ maxWrites: 2 });
  const storage = storageOn(target);
  const upload = async (body: BodyInit) => {
    const init = { method: "PUT", body, duplex: "half" } as RequestInit;
    const answer = await target.s3.handle(new Request(await storage.presignPut("a", 60), init));
    return { status: answer?.status, text: await answer?.text(), retryAfter: answer?.headers.get("retry-after") };
  };
  const slow = [0, 1].map(() => new TransformStream<Uint8Array, Uint8Array>());
  const uploads = slow.map(({ readable }) => upload(readable));
  await until(async () => (await readdir(join(target.dir, target.bucket, "temp"))).length === 2);
  const { status, text, retryAfter } = await upload("x");
  assert.deepEqual([status, /<Code>(\w+)/.exec(text ?? "")?.[1], retryAfter], [503, "SlowDown", "1"]);
  await Promise.all(slow.map(({ writable }) => writable.close()));
  assert.deepEqual(
    (await Promise.all(uploads)).map(({ status }) => status),
    [200, 200],
  );
  assert.equal((await upload("x")).status, 200);
  storage.close();
  await target.close();
});
