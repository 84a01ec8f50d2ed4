import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { request } from "node:http";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { Problem } from "../../src/errors.ts";
import { headerCases } from "./contract-headers.ts";
import { requestCases } from "./contract-requests.ts";
import { raw } from "./raw.ts";
import { clientOn, ORIGIN, storageOn, type Target, targets } from "./targets.ts";

const HOUR_MS = 3600_000;
const MIB = 1024 * 1024;
const PNG = "image/png";
const absent = (error: unknown) => error instanceof Problem && error.code === "not_found";
const code = async (response: Response) => /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1];

const form = (fields: Record<string, string>, file: Uint8Array<ArrayBuffer>) => {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  data.append("file", new Blob([file]), "cat.png");
  return { method: "POST", body: data };
};

for (const { name, start } of targets()) {
  describe(`storage on ${name}`, () => {
    let target: Target;
    let storage: ReturnType<typeof storageOn>;
    let client: ReturnType<typeof clientOn>;
    /** Every key of a run starts with this, so that a shared server needs no emptying. */
    const run = `contract/${randomUUID()}`;
    let count = 0;
    const newKey = (suffix = "") => `${run}/${++count}${suffix}`;
    const stored = async (text = "hello", mime = PNG) => {
      const key = newKey();
      await storage.put(key, Buffer.from(text), { size: Buffer.byteLength(text), mime });
      return key;
    };
    const textOf = async (key: string) => (await buffer(await storage.get(key))).toString();
    const at = (msAgo: number) => storageOn(target, { now: () => Date.now() - msAgo });

    before(async () => {
      target = await start();
      storage = storageOn(target);
      client = clientOn(target);
      await storage.prepare();
    });
    after(async () => {
      const keys: string[] = [];
      for await (const { name: key } of client.listObjectsV2(target.bucket, run, true)) keys.push(key);
      await storage.remove(keys);
      storage.close();
      await target.close();
    });

    describe("objects", () => {
      it("come back with their bytes, size and type", async () => {
        const key = await stored("hello", "image/webp");
        assert.equal(await textOf(key), "hello");
        const { size, mime, etag } = (await storage.stat(key)) ?? {};
        assert.deepEqual(
          { size, mime, etag },
          { size: 5, mime: "image/webp", etag: "5d41402abc4b2a76b9719d911017c592" },
        );
      });

      it("may be empty", async () => {
        const key = await stored("");
        assert.equal((await storage.stat(key))?.size, 0);
        assert.equal(await textOf(key), "");
      });

      it("that are absent have no stat and cannot be got", async () => {
        assert.equal(await storage.stat(newKey()), null);
        await assert.rejects(storage.get(newKey()), absent);
      });

      it("are replaced as a whole by concurrent writers", async () => {
        const key = newKey();
        const texts = Array.from({ length: 8 }, (_, index) => String(index).repeat(50_000 + index));
        await Promise.all(
          texts.map((text) => storage.put(key, Readable.from([text]), { size: text.length, mime: PNG })),
        );
        assert.ok(texts.includes(await textOf(key)));
      });

      it("of 64 MB come back as they were", { timeout: 60_000 }, async () => {
        const [key, chunk, count] = [newKey(), randomBytes(64 * 1024), 1024];
        const sent = createHash("sha256");
        function* chunks() {
          for (let index = 0; index < count; index++) {
            chunk.writeUInt32BE(index);
            const each = Buffer.from(chunk);
            sent.update(each);
            yield each;
          }
        }
        const source = Readable.from(chunks(), { objectMode: false });
        await storage.put(key, source, { size: count * chunk.length, mime: "video/mp4" });
        const received = createHash("sha256");
        for await (const part of await storage.get(key)) received.update(part as Buffer);
        assert.equal(received.digest("hex"), sent.digest("hex"));
      });

      it("fail to be put when the source fails or ends early, and then do not exist", async () => {
        const [broken, short] = [newKey(), newKey()];
        const source = Readable.from(
          (async function* () {
            yield "half";
            throw new Error("the disk is gone");
          })(),
        );
        await assert.rejects(storage.put(broken, source, { size: 100, mime: PNG }), /the disk is gone/);
        await assert.rejects(storage.put(short, Readable.from(["half"]), { size: 100, mime: PNG }));
        assert.equal(await storage.stat(broken), null);
        assert.equal(await storage.stat(short), null);
      });

      it("are copied under a new type", async () => {
        const [from, to] = [await stored("hello"), newKey(".webp")];
        await storage.copy(from, to, "image/webp");
        assert.equal(await textOf(to), "hello");
        assert.equal((await storage.stat(to))?.mime, "image/webp");
        assert.equal((await storage.stat(from))?.mime, PNG);
      });

      it("that are absent cannot be copied", async () => {
        await assert.rejects(storage.copy(newKey(), newKey(), PNG), absent);
      });

      it("are removed, absent ones too", async () => {
        const keys = [await stored(), await stored(), newKey()];
        await storage.remove(keys);
        for (const key of keys) assert.equal(await storage.stat(key), null);
        await storage.remove([]);
      });

      it("are listed below a prefix with their size and age, in the order of their keys", async () => {
        const prefix = `${newKey()}/`;
        for (const each of ["b", "a/2", "a/1"]) {
          await storage.put(prefix + each, Buffer.from(each), { size: each.length, mime: PNG });
        }
        const listed = await Array.fromAsync(storage.list(prefix));
        assert.deepEqual(
          listed.map(({ key, size }) => [key.slice(prefix.length), size]),
          [
            ["a/1", 3],
            ["a/2", 3],
            ["b", 1],
          ],
        );
        for (const { modified } of listed) assert.ok(Math.abs(modified - Date.now()) < HOUR_MS);
        assert.deepEqual(await Array.fromAsync(storage.list(`${prefix}none`)), []);
      });

      it("may have keys of any script and of characters that mean something elsewhere", async () => {
        const names = [
          "грибы/日本語 🎨.png",
          "a b&c=d'(e)!*;,$@:[x]~.png",
          "UPPER",
          "upper",
          "e\u0301",
          "\u00e9",
          "x%2Fy",
          "<&>\"'",
        ];
        for (const each of names) {
          const key = `${newKey()}/${each}`;
          await storage.put(key, Buffer.from(each), { size: Buffer.byteLength(each), mime: PNG });
          assert.equal(await textOf(key), each);
          const response = await fetch(await storage.url(key));
          assert.equal(await response.text(), each);
          const listed: string[] = [];
          for await (const entry of client.listObjectsV2(target.bucket, key, true)) listed.push(entry.name);
          assert.deepEqual(listed, [key]);
          await storage.remove([key]);
          assert.equal(await storage.stat(key), null, `${each} is removed`);
        }
      });

      it("cannot be named to lie outside of the bucket", async () => {
        for (const key of ["../evil", "a/../../evil", "./evil", ".."]) {
          await assert.rejects(storage.put(key, Buffer.from("x"), { size: 1, mime: PNG }), `${key} was taken`);
        }
        const paths = ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%252e%252e/x"];
        for (const path of paths) {
          const answer = await raw(target.endpoint, { path: `/${target.bucket}${path}` });
          assert.ok(answer.status >= 400, `${path} gave ${answer.status}`);
          assert.doesNotMatch(answer.text, /root:/);
        }
      });
    });

    describe("presigned URLs", () => {
      it("upload and download", async () => {
        const key = newKey();
        const put = await fetch(await storage.presignPut(key, 60), {
          method: "PUT",
          body: "picture",
          headers: { "content-type": PNG },
        });
        assert.equal(put.status, 200);
        const got = await fetch(await storage.url(key));
        assert.equal(got.status, 200);
        assert.equal(got.headers.get("content-type"), PNG);
        assert.equal(got.headers.get("content-length"), "7");
        assert.equal(got.headers.get("accept-ranges"), "bytes");
        assert.match(got.headers.get("etag") ?? "", /^"[0-9a-f]{32}"$/);
        assert.ok(Date.parse(got.headers.get("last-modified") ?? "") > 0);
        assert.equal(await got.text(), "picture");
      });

      it("are refused when any part of them was changed", async () => {
        const [key, other] = [await stored(), await stored("secret")];
        const url = await storage.url(key);
        const changed = [
          url.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
          url.replace(key, other),
          url.replace(/X-Amz-Expires=\d+/, "X-Amz-Expires=604800"),
          url.replace("X-Amz-Signature", "response-cache-control=x&X-Amz-Signature"),
        ];
        for (const each of changed) {
          const response = await fetch(each);
          assert.equal(response.status, 403);
          assert.equal(await code(response), "SignatureDoesNotMatch");
        }
      });

      it("are refused for another method", async () => {
        const key = await stored();
        const [get, put] = [await storage.url(key), await storage.presignPut(key, 60)];
        assert.equal((await fetch(get, { method: "PUT", body: "x" })).status, 403);
        assert.equal((await fetch(get, { method: "DELETE" })).status, 403);
        assert.equal((await fetch(put)).status, 403);
        assert.equal(await textOf(key), "hello");
      });

      it("are refused after they expired and before their time", async () => {
        const key = await stored();
        for (const storage of [at(2 * HOUR_MS), at(-2 * HOUR_MS)]) {
          const get = await fetch(await storage.url(key));
          assert.equal(get.status, 403);
          assert.equal(await code(get), "AccessDenied");
          const put = await fetch(await storage.presignPut(key, 60), { method: "PUT", body: "late" });
          assert.equal(put.status, 403);
          storage.close();
        }
        assert.equal(await textOf(key), "hello");
      });

      it("hold for the host that they were signed for, whatever the address", async () => {
        const outside = storageOn(target, { public: { endpoint: "https://files.example.com" } });
        const key = await stored();
        const url = new URL(await outside.url(key));
        assert.equal(url.origin, "https://files.example.com");
        const path = url.pathname + url.search;
        const proxied = await raw(target.endpoint, { path, headers: { host: "files.example.com" } });
        assert.deepEqual([proxied.status, proxied.text], [200, "hello"]);
        const direct = await raw(target.endpoint, { path });
        assert.equal(direct.status, 403);
        assert.match(direct.text, /SignatureDoesNotMatch/);
        outside.close();
      });

      it("of an unknown access key are refused", async () => {
        const stranger = storageOn(target, { accessKeyId: "stranger" });
        const response = await fetch(await stranger.url(await stored()));
        assert.equal(response.status, 403);
        assert.equal(await code(response), "InvalidAccessKeyId");
        stranger.close();
      });

      it("are needed: anonymous requests are refused", async () => {
        const address = `${target.endpoint}/${target.bucket}`;
        const key = await stored();
        const attempts: [string, RequestInit][] = [
          [`${address}/${key}`, {}],
          [`${address}/${key}`, { method: "PUT", body: "x" }],
          [`${address}/${key}`, { method: "DELETE" }],
          [`${address}?list-type=2`, {}],
        ];
        for (const [url, init] of attempts) assert.equal((await fetch(url, init)).status, 403, `${init.method} ${url}`);
      });

      it("answer 404 for an absent object and 304 for an unchanged one", async () => {
        const missing = await fetch(await storage.url(newKey()));
        assert.equal(missing.status, 404);
        assert.equal(await code(missing), "NoSuchKey");
        const url = await storage.url(await stored());
        const etag = (await fetch(url)).headers.get("etag") ?? "";
        assert.equal((await fetch(url, { headers: { "if-none-match": etag } })).status, 304);
        assert.equal((await fetch(url, { headers: { "if-match": '"other"' } })).status, 412);
      });

      it("serve ranges", async () => {
        const url = await storage.url(await stored("0123456789"));
        const get = async (range: string) => {
          const response = await fetch(url, { headers: { range } });
          return [response.status, response.headers.get("content-range"), await response.text()];
        };
        assert.deepEqual(await get("bytes=2-5"), [206, "bytes 2-5/10", "2345"]);
        assert.deepEqual(await get("bytes=7-"), [206, "bytes 7-9/10", "789"]);
        assert.deepEqual(await get("bytes=-3"), [206, "bytes 7-9/10", "789"]);
        assert.deepEqual(await get("bytes=8-99"), [206, "bytes 8-9/10", "89"]);
        assert.deepEqual((await get("bytes=10-")).slice(0, 1), [416]);
      });

      it("set the Content-Disposition that was signed", async () => {
        const key = await stored();
        const params = { "response-content-disposition": 'attachment; filename="cat.png"' };
        const url = await client.presignedGetObject(target.bucket, key, 60, params);
        assert.equal((await fetch(url)).headers.get("content-disposition"), 'attachment; filename="cat.png"');
      });

      it("refuse a body that does not match its Content-MD5", async () => {
        const key = newKey();
        const md5 = "XUFAKrxLKna5cZ2REBfFkg=="; // of "hello"
        const url = await storage.presignPut(key, 60);
        const bad = await fetch(url, { method: "PUT", body: "hullo", headers: { "content-md5": md5 } });
        assert.equal(bad.status, 400);
        assert.equal(await code(bad), "BadDigest");
        assert.equal(await storage.stat(key), null);
        assert.equal((await fetch(url, { method: "PUT", body: "hello", headers: { "content-md5": md5 } })).status, 200);
      });

      it("store nothing of an upload whose client leaves", async () => {
        const key = newKey();
        const url = new URL(await storage.presignPut(key, 60));
        await new Promise<void>((resolve) => {
          const sent = request(url, { method: "PUT", headers: { "content-length": "1000000" } });
          sent.on("error", () => resolve());
          sent.on("close", () => resolve());
          sent.write(randomBytes(100_000), () => sent.destroy());
        });
        assert.equal(await storage.stat(key), null);
      });
    });

    describe("header-signed requests", () => {
      it("must bring the body that was signed", async () => {
        const key = newKey();
        const wrong = "0".repeat(64);
        const put = { method: "PUT", bucketName: target.bucket, objectName: key, headers: { "content-length": "5" } };
        await assert.rejects(
          client.makeRequestStreamAsync(put, Buffer.from("hello"), wrong, [200], target.keys.region),
          (error: { code?: string }) => error.code === "XAmzContentSHA256Mismatch",
        );
        assert.equal(await storage.stat(key), null);
      });

      it("of a wrong secret are refused", async () => {
        const stranger = storageOn(target, { secretAccessKey: "not the secret key" });
        await assert.rejects(stranger.put(newKey(), Buffer.from("x"), { size: 1, mime: PNG }), /SignatureDoesNotMatch/);
        stranger.close();
      });
    });

    describe("POST policies", () => {
      const bytes = new TextEncoder().encode("picture");
      const limits = { mime: PNG, maxBytes: 10, seconds: 60 };

      it("upload a file of the type and size they allow", async () => {
        const key = newKey();
        const { url, fields } = await storage.presignPost(key, limits);
        const response = await fetch(url, form(fields, bytes));
        assert.equal(response.status, 204);
        assert.equal(await textOf(key), "picture");
        assert.equal((await storage.stat(key))?.mime, PNG);
      });

      it("refuse a file that is too large or empty", async () => {
        const key = newKey();
        const { url, fields } = await storage.presignPost(key, limits);
        const large = await fetch(url, form(fields, new Uint8Array(11)));
        assert.equal(large.status, 400);
        assert.equal(await code(large), "EntityTooLarge");
        const empty = await fetch(url, form(fields, new Uint8Array(0)));
        assert.equal(empty.status, 400);
        assert.equal(await code(empty), "EntityTooSmall");
        assert.equal(await storage.stat(key), null);
      });

      it("refuse another type or key", async () => {
        const key = newKey();
        const { url, fields } = await storage.presignPost(key, limits);
        const changes: Record<string, string>[] = [{ "Content-Type": "text/html" }, { key: newKey() }];
        for (const change of changes) {
          const response = await fetch(url, form({ ...fields, ...change }, bytes));
          assert.equal(response.status, 403, JSON.stringify(change));
        }
        assert.equal(await storage.stat(key), null);
      });

      it("refuse a policy or signature that was changed or left out", async () => {
        const key = newKey();
        const { url, fields } = await storage.presignPost(key, limits);
        const policy = JSON.parse(Buffer.from(fields.policy ?? "", "base64").toString());
        const looser = policy.conditions.map((each: unknown[]) =>
          each[0] === "content-length-range" ? [each[0], 1, 1e9] : each,
        );
        const forged = Buffer.from(JSON.stringify({ ...policy, conditions: looser })).toString("base64");
        const { "x-amz-signature": signature = "", ...unsigned } = fields;
        const flipped = signature.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
        for (const each of [{ ...fields, policy: forged }, unsigned, { ...fields, "x-amz-signature": flipped }]) {
          const response = await fetch(url, form(each as Record<string, string>, bytes));
          assert.ok([400, 403].includes(response.status), `gave ${response.status}`);
        }
        assert.equal(await storage.stat(key), null);
      });

      it("refuse an expired policy", async () => {
        const [key, earlier] = [newKey(), at(2 * HOUR_MS)];
        const { url, fields } = await earlier.presignPost(key, limits);
        const response = await fetch(url, form(fields, bytes));
        assert.ok([400, 403].includes(response.status), `gave ${response.status}`);
        assert.equal(await storage.stat(key), null);
        earlier.close();
      });
    });

    describe("a page of an allowed origin", () => {
      it("may ask before it uploads", async () => {
        const response = await fetch(await storage.presignPut(newKey(), 60), {
          method: "OPTIONS",
          headers: {
            origin: ORIGIN,
            "access-control-request-method": "PUT",
            "access-control-request-headers": "content-type,content-md5",
          },
        });
        assert.ok(response.ok, `gave ${response.status}`);
        assert.ok(["*", ORIGIN].includes(response.headers.get("access-control-allow-origin") ?? ""));
        assert.match(response.headers.get("access-control-allow-methods") ?? "", /PUT/);
        assert.match(response.headers.get("access-control-allow-headers") ?? "", /content-type/i);
      });

      it("may read the answer and its ETag", async () => {
        const headers = { origin: ORIGIN };
        const put = await fetch(await storage.presignPut(newKey(), 60), { method: "PUT", body: "x", headers });
        assert.ok(["*", ORIGIN].includes(put.headers.get("access-control-allow-origin") ?? ""));
        assert.match(put.headers.get("access-control-expose-headers") ?? "", /etag|\*/i);
        const missing = await fetch(await storage.url(newKey()), { headers });
        assert.ok(["*", ORIGIN].includes(missing.headers.get("access-control-allow-origin") ?? ""), "errors too");
      });
    });

    describe("lists", () => {
      it("come in pages, in the order of bytes, below a prefix", async () => {
        const prefix = `${newKey()}/`;
        const names = ["a-b", "a/b", "a/c", "a.c", "b", "ab", "é", "z/y/x", "Z"];
        for (const each of names) await storage.put(prefix + each, Buffer.from("1"), { size: 1, mime: PNG });
        const listed: string[] = [];
        let [token, more] = ["", true];
        while (more) {
          const page = await client.listObjectsV2Query(target.bucket, prefix, token, "", 2, "");
          assert.ok(page.objects.length <= 2);
          listed.push(...page.objects.map((each) => (each.name ?? "").slice(prefix.length)));
          [token, more] = [page.nextContinuationToken, page.isTruncated];
        }
        assert.deepEqual(listed, ["Z", "a-b", "a.c", "a/b", "a/c", "ab", "b", "z/y/x", "é"]);
      });

      it("roll up what lies below a delimiter", async () => {
        const prefix = `${newKey()}/`;
        for (const each of ["a/1", "a/2", "b", "c/1"]) {
          await storage.put(prefix + each, Buffer.from("1"), { size: 1, mime: PNG });
        }
        const found: string[] = [];
        for await (const each of client.listObjectsV2(target.bucket, prefix, false)) {
          found.push((each.prefix ?? each.name ?? "").slice(prefix.length));
        }
        assert.deepEqual(found.sort(), ["a/", "b", "c/"]);
        const first: string[] = [];
        for await (const each of client.listObjects(target.bucket, prefix, false)) {
          first.push((each.prefix ?? each.name ?? "").slice(prefix.length));
        }
        assert.deepEqual(first.sort(), ["a/", "b", "c/"]);
      });
    });

    describe("multipart uploads", () => {
      const part = async (key: string, uploadID: string, partNumber: number, body: Buffer) =>
        client.uploadPart({ bucketName: target.bucket, objectName: key, uploadID, partNumber, headers: {} }, body);
      const begin = (key: string) =>
        client.initiateNewMultipartUpload(target.bucket, key, { "content-type": "video/mp4" });
      const failsWith = (wanted: string) => (error: unknown) =>
        [(error as { code?: string }).code, (error as { Code?: string }).Code].includes(wanted);

      it("join their parts", async () => {
        const key = newKey();
        const [first, second] = [randomBytes(5 * MIB), randomBytes(1000)];
        const id = await begin(key);
        const etags = [await part(key, id, 1, first), await part(key, id, 2, second)];
        assert.equal(await storage.stat(key), null, "nothing before it is complete");
        await client.completeMultipartUpload(target.bucket, key, id, etags);
        assert.ok((await buffer(await storage.get(key))).equals(Buffer.concat([first, second])));
        const { size, mime, etag } = (await storage.stat(key)) ?? {};
        assert.deepEqual([size, mime], [5 * MIB + 1000, "video/mp4"]);
        assert.match(etag ?? "", /^[0-9a-f]{32}-2$/);
      });

      it("are what a stream of unknown length uses, and resume", async () => {
        const [key, bytes] = [newKey(), randomBytes(11 * MIB)];
        await begin(key);
        await client.putObject(target.bucket, key, Readable.from([bytes], { objectMode: false }));
        assert.ok((await buffer(await storage.get(key))).equals(bytes));
      });

      it("refuse wrong parts, wrong order and small parts", async () => {
        const key = newKey();
        const id = await begin(key);
        const [one, two] = [await part(key, id, 1, Buffer.from("small")), await part(key, id, 2, Buffer.from("last"))];
        const complete = (parts: { part: number; etag: string }[]) =>
          client.completeMultipartUpload(target.bucket, key, id, parts);
        await assert.rejects(complete([{ part: 2, etag: "0".repeat(32) }]), failsWith("InvalidPart"));
        await assert.rejects(complete([one, two]), failsWith("EntityTooSmall"));
        await assert.rejects(complete([two, one]), failsWith("InvalidPartOrder"));
        await client.abortMultipartUpload(target.bucket, key, id);
      });

      it("that were aborted or never begun are unknown", async () => {
        const key = newKey();
        const id = await begin(key);
        await client.abortMultipartUpload(target.bucket, key, id);
        await assert.rejects(part(key, id, 1, Buffer.from("x")), failsWith("NoSuchUpload"));
        await assert.rejects(part(key, "../../objects", 1, Buffer.from("x")));
        assert.equal(await client.findUploadId(target.bucket, key), undefined);
      });
    });

    headerCases(() => ({ target, storage, client, newKey }), { at });
    requestCases(() => ({ target, storage, client, newKey }), {
      regional: (region) => storageOn(target, { region }),
    });

    it("is ready after prepare, again and again, and tells a missing bucket", async () => {
      await storage.prepare();
      await storage.check();
      const elsewhere = storageOn(target, { bucket: "no-such-bucket-here" });
      await assert.rejects(elsewhere.check(), (error) => error instanceof Problem && error.code === "unavailable");
      elsewhere.close();
    });
  });
}
