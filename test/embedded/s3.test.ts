import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { safeType } from "../../src/embedded/s3/served.ts";
import { createEmbeddedS3, type EmbeddedS3Options } from "../../src/embedded/s3/server.ts";
import { createLog } from "../../src/log.ts";
import { MEDIA_TYPES } from "../../src/storage/media-types.ts";
import { createS3Storage } from "../../src/storage/s3.ts";
import { clientOn, startEmbedded, storageOn } from "../storage/targets.ts";

const MINUTE_MS = 60_000;
const KEYS = { accessKeyId: "test-access", secretAccessKey: "test-secret-key", region: "us-east-1" };
const HTML = "<script>alert(1)</script>";

/** The handler without a listener, and what signs for it. `restart` opens the same directory again. */
const setup = async (options: Partial<EmbeddedS3Options> = {}, dir?: string) => {
  const home = dir ?? (await mkdtemp(join(tmpdir(), "darkroom-s3-")));
  const s3 = await createEmbeddedS3({
    dir: home,
    bucket: "darkroom",
    ...KEYS,
    maxObjectBytes: 1000,
    allowedOrigins: (origin) => origin === "http://app.example",
    log: createLog("silent"),
    now: Date.now,
    ...options,
  });
  const endpoint = { endpoint: "http://localhost" };
  const place = { internal: endpoint, public: endpoint, bucket: "darkroom", pathStyle: true, publicUrls: false };
  const signer = createS3Storage({ ...place, ...KEYS, urlTtlSeconds: 600 });
  const handle = async (url: string, init?: RequestInit) => {
    const response = await s3.handle(new Request(url, init));
    assert.ok(response, "the path is the bucket's");
    return response;
  };
  return {
    s3,
    dir: home,
    signer,
    handle,
    put: async (key: string, body: BodyInit, mime = "image/png") =>
      handle(await signer.presignPut(key, 60), { method: "PUT", body, headers: { "content-type": mime } }),
    get: async (key: string, init?: RequestInit) => handle(await signer.url(key), init),
    restart: async () => {
      s3.close();
      signer.close();
      return setup(options, home);
    },
    async [Symbol.asyncDispose]() {
      s3.close();
      signer.close();
      await rm(home, { recursive: true, force: true });
    },
  };
};

const code = async (response: Response) => /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1];
const isSafe = (response: Response) =>
  response.headers.get("x-content-type-options") === "nosniff" &&
  response.headers.get("content-security-policy") === "sandbox; default-src 'none'";

describe("the embedded S3", () => {
  it("leaves other paths to others", async () => {
    await using it = await setup();
    for (const path of ["/", "/chats", "/darkroom2/x", "/x/darkroom", "/darkroom/../chats"]) {
      assert.equal(await it.s3.handle(new Request(`http://localhost${path}`)), null, path);
    }
  });

  it("keeps objects over a restart", async () => {
    await using it = await setup();
    await it.put("a", "kept");
    await using again = await it.restart();
    assert.equal(await (await again.get("a")).text(), "kept");
  });

  it("keeps an object apart from those below its name", async () => {
    await using it = await setup();
    for (const key of ["a", "a/b", "a/", "A", "a.d/b.o", "a//b"]) assert.equal((await it.put(key, key)).status, 200);
    for (const key of ["a", "a/b", "a/", "A", "a.d/b.o", "a//b"]) assert.equal(await (await it.get(key)).text(), key);
  });

  it("refuses everything after it was closed", async () => {
    await using it = await setup();
    await it.put("a", "x");
    it.s3.close();
    assert.equal((await it.get("a")).status, 503);
  });

  it("answers errors to HEAD without a body", async () => {
    await using it = await setup();
    const response = await it.handle(await it.signer.url("a"), { method: "HEAD" });
    assert.equal(response.status, 403);
    assert.equal(await response.text(), "");
  });

  it("says so when it does not implement what is asked", async () => {
    const target = await startEmbedded();
    const client = clientOn(target);
    const notImplemented = { code: "NotImplemented" };
    await assert.rejects(client.setBucketPolicy("darkroom", "{}"), notImplemented);
    await assert.rejects(client.getObjectTagging("darkroom", "a"), notImplemented);
    await assert.rejects(client.setBucketVersioning("darkroom", { Status: "Enabled" }), notImplemented);
    await target.close();
  });
});

