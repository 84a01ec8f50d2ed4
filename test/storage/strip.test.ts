import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { crc32, deflateSync } from "node:zlib";
import sharp, { type Metadata } from "sharp";
import { type Admitted, admitAttachment } from "../../src/storage/admit-attachment.ts";
import { startEmbedded, storageOn } from "./targets.ts";

const OWNER = "00000000-0000-0000-0000-000000000001";
const GPS = { IFD0: { Make: "Camera" }, IFD3: { GPSLatitudeRef: "N", GPSLatitude: "51/1 30/1 0/1" } };
const XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- 51.5 N --></x:xmpmeta>';

const blank = (width = 60, height = 30) => sharp({ create: { width, height, channels: 3, background: "#c63" } });
const pngChunk = (type: string, data: Buffer) => {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, "latin1");
  data.copy(chunk, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
  return chunk;
};
/** A PNG with more chunks behind its header. */
const withChunks = (png: Buffer, ...chunks: Buffer[]) =>
  Buffer.concat([png.subarray(0, 33), ...chunks, png.subarray(33)]);
/** A JPEG with one more segment behind its start. */
const withSegment = (jpeg: Buffer, marker: number, data: Buffer) => {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, data, jpeg.subarray(2)]);
};
const gifBlock = (label: number, ...parts: Buffer[]) =>
  Buffer.concat([
    Buffer.from([0x21, label]),
    ...parts.flatMap((part) => [Buffer.from([part.length]), part]),
    Buffer.from([0]),
  ]);
const beforeEnd = (gif: Buffer, ...blocks: Buffer[]) =>
  Buffer.concat([gif.subarray(0, -1), ...blocks, Buffer.from(";")]);
