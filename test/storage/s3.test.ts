import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { Problem } from "../../src/errors.ts";
import { createS3Storage, type S3Options } from "../../src/storage/s3.ts";

const MINUTE_MS = 60_000;

const create = (options: Partial<S3Options> = {}) =>
  createS3Storage({
    internal: { endpoint: "http://127.0.0.1:1" },
    public: { endpoint: "https://files.example.com" },
    region: "ru-central1",
    bucket: "pictures",
    accessKeyId: "access",
    secretAccessKey: "secret",
    pathStyle: true,
    publicUrls: false,
    urlTtlSeconds: 3600,
    ...options,
  });

const unavailable = (error: unknown) => error instanceof Problem && error.code === "unavailable" && error.retryable;

/** Runs `use` with a storage whose server is `listener`. */
const against = async (
  listener: RequestListener,
  limits: S3Options["limits"],
  use: (storage: ReturnType<typeof create>) => Promise<void>,
) => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const storage = create({ internal: { endpoint }, limits });
  try {
    await use(storage);
  } finally {
    storage.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
};

describe("signed URLs", () => {
  it("name the public endpoint and need no network", async () => {
    const storage = create();
    for (const url of [await storage.url("media/a.png"), await storage.presignPut("uploads/a", 60)]) {
      const { origin, pathname, searchParams } = new URL(url);
      assert.equal(origin, "https://files.example.com");
      assert.match(pathname, /^\/pictures\/(media|uploads)\/a/);
      assert.match(searchParams.get("X-Amz-Credential") ?? "", /^access\/\d{8}\/ru-central1\/s3\/aws4_request$/);
    }
    const { url } = await storage.presignPost("uploads/a", { mime: "image/png", maxBytes: 10, seconds: 60 });
    assert.equal(url, "https://files.example.com/pictures");
    storage.close();
  });

  it("put the bucket in the host name in virtual-host style", async () => {
    const storage = create({ pathStyle: false });
    const url = new URL(await storage.url("media/a.png"));
    assert.deepEqual([url.host, url.pathname], ["pictures.files.example.com", "/media/a.png"]);
    const form = await storage.presignPost("uploads/a", { mime: "image/png", maxBytes: 10, seconds: 60 });
    assert.equal(form.url, "https://pictures.files.example.com/");
    storage.close();
  });

  it("stay the same for some minutes and hold for at least half of their life", async () => {
    for (const urlTtlSeconds of [10, 400, 3600]) {
      for (const minutes of [0, 0.07, 1, 4.99, 7]) {
        const now = Date.parse("2026-01-01T12:00:00Z") + minutes * MINUTE_MS;
        const storage = create({ now: () => now, urlTtlSeconds });
        const { searchParams } = new URL(await storage.url("media/a.png"));
        const [, date, hour, minute, second] =
          /^(\d{8})T(..)(..)(..)Z$/.exec(searchParams.get("X-Amz-Date") ?? "") ?? [];
        assert.equal(date, "20260101");
        const signed = Date.parse(`2026-01-01T${hour}:${minute}:${second}Z`);
        const end = signed + Number(searchParams.get("X-Amz-Expires")) * 1000;
        assert.ok(signed <= now && end - now >= (urlTtlSeconds * 1000) / 2);
        storage.close();
      }
    }
    let now = Date.parse("2026-01-01T12:00:01Z");
    const storage = create({ now: () => now });
    const first = await storage.url("media/a.png");
    now += 4 * MINUTE_MS;
    assert.equal(await storage.url("media/a.png"), first);
    now += 4 * MINUTE_MS;
    assert.notEqual(await storage.url("media/a.png"), first);
    storage.close();
  });

  it("give way to permanent URLs for downloads when these are asked for", async () => {
    const [path, host] = [create({ publicUrls: true }), create({ publicUrls: true, pathStyle: false })];
    assert.equal(await path.url("media/ж.png"), "https://files.example.com/pictures/media/%D0%B6.png");
    assert.equal(await host.url("media/a.png"), "https://pictures.files.example.com/media/a.png");
    assert.match(await path.presignPut("uploads/a", 60), /X-Amz-Signature=/);
    path.close();
    host.close();
  });
});