describe("what the embedded S3 serves", () => {
  it("is inline for every media type that Darkroom takes in", () => {
    for (const type of MEDIA_TYPES) assert.deepEqual(safeType(type), { "Content-Type": type });
    assert.deepEqual(safeType("Image/PNG; charset=x"), { "Content-Type": "image/png" });
  });

  it("is never a page: other types are downloads of plain bytes", async () => {
    await using it = await setup();
    for (const type of ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "nonsense", ""]) {
      await it.put("a", HTML, type);
      const response = await it.get("a");
      assert.equal(response.headers.get("content-type"), "application/octet-stream", type);
      assert.equal(response.headers.get("content-disposition"), "attachment");
      assert.ok(isSafe(response));
    }
  });

  it("stays so when a signed URL asks for another type or disposition", async () => {
    const target = await startEmbedded();
    const client = clientOn(target);
    await client.putObject("darkroom", "a", Buffer.from(HTML), HTML.length, { "content-type": "image/png" });
    const open = async (params: Record<string, string>) =>
      fetch(await client.presignedGetObject("darkroom", "a", 60, params));
    const html = await open({ "response-content-type": "text/html", "response-content-disposition": "inline" });
    assert.equal(html.headers.get("content-type"), "application/octet-stream");
    assert.equal(html.headers.get("content-disposition"), "attachment");
    const named = await open({
      "response-content-type": "text/html",
      "response-content-disposition": "attachment; filename=a",
    });
    assert.equal(named.headers.get("content-disposition"), "attachment; filename=a");
    const webp = await open({ "response-content-type": "image/webp", "response-cache-control": "no-store" });
    assert.deepEqual([webp.headers.get("content-type"), webp.headers.get("cache-control")], ["image/webp", "no-store"]);
    assert.equal((await open({ "response-content-disposition": "a\r\nSet-Cookie: b" })).status, 400);
    await target.close();
  });

  it("carries the safety headers on errors and preflights too", async () => {
    await using it = await setup();
    assert.ok(isSafe(await it.get("missing")));
    assert.ok(isSafe(await it.handle("http://localhost/darkroom/x")));
    assert.ok(isSafe(await it.handle("http://localhost/darkroom/x", { method: "OPTIONS" })));
  });

  it("is whole again when If-Range names another version", async () => {
    await using it = await setup();
    await it.put("a", "0123456789");
    const etag = (await it.get("a")).headers.get("etag") ?? "";
    assert.equal((await it.get("a", { headers: { range: "bytes=1-2", "if-range": etag } })).status, 206);
    const whole = await it.get("a", { headers: { range: "bytes=1-2", "if-range": '"older"' } });
    assert.deepEqual([whole.status, await whole.text()], [200, "0123456789"]);
    assert.equal((await it.get("a", { headers: { range: "bytes=1-2,4-5" } })).status, 200);
    const beyond = await it.get("a", { headers: { range: "bytes=99-" } });
    assert.deepEqual([beyond.status, beyond.headers.get("content-range")], [416, "bytes */10"]);
  });

  it("is what was read or an error, if a file was damaged", async () => {
    await using it = await setup();
    await it.put("a", "good");
    await writeFile(join(it.dir, "darkroom", "objects", "a.o"), "cut off");
    assert.equal(await code(await it.get("a")), "InternalError");
  });
});

