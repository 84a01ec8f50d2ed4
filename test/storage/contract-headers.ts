import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import type { Ground } from "./contract-requests.ts";

const PNG = "image/png";
const MINUTE_MS = 60_000;
const SAID = {
  "content-type": PNG,
  "cache-control": "private, max-age=31536000, immutable",
  "content-disposition": 'attachment; filename="cat.png"',
};

/**
 * What is said of an object besides its bytes, and what is asked of it in headers. Not here, but with the embedded S3's
 * own tests: `If-Range`, which MinIO does not heed, and empty segments of keys, which it refuses.
 */
export const headerCases = (ground: () => Ground, { at }: { at: (msAgo: number) => Ground["storage"] }) => {
  const put = async (body: string, headers: Record<string, string> = SAID) => {
    const { storage, newKey } = ground();
    const key = newKey();
    const answer = await fetch(await storage.presignPut(key, 60), { method: "PUT", body, headers });
    assert.equal(answer.status, 200);
    return { key, url: await storage.url(key), etag: answer.headers.get("etag") ?? "" };
  };

  describe("headers", () => {
    it("that an object was put with are those that it is got with", async () => {
      const { url, etag } = await put("picture");
      const { headers } = await fetch(url);
      for (const [name, value] of Object.entries(SAID)) assert.equal(headers.get(name), value);
      assert.equal(headers.get("etag"), etag);
    });

    it("come alone in the answer to a HEAD", async () => {
      const { target, client } = ground();
      const { key, etag } = await put("picture");
      const answer = await fetch(await client.presignedUrl("HEAD", target.bucket, key, 60), { method: "HEAD" });
      assert.equal(answer.status, 200);
      for (const [name, value] of Object.entries({ ...SAID, etag, "content-length": "7", "accept-ranges": "bytes" })) {
        assert.equal(answer.headers.get(name), value, name);
      }
      assert.equal(await answer.text(), "");
      const missing = await client.presignedUrl("HEAD", target.bucket, ground().newKey(), 60);
      assert.equal((await fetch(missing, { method: "HEAD" })).status, 404);
    });

    it("of a copy are its source's, but for the type that it was given", async () => {
      const { storage, newKey } = ground();
      const [{ key }, to] = [await put("picture"), newKey()];
      await storage.copy(key, to, "image/webp");
      const { headers } = await fetch(await storage.url(to));
      assert.equal(headers.get("content-type"), "image/webp");
    });

    it("ask for parts at the edges", async () => {
      const { url } = await put("0123456789");
      const get = async (range: string) => {
        const answer = await fetch(url, { headers: { range } });
        return [answer.status, answer.headers.get("content-range"), answer.ok ? await answer.text() : ""];
      };
      assert.deepEqual(await get("bytes=0-0"), [206, "bytes 0-0/10", "0"]);
      assert.deepEqual(await get("bytes=9-9"), [206, "bytes 9-9/10", "9"]);
      assert.deepEqual(await get("bytes=-99"), [206, "bytes 0-9/10", "0123456789"]);
      assert.deepEqual((await get("bytes=-0"))[0], 416);
      assert.deepEqual((await get("bytes=99-"))[0], 416);
    });

    it("tell when an object was last changed, and ask whether it was since", async () => {
      const { url } = await put("picture");
      const modified = (await fetch(url)).headers.get("last-modified") ?? "";
      const since = async (name: string, value: string) => (await fetch(url, { headers: { [name]: value } })).status;
      const before = new Date(Date.parse(modified) - MINUTE_MS).toUTCString();
      assert.equal(await since("if-modified-since", modified), 304);
      assert.equal(await since("if-modified-since", before), 200);
      assert.equal(await since("if-unmodified-since", modified), 200);
      assert.equal(await since("if-unmodified-since", before), 412);
    });
  });

  describe("clocks", () => {
    it("may be ten minutes apart when a URL is signed, but not twenty", async () => {
      const { key } = await put("picture");
      for (const [minutes, status] of [
        [10, 200],
        [20, 403],
      ] as const) {
        const ahead = at(-minutes * MINUTE_MS);
        assert.equal((await fetch(await ahead.url(key))).status, status, `${minutes} minutes ahead`);
        ahead.close();
      }
    });
  });

  describe("keys", () => {
    it("with the characters of URLs are kept apart", async () => {
      const { storage, newKey } = ground();
      const prefix = newKey();
      const names = ["a?b#c", "a%3Fb%23c", "a+b", "a b", "a%20b", "a%2Bb", "a&b=c", "🦊.png", "🦊/", "a/b"];
      for (const each of names) {
        const key = `${prefix}/${each}`;
        const answer = await fetch(await storage.presignPut(key, 60), { method: "PUT", body: each });
        assert.equal(answer.status, 200, each);
      }
      for (const each of names) {
        const key = `${prefix}/${each}`;
        assert.equal(await (await fetch(await storage.url(key))).text(), each);
        assert.equal((await buffer(await storage.get(key))).toString(), each);
        assert.equal((await storage.stat(key))?.size, Buffer.byteLength(each));
      }
    });
  });
};