const film = async () => {
  const colours = ["#f00", "#0f0", "#00f"];
  const images = await Promise.all(
    colours.map((background) =>
      sharp({ create: { width: 16, height: 16, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  );
  return sharp(images, { join: { animated: true } });
};

describe("what an image tells beside the picture", { timeout: 60_000 }, () => {
  let target: Awaited<ReturnType<typeof startEmbedded>>;
  let storage: ReturnType<typeof storageOn>;
  before(async () => {
    target = await startEmbedded();
    storage = storageOn(target);
  });
  after(async () => {
    storage.close();
    await target.close();
  });

  const admit = async (bytes: Buffer, mime: string) => {
    const uploadKey = `uploads/${randomUUID()}`;
    await storage.put(uploadKey, bytes, { size: bytes.length, mime });
    const answer = await admitAttachment({
      storage,
      uploadKey,
      owner: OWNER,
      declared: { mime },
      maxBytes: 1_000_000,
      tmpDir: join(target.dir, "tmp"),
      signal: new AbortController().signal,
    });
    assert.ok(answer.ok, JSON.stringify(answer));
    const stored = await buffer(await storage.get(answer.key));
    assert.equal(answer.sha256, createHash("sha256").update(stored).digest("hex"), "the hash is of what is stored");
    assert.equal(answer.size_bytes, stored.length);
    assert.match(answer.key, new RegExp(answer.sha256));
    return { answer, stored, metadata: await sharp(stored, { animated: true }).metadata() };
  };
  const silent = ({ exif, xmp, iptc, comments }: Metadata) =>
    assert.deepEqual([exif, xmp, iptc, comments], [undefined, undefined, undefined, undefined]);
  const pixels = (bytes: Buffer) => sharp(bytes, { animated: true, ignoreIcc: true }).raw().toBuffer();
  const sizeOf = ({ width, height }: Admitted) => [width, height];

  it("is left out of a JPEG, whose picture stays bit for bit as it was", async () => {
    const bytes = await blank().withExif(GPS).withXmp(XMP).jpeg().toBuffer();
    assert.ok((await sharp(bytes).metadata()).exif?.includes("Camera"));
    const { answer, stored, metadata } = await admit(bytes, "image/jpeg");
    silent(metadata);
    assert.ok(!stored.includes("Camera") && !stored.includes("xmpmeta"));
    assert.deepEqual(await pixels(stored), await pixels(bytes));
    assert.deepEqual(sizeOf(answer), [60, 30]);
  });

  it("turns a picture upright before it goes: orientation is metadata too", async () => {
    for (const [mime, bytes] of [
      ["image/jpeg", await blank().withExif(GPS).withMetadata({ orientation: 6 }).jpeg().toBuffer()],
      ["image/webp", await blank().withExif(GPS).withMetadata({ orientation: 6 }).webp().toBuffer()],
      ["image/png", await blank().withExif(GPS).withMetadata({ orientation: 6 }).png().toBuffer()],
    ] as const) {
      const { answer, metadata } = await admit(bytes, mime);
      silent(metadata);
      assert.deepEqual([metadata.width, metadata.height, metadata.orientation], [30, 60, undefined], mime);
      assert.deepEqual(sizeOf(answer), [30, 60], mime);
      assert.deepEqual(
        answer.thumbnails.map(({ width, height }) => [width, height]),
        [[30, 60]],
      );
    }
  });

  it("does not include its colour profile, turned or not", async () => {
    for (const orientation of [1, 6]) {
      const image = blank().withExif(GPS).withIccProfile("p3").withMetadata({ orientation, icc: "p3" });
      const bytes = await image.jpeg({ quality: 100 }).toBuffer();
      const { icc } = await sharp(bytes).metadata();
      const { stored, metadata } = await admit(bytes, "image/jpeg");
      silent(metadata);
      assert.ok(icc && metadata.icc?.equals(icc));
      const [wanted, found] = [await pixels(bytes), await pixels(stored)];
      for (const channel of [0, 1, 2]) assert.ok(Math.abs((wanted[channel] ?? 0) - (found[channel] ?? 0)) <= 3);
    }
  });

  it("is also what stands in comments, in unknown segments and behind a JPEG's end", async () => {
    const clean = await blank().jpeg().toBuffer();
    const told = [
      withSegment(clean, 0xfe, Buffer.from("51.5 N")),
      withSegment(clean, 0xed, Buffer.from("Photoshop 3.0\0 51.5 N")),
      withSegment(clean, 0xe2, Buffer.from("MPF\0 51.5 N")),
      Buffer.concat([clean, Buffer.from("PK\x03\x04 51.5 N")]),
    ];
    for (const bytes of told) {
      const { stored } = await admit(bytes, "image/jpeg");
      assert.ok(stored.equals(clean));
    }
    const progressive = await blank(200, 200).jpeg({ progressive: true }).toBuffer();
    const { stored } = await admit(withSegment(progressive, 0xfe, Buffer.from("hi")), "image/jpeg");
    assert.ok(stored.equals(progressive), "of a JPEG in several scans, too");
  });

  it("is left out of a PNG, and every sample keeps its depth", async () => {
    const clean = await blank().toColourspace("rgb16").png().toBuffer();
    const { exif } = await sharp(await blank().withExif(GPS).png().toBuffer()).metadata();
    const bytes = withChunks(
      clean,
      pngChunk("eXIf", exif ?? Buffer.alloc(0)),
      pngChunk("tEXt", Buffer.from("Location\x0051.5 N")),
      pngChunk("zTXt", Buffer.concat([Buffer.from("Location\0\0"), deflateSync("51.5 N")])),
      pngChunk("iTXt", Buffer.from(`XML:com.adobe.xmp\0\0\0\0\0${XMP}`)),
      pngChunk("tIME", Buffer.from([7, 234, 1, 1, 0, 0, 0])),
    );
    assert.ok((await sharp(bytes).metadata()).exif);
    const { stored, metadata } = await admit(Buffer.concat([bytes, Buffer.from("behind the end")]), "image/png");
    silent(metadata);
    assert.ok(stored.equals(clean));
    assert.equal(metadata.depth, "ushort");
  });

  it("goes from a PNG that moves without stopping it", async () => {
    const still = await blank().png().toBuffer();
    const control = pngChunk("acTL", Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]));
    const moving = withChunks(still, control);
    const { stored } = await admit(withChunks(moving, pngChunk("tEXt", Buffer.from("Where\x0051.5 N"))), "image/apng");
    assert.ok(stored.equals(moving));
  });

  it("is left out of a WebP, still or moving", async () => {
    const clean = await blank().webp().toBuffer();
    const still = await admit(await blank().withXmp(XMP).withExif(GPS).webp().toBuffer(), "image/webp");
    silent(still.metadata);
    assert.deepEqual(await pixels(still.stored), await pixels(clean));
    const bytes = await (await film())
      .withExif(GPS)
      .webp({ delay: [100, 200, 300], loop: 2 })
      .toBuffer();
    const moving = await admit(bytes, "image/webp");
    silent(moving.metadata);
    assert.deepEqual([moving.metadata.pages, moving.metadata.delay, moving.metadata.loop], [3, [100, 200, 300], 2]);
    assert.deepEqual(await pixels(moving.stored), await pixels(bytes));
  });

  it("is left out of a GIF, which goes on moving", async () => {
    const clean = await (await film()).gif({ delay: [100, 200, 300], loop: 0 }).toBuffer();
    const xmp = [Buffer.from("XMP DataXMP"), Buffer.from(XMP)];
    const bytes = beforeEnd(clean, gifBlock(0xfe, Buffer.from("51.5 N")), gifBlock(0xff, ...xmp));
    const { stored, metadata } = await admit(Buffer.concat([bytes, Buffer.from("<script>")]), "image/gif");
    assert.ok(stored.equals(clean));
    assert.deepEqual([metadata.pages, metadata.delay], [3, [100, 200, 300]]);
  });

  it("is left out of an AVIF", async () => {
    const { metadata, stored } = await admit(await blank().withExif(GPS).avif({ effort: 0 }).toBuffer(), "image/avif");
    silent(metadata);
    assert.ok(!stored.includes("Camera"));
    assert.deepEqual([metadata.width, metadata.height], [60, 30]);
  });

  it("makes no difference where there is none: the bytes are stored as they came", async () => {
    for (const [mime, bytes] of [
      ["image/jpeg", await blank().withIccProfile("p3").jpeg().toBuffer()],
      ["image/png", await blank().png({ palette: true }).toBuffer()],
      ["image/webp", await blank().webp({ lossless: true }).toBuffer()],
      ["image/gif", await (await film()).gif().toBuffer()],
      ["image/avif", await blank().avif({ effort: 0 }).toBuffer()],
    ] as const) {
      const { stored } = await admit(bytes, mime);
      assert.ok(stored.equals(bytes), mime);
    }
  });
});