describe("access to the embedded S3", () => {
  it("is open to all for reading below the public prefixes, and for nothing else", async () => {
    await using it = await setup({ publicPrefixes: ["media/"] });
    await it.put("media/a", "shown");
    await it.put("uploads/a", "hidden");
    const address = "http://localhost/darkroom";
    assert.equal(await (await it.handle(`${address}/media/a`)).text(), "shown");
    assert.equal((await it.handle(`${address}/media/a`, { method: "HEAD" })).status, 200);
    const refused: [string, RequestInit?][] = [
      ["/uploads/a"],
      ["/media/../uploads/a"],
      ["/media/a?response-content-type=text/html"],
      ["/media/a?uploadId=x"],
      ["/media/a", { method: "PUT", body: "x" }],
      ["/media/a", { method: "DELETE" }],
      ["?list-type=2&prefix=media/"],
    ];
    for (const [path, init] of refused) assert.equal((await it.handle(address + path, init)).status, 403, path);
  });

  it("is refused when an x-amz header was added to a presigned URL", async () => {
    await using it = await setup();
    await it.put("secret", "secret");
    const added: Record<string, string>[] = [
      { "x-amz-copy-source": "/darkroom/secret" },
      { "x-amz-acl": "public-read" },
    ];
    for (const headers of added) {
      const response = await it.handle(await it.signer.presignPut("mine", 60), { method: "PUT", headers });
      assert.equal(response.status, 403);
    }
    assert.equal((await it.get("mine")).status, 404);
  });

  it("is refused when the clocks are more than 15 minutes apart", async () => {
    for (const [minutes, allowed] of [
      [16, false],
      [-16, false],
      [14, true],
      [-14, true],
    ] as const) {
      const target = await startEmbedded({ now: () => Date.now() + minutes * MINUTE_MS });
      const storage = storageOn(target);
      const put = storage.put("a", Buffer.from("x"), { size: 1, mime: "image/png" });
      if (allowed) await put;
      else await assert.rejects(put, /RequestTimeTooSkewed/);
      storage.close();
      await target.close();
    }
  });

  it("is refused for another region, two signatures at once, and what is malformed", async () => {
    await using it = await setup();
    const url = await it.signer.url("a");
    const fails = async (wanted: string, address: string, headers: Record<string, string> = {}) =>
      assert.equal(await code(await it.handle(address, { headers })), wanted, address);
    await fails("AuthorizationQueryParametersError", url.replace("us-east-1", "eu-north-1"));
    await fails("AuthorizationQueryParametersError", url.replace(/X-Amz-Date=\w+/, "X-Amz-Date=yesterday"));
    await fails("AuthorizationQueryParametersError", url.replace(/X-Amz-Expires=\d+/, "X-Amz-Expires=604801"));
    await fails("AuthorizationQueryParametersError", url.replace(/&X-Amz-Signature=\w+/, ""));
    await fails("AuthorizationQueryParametersError", url.replace("AWS4-HMAC-SHA256", "AWS4-NONE"));
    await fails("AccessDenied", url.replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=range"));
    await fails("InvalidArgument", url, { authorization: "AWS4-HMAC-SHA256 Credential=x" });
    await fails("AuthorizationHeaderMalformed", "http://localhost/darkroom/a", { authorization: "Basic eDp5" });
    await fails("InvalidURI", "http://localhost/darkroom/%ff%fe");
    await fails("KeyTooLongError", `http://localhost/darkroom/${"a/".repeat(600)}`);
    const authorization =
      "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    const dated = { authorization, "x-amz-date": "20260101T000000Z" };
    await fails("AccessDenied", "http://localhost/darkroom/a", { authorization });
    await fails("InvalidArgument", "http://localhost/darkroom/a", dated);
    const streaming = { ...dated, "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" };
    await fails("NotImplemented", "http://localhost/darkroom/a", streaming);
  });

  it("from a page needs an allowed origin", async () => {
    await using it = await setup();
    const preflight = (origin: string) =>
      it.handle("http://localhost/darkroom/a", {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "PUT" },
      });
    const [good, bad] = [await preflight("http://app.example"), await preflight("http://evil.example")];
    assert.deepEqual([good.status, good.headers.get("access-control-allow-origin")], [204, "http://app.example"]);
    assert.deepEqual([bad.status, bad.headers.get("access-control-allow-origin")], [403, null]);
    const read = await it.get("a", { headers: { origin: "http://evil.example" } });
    assert.equal(read.headers.get("access-control-allow-origin"), null);
    assert.match(read.headers.get("vary") ?? "", /Origin/);
  });
});

