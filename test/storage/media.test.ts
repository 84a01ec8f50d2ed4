import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { Problem } from "../../src/errors.ts";
import type { Storage } from "../../src/ports.ts";
import { admitAttachment } from "../../src/storage/admit-attachment.ts";
import { inspect } from "../../src/storage/inspect.ts";
import { uploadKey } from "../../src/storage/keys.ts";
import { MediaError, type MediaErrorCode } from "../../src/storage/media-error.ts";
import { storeOutput } from "../../src/storage/store-output.ts";
import { startEmbedded, storageOn } from "./targets.ts";

const OWNER = "00000000-0000-0000-0000-000000000001";
const blank = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: "#c33" } });
const jpeg = (width: number, height: number) => blank(width, height).jpeg().toBuffer();
const mp4 = Buffer.concat([Buffer.from("\0\0\0\x18ftypisom\0\0\x02\0isommp42", "latin1"), Buffer.alloc(5000, 7)]);
const webm = Buffer.concat([
  Buffer.from("1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104428581021853806701000000", "hex"),
  Buffer.alloc(5000, 7),
]);
const wav = Buffer.concat([
  Buffer.from("RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0", "latin1"),
  Buffer.alloc(2000),
]);
const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');

/** A PNG of a few bytes whose header claims this size. */
const claiming = async (width: number, height: number) => {
  const png = await blank(8, 8).png().toBuffer();
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  return png;
};

/** A JPEG of many bytes. */
const noise = (width: number, height: number) =>
  sharp({
    create: { width, height, channels: 3, background: "#000", noise: { type: "gaussian", mean: 128, sigma: 60 } },
  })
    .jpeg()
    .toBuffer();

/** A GIF of few bytes that claims as many frames of this size. */
const giant = (width: number, height: number, count: number) => {
  const head = Buffer.from("GIF89a\0\0\0\0\x80\0\0\0\0\0\xff\xff\xff", "latin1");
  head.writeUInt16LE(width, 6);
  head.writeUInt16LE(height, 8);
  const frame = Buffer.from("\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0", "latin1");
  frame.writeUInt16LE(width, 5);
  frame.writeUInt16LE(height, 7);
  return Buffer.concat([head, ...Array.from({ length: count }, () => frame), Buffer.from(";")]);
};

const frames = async (count: number, side: number) => {
  const each = await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const background = { r: index * 40, g: 20, b: 90 };
      return sharp({ create: { width: side, height: side, channels: 3, background } })
        .png()
        .toBuffer();
    }),
  );
  return sharp(each, { join: { animated: true } })
    .webp({ delay: 100 })
    .toBuffer();
};

