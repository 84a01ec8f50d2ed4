import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { before, describe, it } from "node:test";
import fc from "fast-check";
import sharp from "sharp";
import { readBlocks } from "../../src/storage/image-blocks.ts";
import type { MediaType } from "../../src/storage/media-types.ts";

describe("the blocks of an image file", { timeout: 60_000 }, () => {
  let files: [MediaType, Buffer][];
  before(async () => {
    const image = sharp({ create: { width: 40, height: 20, channels: 3, background: "#c63" } }).withExif({
      IFD0: { Make: "Camera" },
    });
    const frames = [image.clone().png(), image.clone().negate().png()].map((one) => one.toBuffer());
    const film = sharp(await Promise.all(frames), { join: { animated: true } });
    files = [
      ["image/jpeg", await image.clone().jpeg({ progressive: true }).toBuffer()],
      ["image/png", await image.clone().png().toBuffer()],
      ["image/webp", await film.clone().webp().toBuffer()],
      ["image/gif", await film.clone().gif().toBuffer()],
    ];
  });

  /** They follow one another, and together they are the file. */
  const whole = (bytes: Buffer, type: MediaType) => {
    const blocks = readBlocks(bytes, type);
    if (!blocks) return false;
    let at = 0;
    for (const { start, end } of blocks) {
      assert.ok(start === at && end > start);
      at = end;
    }
    assert.equal(at, bytes.length);
    return true;
  };

  it("are all of the file, to what follows its end", () => {
    for (const [type, bytes] of files) {
      assert.ok(whole(bytes, type), type);
      assert.ok(whole(Buffer.concat([bytes, Buffer.from("and more")]), type), type);
      assert.equal(readBlocks(Buffer.concat([bytes, Buffer.from("and more")]), type)?.at(-1)?.picture, false);
    }
  });

  it("of a file that was cut off cannot be told", () => {
    for (const [type, bytes] of files) {
      for (let length = 0; length < bytes.length; length++) {
        assert.equal(readBlocks(bytes.subarray(0, length), type), null, `${type}, ${length} bytes`);
      }
    }
    assert.equal(readBlocks(Buffer.from("avif"), "image/avif"), null);
  });

  it("of whatever a stranger makes of a file are told or not, but always in the end", () => {
    const change = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      bytes: fc.uint8Array({ maxLength: 8 }),
    });
    fc.assert(
      fc.property(fc.nat(3), fc.array(change, { minLength: 1, maxLength: 6 }), (which, changes) => {
        const [type, original] = files[which] as [MediaType, Buffer];
        const bytes = Buffer.from(original);
        for (const { at, bytes: written } of changes) bytes.set(written, Math.floor(at * (bytes.length - 8)));
        whole(bytes, type);
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.nat(3), fc.uint8Array({ maxLength: 2000 }), (which, bytes) => {
        whole(Buffer.from(bytes), files[which]?.[0] ?? "image/png");
      }),
      { numRuns: 1000 },
    );
  });
});
