import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { createS3Storage } from "../../src/storage/s3.ts";
import { listen } from "./listener.ts";
import { startEmbedded } from "./targets.ts";

const MIB = 1024 * 1024;
const SIZE = 64 * MIB;
const CHUNK = 256 * 1024;
/** What socket buffers on both sides may hold; a quarter of the object. */
const AHEAD = 16 * MIB;

/** Passes bytes on, telling each chunk's size. */
const counted = (body: ReadableStream<Uint8Array>, count: (bytes: number) => void) =>
  body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        count(chunk.length);
        controller.enqueue(chunk);
      },
    }),
  );

describe("a 64 MB object", { timeout: 60_000 }, () => {
  let embedded: Awaited<ReturnType<typeof startEmbedded>>;
  let front: Awaited<ReturnType<typeof listen>>;
  let storage: ReturnType<typeof createS3Storage>;
  const seen = { received: 0, sent: 0 };

  before(async () => {
    embedded = await startEmbedded();
    front = await listen(async (request) => {
      const body = request.body && counted(request.body, (bytes) => (seen.received += bytes));
      const init = { method: request.method, headers: request.headers, body, duplex: "half" } as RequestInit;
      const response = await embedded.s3.handle(new Request(request.url, init));
      if (!response?.body) return response;
      return new Response(
        counted(response.body, (bytes) => (seen.sent += bytes)),
        response,
      );
    });
    storage = createS3Storage({
      internal: { endpoint: front.origin },
      public: { endpoint: front.origin },
      bucket: embedded.bucket,
      ...embedded.keys,
      pathStyle: true,
      publicUrls: false,
      urlTtlSeconds: 600,
    });
  });
  after(async () => {
    storage.close();
    await front.close();
    await embedded.close();
  });

  it("is never read further ahead than the server has taken it, nor sent further than the client has", async () => {
    let [pulled, ahead] = [0, 0];
    function* chunks() {
      for (; pulled < SIZE; pulled += CHUNK) {
        ahead = Math.max(ahead, pulled - seen.received);
        yield Buffer.alloc(CHUNK);
      }
    }
    await storage.put("big", Readable.from(chunks(), { objectMode: false }), { size: SIZE, mime: "video/mp4" });
    assert.equal(seen.received, SIZE);
    assert.ok(ahead < AHEAD, `the upload ran ${Math.round(ahead / MIB)} MiB ahead`);

    let [taken, behind] = [0, 0];
    for await (const chunk of await storage.get("big")) {
      behind = Math.max(behind, seen.sent - taken);
      taken += (chunk as Buffer).length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(taken, SIZE);
    assert.ok(behind < AHEAD, `the download ran ${Math.round(behind / MIB)} MiB ahead`);
  });
});