describe("media", { timeout: 60_000 }, () => {
  let target: Awaited<ReturnType<typeof startEmbedded>>;
  let storage: ReturnType<typeof storageOn>;
  let tmpDir: string;
  const signal = new AbortController().signal;

  before(async () => {
    target = await startEmbedded();
    storage = storageOn(target);
    tmpDir = join(target.dir, "tmp");
  });
  after(async () => {
    assert.deepEqual(await readdir(tmpDir), [], "temporary files are gone");
    storage.close();
    await target.close();
  });

  const read = async (key: string) => buffer(await storage.get(key));

  describe("inspecting the first bytes", () => {
    it("tells every type that Darkroom takes in", async () => {
      const image = blank(8, 8);
      const samples: [string, Buffer][] = [
        ["image/jpeg", await image.clone().jpeg().toBuffer()],
        ["image/png", await image.clone().png().toBuffer()],
        ["image/webp", await image.clone().webp().toBuffer()],
        ["image/gif", await image.clone().gif().toBuffer()],
        ["image/avif", await image.clone().avif({ effort: 0 }).toBuffer()],
        ["video/mp4", mp4],
        ["video/webm", webm],
        ["audio/wav", wav],
      ];
      for (const [mime, bytes] of samples) assert.deepEqual(await inspect(bytes), { mime }, mime);
    });

    it("lets the declaration decide only between sound and picture in one container", async () => {
      assert.deepEqual(await inspect(webm, "audio/webm; codecs=opus"), { mime: "audio/webm" });
      assert.deepEqual(await inspect(mp4, "audio/x-m4a"), { mime: "audio/mp4" });
      assert.deepEqual(await inspect(mp4, "image/png"), { mime: "video/mp4" });
    });

    it("knows nothing else", async () => {
      const others = [
        svg,
        Buffer.from("<!doctype html><p>hi"),
        Buffer.from("%PDF-1.7\n"),
        Buffer.from("PK\x03\x04"),
        Buffer.alloc(0),
      ];
      for (const bytes of others) assert.equal(await inspect(bytes, "image/png"), null);
    });
  });

  describe("an output", () => {
    const store = (
      bytes: Buffer,
      options: Partial<Parameters<typeof storeOutput>[0]> & { size?: number; mime?: string } = {},
    ) =>
      storeOutput({
        storage,
        owner: OWNER,
        download: async () => ({ body: Readable.from([bytes]), size: options.size, mime: options.mime }),
        maxBytes: 10_000_000,
        signal,
        tmpDir,
        ...options,
      });
    const failsWith = (code: MediaErrorCode) => (error: unknown) => error instanceof MediaError && error.code === code;

    it("is stored as made, as a web-sized WebP and as thumbnails", async () => {
      const bytes = await jpeg(3000, 1500);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const stored = await store(bytes, { size: bytes.length, mime: "image/jpeg" });
      const base = `media/${OWNER}/${sha256}`;
      assert.deepEqual(stored, {
        sha256,
        mime: "image/jpeg",
        size_bytes: bytes.length,
        raw_key: `${base}.jpg`,
        min_key: `${base}.min.webp`,
        thumbnails: [
          { key: `${base}.256.webp`, width: 256, height: 128 },
          { key: `${base}.512.webp`, width: 512, height: 256 },
        ],
        width: 3000,
        height: 1500,
      });
      assert.ok((await read(stored.raw_key)).equals(bytes));
      assert.equal((await storage.stat(stored.raw_key))?.mime, "image/jpeg");
      for (const [key, width, height] of [
        [stored.min_key, 1280, 640],
        [`${base}.256.webp`, 256, 128],
        [`${base}.512.webp`, 512, 256],
      ] as const) {
        const found = await sharp(await read(key)).metadata();
        assert.deepEqual([found.format, found.width, found.height], ["webp", width, height]);
        assert.equal((await storage.stat(key))?.mime, "image/webp");
      }
      const response = await fetch(await storage.url(stored.min_key));
      assert.equal(response.headers.get("cache-control"), "private, max-age=31536000, immutable");
    });

    it("is not enlarged when it is small", async () => {
      const stored = await store(await jpeg(100, 50));
      assert.deepEqual(
        stored.thumbnails.map(({ width, height }) => [width, height]),
        [[100, 50]],
      );
      const min = await sharp(await read(stored.min_key)).metadata();
      assert.deepEqual([min.width, min.height], [100, 50]);
      const middle = await store(await jpeg(300, 600));
      assert.deepEqual(
        middle.thumbnails.map(({ width, height }) => [width, height]),
        [
          [128, 256],
          [256, 512],
        ],
      );
    });

    it("twice is put once", async () => {
      const bytes = await jpeg(64, 64);
      const puts: string[] = [];
      const watched: Storage = {
        ...storage,
        put: (key, ...rest) => storage.put(key, ...rest).then(() => void puts.push(key)),
      };
      const first = await store(bytes, { storage: watched });
      assert.equal(puts.length, 3);
      assert.deepEqual(await store(bytes, { storage: watched }), first);
      assert.equal(puts.length, 3);
    });

    it("keeps its original metadata to itself: derived pictures have none and stand upright", async () => {
      const bytes = await blank(400, 200)
        .withExif({ IFD0: { Copyright: "me" }, IFD3: { GPSLatitude: "51/1 30/1 0/1" } })
        .withMetadata({ orientation: 6 })
        .jpeg()
        .toBuffer();
      assert.ok((await sharp(bytes).metadata()).exif);
      const stored = await store(bytes);
      assert.deepEqual([stored.width, stored.height], [200, 400]);
      for (const key of [stored.min_key, ...stored.thumbnails.map((each) => each.key)]) {
        const { exif, xmp, iptc, orientation, width, height } = await sharp(await read(key)).metadata();
        assert.deepEqual([exif, xmp, iptc, orientation], [undefined, undefined, undefined, undefined]);
        assert.ok(Number(height) === 2 * Number(width));
      }
    });

    it("that moves still moves when web-sized, and its thumbnails are still", async () => {
      const stored = await store(await frames(3, 1400));
      assert.deepEqual([stored.width, stored.height], [1400, 1400]);
      const min = await sharp(await read(stored.min_key), { animated: true }).metadata();
      assert.deepEqual([min.pages, min.width, min.pageHeight], [3, 1280, 1280]);
      const [thumbnail] = stored.thumbnails;
      assert.equal((await sharp(await read(thumbnail?.key ?? "")).metadata()).pages, undefined);
    });

    it("that is a video or sound stands for itself", async () => {
      for (const [bytes, mime, ext] of [
        [mp4, "video/mp4", "mp4"],
        [webm, "video/webm", "webm"],
        [wav, "audio/wav", "wav"],
      ] as const) {
        const stored = await store(bytes);
        assert.equal(stored.mime, mime);
        assert.match(stored.raw_key, new RegExp(`\\.${ext}$`));
        assert.deepEqual([stored.min_key, stored.thumbnails, stored.width], [stored.raw_key, [], undefined]);
      }
    });

    it("that is empty, cut off, too large or no media is refused", async () => {
      const bytes = await jpeg(200, 200);
      await assert.rejects(store(Buffer.alloc(0)), failsWith("empty_output"));
      await assert.rejects(store(bytes, { size: bytes.length + 1 }), failsWith("output_truncated"));
      await assert.rejects(store(bytes, { maxBytes: 100 }), failsWith("output_too_large"));
      await assert.rejects(store(bytes, { maxBytes: 100, size: bytes.length }), failsWith("output_too_large"));
      await assert.rejects(store(svg, { mime: "image/svg+xml" }), failsWith("unsupported_output"));
      await assert.rejects(store(Buffer.from("{}")), failsWith("unsupported_output"));
      await assert.rejects(store(bytes.subarray(0, 200)), failsWith("unreadable_output"));
    });

    it("that never ends is stopped at the limit", async () => {
      let sent = 0;
      function* endless() {
        for (;;) {
          sent += 65_536;
          yield Buffer.alloc(65_536);
        }
      }
      const download = async () => ({ body: Readable.from(endless(), { objectMode: false }) });
      await assert.rejects(store(mp4, { download, maxBytes: 1_000_000 }), failsWith("output_too_large"));
      assert.ok(sent < 2_000_000);
    });

    it("is given up when the signal aborts or the download fails", async () => {
      const abort = new AbortController();
      const body = new Readable({ read: () => undefined });
      body.push(mp4);
      const stuck = store(mp4, { download: async () => ({ body }), signal: abort.signal });
      abort.abort(new Error("time is up"));
      await assert.rejects(stuck, /time is up/);
      assert.ok(body.destroyed);
      const failing = Readable.from(
        (async function* () {
          yield mp4;
          throw new Error("the provider hung up");
        })(),
      );
      await assert.rejects(store(mp4, { download: async () => ({ body: failing }) }), /hung up/);
    });

    it("of more pixels than are safe to decode is stored without derived pictures", async () => {
      const bytes = await claiming(12_000, 9_000);
      const stored = await store(bytes);
      assert.deepEqual([stored.min_key, stored.thumbnails], [stored.raw_key, []]);
      assert.deepEqual([stored.width, stored.height], [12_000, 9_000]);
    });
  });

  describe("an attachment", () => {
    const upload = async (bytes: Buffer, mime = "image/jpeg") => {
      const key = uploadKey(randomUUID());
      await storage.put(key, bytes, { size: bytes.length, mime });
      return key;
    };
    const admit = (
      key: string,
      mime: string,
      options: Partial<Parameters<typeof admitAttachment>[0]> & { size?: number } = {},
    ) =>
      admitAttachment({
        storage,
        uploadKey: key,
        owner: OWNER,
        declared: { mime, size: options.size },
        maxBytes: 1_000_000,
        tmpDir,
        signal,
        ...options,
      });
    const refused = async (code: string, key: string, mime: string, options: Parameters<typeof admit>[2] = {}) => {
      const answer = await admit(key, mime, options);
      assert.equal(answer.ok ? "ok" : answer.code, code);
      assert.ok(answer.ok || answer.message.length > 0);
    };

    it("is copied, as it was verified, to a key that no upload URL can write", async () => {
      const bytes = await jpeg(300, 200);
      const key = await upload(bytes);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      const expected = {
        ok: true,
        sha256,
        mime: "image/jpeg",
        size_bytes: bytes.length,
        key: `attachments/${OWNER}/${sha256}.jpg`,
        width: 300,
        height: 200,
        thumbnails: [
          { key: `attachments/${OWNER}/${sha256}.256.webp`, width: 256, height: 171 },
          { key: `attachments/${OWNER}/${sha256}.512.webp`, width: 300, height: 200 },
        ],
      };
      assert.deepEqual(await admit(key, "image/jpg", { size: bytes.length }), expected);
      assert.deepEqual(await admit(key, "image/jpeg"), expected, "again");
      assert.ok((await read(expected.key)).equals(bytes));
      for (const thumbnail of expected.thumbnails) {
        const { format, width, height } = await sharp(await read(thumbnail.key)).metadata();
        assert.deepEqual([format, width, height], ["webp", thumbnail.width, thumbnail.height]);
      }
      const video = await admit(await upload(mp4), "video/mp4");
      assert.ok(video.ok);
      assert.deepEqual([video.width, video.thumbnails], [null, []]);
    });

    it("that was never uploaded is missing, also when it vanishes meanwhile", async () => {
      await refused("missing", uploadKey(randomUUID()), "image/png");
      const key = await upload(await jpeg(10, 10));
      const vanishing: Storage = { ...storage, get: async () => Promise.reject(new Problem("not_found")) };
      await refused("missing", key, "image/jpeg", { storage: vanishing });
    });

    it("that is empty or larger than allowed or declared is refused", async () => {
      await refused("empty", await upload(Buffer.alloc(0)), "image/png");
      const bytes = await jpeg(300, 300);
      const key = await upload(bytes);
      await refused("too_large", key, "image/jpeg", { maxBytes: bytes.length - 1 });
      await refused("too_large", key, "image/jpeg", { size: bytes.length - 1 });
      const growing: Storage = { ...storage, stat: async () => ({ size: 10, mime: "", etag: "" }) };
      await refused("too_large", key, "image/jpeg", { storage: growing, maxBytes: 100 });
    });

    it("whose bytes are not what they claim is refused", async () => {
      await refused("type_mismatch", await upload(await jpeg(10, 10)), "image/png");
      await refused("type_mismatch", await upload(svg), "image/png");
      await refused("type_mismatch", await upload(mp4), "image/jpeg");
      await refused("type_mismatch", await upload((await jpeg(10, 10)).subarray(0, 30)), "image/jpeg");
      await refused("unsupported", await upload(svg), "image/svg+xml");
      await refused("unsupported", await upload(svg), "text/html");
    });

    it("that would decode to too many pixels is refused without decoding it", async () => {
      await refused("too_large", await upload(await claiming(16_000, 16_000)), "image/png");
      await refused("too_large", await upload(giant(10_000, 10_000, 2)), "image/gif");
    });

    it("that cannot be decoded is refused, whatever its header says, and nothing of it is stored", async () => {
      const bytes = await claiming(3000, 2000);
      await refused("type_mismatch", await upload(bytes), "image/png");
      const half = (await noise(300, 200)).subarray(0, 20_000);
      await refused("type_mismatch", await upload(half), "image/jpeg");
      for (const [refusedBytes, ext] of [
        [bytes, "png"],
        [half, "jpg"],
      ] as const) {
        const sha256 = createHash("sha256").update(refusedBytes).digest("hex");
        assert.equal(await storage.stat(`attachments/${OWNER}/${sha256}.${ext}`), null);
      }
    });

    it("of absurdly many tiny blocks is refused before anything else is done with it", async () => {
      await refused("type_mismatch", await upload(giant(1, 1, 60_000)), "image/gif");
    });

    it("that is a page in disguise is refused", async () => {
      const page = "<html><script>alert(1)</script></html>";
      const song = Buffer.concat([
        Buffer.from("ID3\x03\0\0\0\0\0\x0a", "latin1"),
        Buffer.from(page),
        Buffer.alloc(2000),
      ]);
      await refused("type_mismatch", await upload(song), "audio/mpeg");
      await refused(
        "type_mismatch",
        await upload(Buffer.concat([mp4.subarray(0, 24), Buffer.from(page)])),
        "video/mp4",
      );
    });

    it("is not judged while storage is away or after an abort", async () => {
      const away = storageOn({ ...target, endpoint: "http://127.0.0.1:1" });
      const unavailable = (error: unknown) => error instanceof Problem && error.code === "unavailable";
      await assert.rejects(admit("uploads/x", "image/png", { storage: away }), unavailable);
      away.close();
      const signal = AbortSignal.abort(new Error("stop"));
      await assert.rejects(admit("uploads/x", "image/png", { signal }), /stop/);
    });
  });
});