describe("an upload to the embedded S3", () => {
  const leftovers = async (dir: string) => readdir(join(dir, "darkroom", "temp"));

  it("larger than the limit is refused by its length or by counting, and leaves nothing", async () => {
    await using it = await setup({ maxObjectBytes: 10 });
    const url = await it.signer.presignPut("a", 60);
    const told = await it.handle(url, { method: "PUT", body: "x", headers: { "content-length": "11" } });
    const counted = await it.handle(url, { method: "PUT", body: "x".repeat(11) });
    for (const response of [told, counted]) assert.equal(await code(response), "EntityTooLarge");
    assert.equal((await it.handle(url, { method: "PUT", body: "x".repeat(10) })).status, 200);
    assert.deepEqual(await leftovers(it.dir), []);
  });

  it("shorter than its Content-Length is refused", async () => {
    await using it = await setup();
    const init = { method: "PUT", body: "short", headers: { "content-length": "6" } };
    assert.equal(await code(await it.handle(await it.signer.presignPut("a", 60), init)), "IncompleteBody");
    assert.equal((await it.get("a")).status, 404);
  });

  it("that stalls is given up, and its source is told", async () => {
    await using it = await setup({ idleMs: 30 });
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(3)),
      cancel: () => {
        cancelled = true;
      },
    });
    const init = { method: "PUT", body, duplex: "half" } as RequestInit;
    assert.equal(await code(await it.handle(await it.signer.presignPut("a", 60), init)), "RequestTimeout");
    assert.ok(cancelled);
    assert.deepEqual(await leftovers(it.dir), []);
  });

  it("is read no faster than it is written", async () => {
    const [chunk, count] = [100_000, 40];
    await using it = await setup({ maxObjectBytes: chunk * count });
    let [pulled, ahead] = [0, 0];
    const temp = join(it.dir, "darkroom", "temp");
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const [name] = await readdir(temp);
          const written = name === undefined ? 0 : (await stat(join(temp, name))).size;
          ahead = Math.max(ahead, pulled * chunk - written);
          if (pulled++ === count) controller.close();
          else controller.enqueue(new Uint8Array(chunk));
        },
      },
      { highWaterMark: 0 },
    );
    const init = { method: "PUT", body, duplex: "half" } as RequestInit;
    assert.equal((await it.handle(await it.signer.presignPut("a", 60), init)).status, 200);
    assert.ok(ahead <= 3 * chunk, `${ahead} bytes were held`);
  });

  it("may be made conditional on the key being free", async () => {
    await using it = await setup();
    const url = await it.signer.presignPut("a", 60);
    const create = (body: string) => it.handle(url, { method: "PUT", body, headers: { "if-none-match": "*" } });
    assert.equal((await create("first")).status, 200);
    assert.equal((await create("second")).status, 412);
    assert.equal(await (await it.get("a")).text(), "first");
  });

  it("in parts stays below the limit as a whole", async () => {
    const target = await startEmbedded({ maxObjectBytes: 10 });
    const client = clientOn(target);
    const uploadID = await client.initiateNewMultipartUpload("darkroom", "a", {});
    const part = (partNumber: number, size: number) =>
      client.uploadPart(
        { bucketName: "darkroom", objectName: "a", uploadID, partNumber, headers: {} },
        Buffer.alloc(size),
      );
    await part(1, 6);
    await assert.rejects(part(2, 5), { code: "EntityTooLarge" });
    await part(1, 10);
    await target.close();
  });

  it("that a crash cut off is swept when it is old, others' uploads under way are not", async () => {
    await using it = await setup();
    const home = join(it.dir, "darkroom");
    const hours = (count: number) => new Date(Date.now() - count * 60 * MINUTE_MS);
    const entries: [string, Date][] = [
      [join(home, "temp", "old"), hours(2)],
      [join(home, "temp", "new"), hours(0.5)],
    ];
    for (const [path] of entries) await writeFile(path, "half");
    const abandoned = "00000000-0000-4000-8000-000000000001";
    const underWay = "00000000-0000-4000-8000-000000000002";
    for (const id of [abandoned, underWay]) await mkdir(join(home, "uploads", id));
    entries.push([join(home, "uploads", abandoned), hours(24 * 8)], [join(home, "uploads", underWay), hours(24 * 6)]);
    for (const [path, time] of entries) await utimes(path, time, time);
    await using _ = await it.restart();
    assert.deepEqual(await leftovers(it.dir), ["new"]);
    assert.deepEqual(await readdir(join(home, "uploads")), [underWay]);
  });
});
