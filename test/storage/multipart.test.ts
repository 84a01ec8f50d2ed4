import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes, randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { Problem } from "../../src/errors.ts";
import { storageOn, type Target, targets } from "./targets.ts";

const MIB = 1024 * 1024;
const MP4 = "video/mp4";

for (const { name, start } of targets()) {
  describe(`storage on ${name}`, { timeout: 60_000 }, () => {
    let target: Target;
    let storage: ReturnType<typeof storageOn>;
    const run = `uploads/${randomUUID()}`;
    let count = 0;
    const newKey = () => `${run}/${++count}`;

    before(async () => {
      target = await start();
      storage = storageOn(target);
      await storage.prepare();
    });
    after(async () => {
      const keys = Array.from({ length: count }, (_, n) => `${run}/${n + 1}`);
      for (const key of keys) {
        for await (const { uploadId } of storage.multipart.open(key)) await storage.multipart.abort(key, uploadId);
      }
      await storage.remove(keys);
      storage.close();
      await target.close();
    });

    const put = async (key: string, uploadId: string, part: number, bytes: Uint8Array) => {
      const url = await storage.multipart.presign(key, uploadId, part, 60);
      const response = await fetch(url, { method: "PUT", body: new Uint8Array(bytes) });
      assert.equal(response.status, 200, await response.text());
      return { number: part, etag: response.headers.get("etag")?.replaceAll('"', "") ?? "" };
    };
    const begun = async () => {
      const key = newKey();
      return [key, await storage.multipart.create(key, MP4)] as const;
    };
    const opened = async (key: string) => {
      const found: string[] = [];
      for await (const { uploadId } of storage.multipart.open(key)) found.push(uploadId);
      return found;
    };

    describe("an upload in parts", () => {
      it("becomes one object of its signed parts, in whatever order they came, each as often as it was sent", async () => {
        const [key, id] = await begun();
        const [first, second] = [randomBytes(5 * MIB), randomBytes(1000)];
        const last = await put(key, id, 2, second);
        await put(key, id, 1, randomBytes(5 * MIB));
        const again = await put(key, id, 1, first);
        assert.deepEqual(await storage.multipart.parts(key, id), [
          { ...again, size: 5 * MIB },
          { ...last, size: 1000 },
        ]);
        assert.equal(await storage.stat(key), null, "nothing before it is complete");
        assert.equal(await storage.multipart.complete(key, id, [again, last]), true);
        assert.ok((await buffer(await storage.get(key))).equals(Buffer.concat([first, second])));
        const { size, mime } = (await storage.stat(key)) ?? {};
        assert.deepEqual([size, mime], [5 * MIB + 1000, MP4]);
      });

      it("is over once it is complete: then there is nothing to list, to complete or to abort", async () => {
        const [key, id] = await begun();
        const part = await put(key, id, 1, randomBytes(10));
        await storage.multipart.complete(key, id, [part]);
        assert.equal(await storage.multipart.parts(key, id), null);
        await storage.multipart.abort(key, id);
        const again = await storage.multipart.complete(key, id, [part]);
        assert.ok(!again || (await storage.stat(key)) !== null);
        assert.equal((await storage.stat(key))?.size, 10);
      });

      it("that was aborted takes no more parts", async () => {
        const [key, id] = await begun();
        await put(key, id, 1, randomBytes(10));
        const url = await storage.multipart.presign(key, id, 2, 60);
        await storage.multipart.abort(key, id);
        assert.equal((await fetch(url, { method: "PUT", body: "late" })).status, 404);
        assert.equal(await storage.multipart.parts(key, id), null);
        assert.equal(await storage.multipart.complete(key, id, [{ number: 1, etag: "0".repeat(32) }]), false);
        await storage.multipart.abort(key, id);
        assert.equal(await storage.stat(key), null);
      });

      // By its whole key: MinIO lists below no other prefix.
      it("shows as open until then, with its age", async () => {
        const [key, first] = await begun();
        const second = await storage.multipart.create(key, MP4);
        const found: [string, string, boolean][] = [];
        for await (const one of storage.multipart.open(key)) {
          found.push([one.key, one.uploadId, Math.abs(Date.now() - one.begunAt) < 60_000]);
        }
        assert.deepEqual(
          found.sort(([, a], [, b]) => (a < b ? -1 : 1)),
          [first, second].sort().map((id) => [key, id, true]),
        );
        await storage.multipart.abort(key, first);
        assert.deepEqual(await opened(key), [second]);
        for await (const { key: other } of storage.multipart.open("uploads/none-of-these")) assert.fail(other);
      });

      it("is refused by a URL of another part, and by one that has expired", async () => {
        const [key, id] = await begun();
        const url = new URL(await storage.multipart.presign(key, id, 1, 60));
        url.searchParams.set("partNumber", "2");
        assert.equal((await fetch(url, { method: "PUT", body: "x" })).status, 403);
        const past = storageOn(target, { now: () => Date.now() - 120_000 });
        const expired = await past.multipart.presign(key, id, 1, 60);
        past.close();
        assert.equal((await fetch(expired, { method: "PUT", body: "x" })).status, 403);
      });

      it("is not joined of parts that are not there", async () => {
        const [key, id] = await begun();
        await put(key, id, 1, randomBytes(10));
        await assert.rejects(storage.multipart.complete(key, id, [{ number: 1, etag: "0".repeat(32) }]), /InvalidPart/);
        assert.equal(await storage.stat(key), null);
      });
    });
  });
}

it("no part of an upload goes anywhere while storage is away", async () => {
  const target = {
    endpoint: "http://127.0.0.1:1",
    bucket: "darkroom",
    keys: { accessKeyId: "a", secretAccessKey: "b" },
  };
  const storage = storageOn({ ...target, keys: { ...target.keys, region: "us-east-1" }, close: async () => {} });
  const away = (error: unknown) => error instanceof Problem && error.code === "unavailable";
  const { multipart } = storage;
  await assert.rejects(multipart.create("uploads/a", MP4), away);
  await assert.rejects(multipart.parts("uploads/a", "id"), away);
  await assert.rejects(multipart.complete("uploads/a", "id", [{ number: 1, etag: "0" }]), away);
  await assert.rejects(multipart.abort("uploads/a", "id"), away);
  await assert.rejects(async () => {
    for await (const { key } of multipart.open("uploads/")) assert.fail(key);
  }, away);
  storage.close();
});