describe("a storage server that", () => {
  it("is away makes every call unavailable", async () => {
    const storage = create();
    await assert.rejects(storage.stat("a"), unavailable);
    await assert.rejects(storage.get("a"), unavailable);
    await assert.rejects(storage.put("a", Buffer.from("x"), { size: 1, mime: "image/png" }), unavailable);
    await assert.rejects(storage.put("a", Readable.from(["x"]), { size: 1, mime: "image/png" }), unavailable);
    await assert.rejects(storage.copy("a", "b", "image/png"), unavailable);
    await assert.rejects(storage.remove(["a"]), unavailable);
    await assert.rejects(Array.fromAsync(storage.list("a")), unavailable);
    await assert.rejects(storage.prepare(), unavailable);
    await assert.rejects(storage.check(), unavailable);
    storage.close();
  });

  it("never answers is given up", async () => {
    await against(
      () => undefined,
      { call: 40, check: 40, transfer: 40, idle: 1000 },
      async (storage) => {
        await assert.rejects(storage.check(), unavailable);
        await assert.rejects(storage.stat("a"), unavailable);
        await assert.rejects(storage.put("a", Readable.from(["x"]), { size: 1, mime: "image/png" }), unavailable);
      },
    );
  });

  it("falls silent in the middle of a download ends the stream with an error", async () => {
    await against(
      (_request, response) => {
        response.writeHead(200, { "content-length": "10" });
        response.write("half");
      },
      { idle: 60 },
      async (storage) => {
        const stream = await storage.get("a");
        await assert.rejects(async () => {
          for await (const chunk of stream) assert.equal(String(chunk), "half");
        });
      },
    );
  });

  it("is slow but working is not given up by the idle limit", async () => {
    await against(
      async (request, response) => {
        for await (const _ of request) await new Promise((resolve) => setTimeout(resolve, 25));
        response.end();
      },
      { idle: 500 },
      async (storage) => {
        const chunk = Buffer.alloc(64 * 1024);
        const source = Readable.from(
          (async function* () {
            for (let index = 0; index < 30; index++) {
              await new Promise((resolve) => setTimeout(resolve, 25));
              yield chunk;
            }
          })(),
        );
        await storage.put("a", source, { size: 30 * chunk.length, mime: "image/png" });
      },
    );
  });

  it("is overloaded is unavailable, and one that refuses is an error without the secret", async () => {
    const answer = (status: number, code: string) => (_: unknown, response: Parameters<RequestListener>[1]) => {
      response.writeHead(status, { "content-type": "application/xml" });
      response.end(`<Error><Code>${code}</Code><Message>no</Message></Error>`);
    };
    await against(answer(503, "SlowDown"), {}, async (storage) => {
      await assert.rejects(storage.remove(["a"]), unavailable);
    });
    await against(answer(403, "SignatureDoesNotMatch"), {}, async (storage) => {
      await assert.rejects(storage.get("a"), (error: Error) => {
        assert.match(error.message, /SignatureDoesNotMatch/);
        assert.doesNotMatch(JSON.stringify(error, Object.getOwnPropertyNames(error)), /secret/);
        return !(error instanceof Problem);
      });
    });
  });

  it("reports keys that it could not remove fails the removal", async () => {
    await against(
      (_request, response) => {
        response.end("<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>");
      },
      {},
      async (storage) => {
        await assert.rejects(storage.remove(["a", "b"]), /could not remove 1 of 2/);
      },
    );
  });
});

it("an endpoint with a path is refused, because S3 signs the whole path", () => {
  assert.throws(() => create({ public: { endpoint: "https://example.com/files" } }), /without a path/);
});
