import type { Buffer } from "node:buffer";
import { MediaError } from "./media-error.ts";
import type { MediaType } from "./media-types.ts";

/** A stretch of an image file. `picture`: what is seen depends on it; else it only tells something. */
export type Block = { start: number; end: number; picture: boolean };

/** A film of some minutes as a GIF has fewer; a file of nothing but tiny blocks costs more to walk than to upload. */
const MAX_BLOCKS = 50_000;

const PNG_SIGNATURE = 8;
const PNG_CHUNKS = new Set(
  ("IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs sPLT " + "acTL fcTL fdAT").split(
    " ",
  ),
);

function* pngBlocks(bytes: Buffer): Generator<Block> {
  yield { start: 0, end: PNG_SIGNATURE, picture: true };
  for (let start = PNG_SIGNATURE, type = ""; type !== "IEND"; ) {
    type = bytes.toString("latin1", start + 4, start + 8);
    const end = start + bytes.readUInt32BE(start) + 12;
    yield { start, end, picture: PNG_CHUNKS.has(type) };
    start = end;
  }
}

const WEBP_HEADER = 12;
const WEBP_CHUNKS = new Set(["VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "ICCP"]);

function* webpBlocks(bytes: Buffer): Generator<Block> {
  yield { start: 0, end: WEBP_HEADER, picture: true };
  const last = bytes.readUInt32LE(4) + 8;
  for (let start = WEBP_HEADER; start < last; ) {
    const size = bytes.readUInt32LE(start + 4);
    const end = start + 8 + size + (size % 2);
    yield { start, end, picture: WEBP_CHUNKS.has(bytes.toString("latin1", start, start + 4)) };
    start = end;
  }
}

const GIF_EXTENSION = 0x21;
const GIF_FRAME = 0x2c;
const GIF_END = 0x3b;
const GIF_COMMENT = 0xfe;
const GIF_APPLICATION = 0xff;
/** How often to repeat, and the colour profile. */
const GIF_APPLICATIONS = new Set(["NETSCAPE2.0", "ANIMEXTS1.0", "ICCRGBG1012"]);

const colourTable = (flags: number) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);

function* gifBlocks(bytes: Buffer): Generator<Block> {
  const afterSubBlocks = (at: number): number => {
    for (let size = bytes.readUInt8(at); size > 0; size = bytes.readUInt8(at)) at += size + 1;
    return at + 1;
  };
  let start = 13 + colourTable(bytes.readUInt8(10));
  yield { start: 0, end: start, picture: true };
  for (;;) {
    const kind = bytes.readUInt8(start);
    if (kind === GIF_END) break;
    let end: number;
    let picture = true;
    if (kind === GIF_FRAME) end = afterSubBlocks(start + 11 + colourTable(bytes.readUInt8(start + 9)));
    else if (kind === GIF_EXTENSION) {
      const label = bytes.readUInt8(start + 1);
      end = afterSubBlocks(start + 2);
      const application = bytes.toString("latin1", start + 3, start + 14);
      picture = label === GIF_APPLICATION ? GIF_APPLICATIONS.has(application) : label !== GIF_COMMENT;
    } else throw new RangeError("not a block of a GIF");
    yield { start, end, picture };
    start = end;
  }
  yield { start, end: start + 1, picture: true };
}

const JPEG_END = 0xd9;
const JPEG_SCAN = 0xda;
const JPEG_COMMENT = 0xfe;
/** Of the application segments those that say how to read the colours. */
const JPEG_APPLICATIONS: Record<number, string> = { 224: "JFIF\0", 226: "ICC_PROFILE\0", 238: "Adobe" };

/** Where a scan's coded data ends: at the next marker that is neither a stuffed byte nor a restart. */
const endOfScan = (bytes: Buffer, from: number): number => {
  for (let at = from; ; ) {
    at = bytes.indexOf(0xff, at);
    if (at < 0) throw new RangeError("the scan has no end");
    const next = bytes.readUInt8(at + 1);
    if (next === 0 || (next >= 0xd0 && next <= 0xd7)) at += 2;
    else if (next === 0xff) at += 1;
    else return at;
  }
};

const tellsOnly = (bytes: Buffer, marker: number, content: number): boolean => {
  if (marker === JPEG_COMMENT) return true;
  if (marker < 0xe0 || marker > 0xef) return false;
  const wanted = JPEG_APPLICATIONS[marker];
  return wanted === undefined || bytes.toString("latin1", content, content + wanted.length) !== wanted;
};

function* jpegBlocks(bytes: Buffer): Generator<Block> {
  yield { start: 0, end: 2, picture: true };
  for (let start = 2, marker = 0; marker !== JPEG_END; ) {
    let at = start;
    if (bytes.readUInt8(at) !== 0xff) throw new RangeError("not a segment of a JPEG");
    while (bytes.readUInt8(at + 1) === 0xff) at += 1;
    marker = bytes.readUInt8(at + 1);
    let end = at + 2;
    if (marker !== JPEG_END) end += bytes.readUInt16BE(end);
    if (marker === JPEG_SCAN) end = endOfScan(bytes, end);
    yield { start, end, picture: !tellsOnly(bytes, marker, at + 4) };
    start = end;
  }
}

const WALKERS: Partial<Record<MediaType, (bytes: Buffer) => Generator<Block>>> = {
  "image/png": pngBlocks,
  "image/webp": webpBlocks,
  "image/gif": gifBlocks,
  "image/jpeg": jpegBlocks,
};

/**
 * The blocks of an image file, one after the other; what follows its end is the last. Null when they cannot be told: the
 * file is broken or of another type. Throws `unreadable_output` for an absurd number of blocks.
 */
export const readBlocks = (bytes: Buffer, type: MediaType): Block[] | null => {
  const blocks: Block[] = [];
  try {
    for (const block of WALKERS[type]?.(bytes) ?? []) {
      if (block.end > bytes.length) return null;
      if (blocks.length === MAX_BLOCKS) throw new MediaError("unreadable_output", "The image has too many blocks");
      blocks.push(block);
    }
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
  const last = blocks.at(-1);
  if (!last) return null;
  if (last.end < bytes.length) blocks.push({ start: last.end, end: bytes.length, picture: false });
  return blocks;
};
