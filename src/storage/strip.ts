import { Buffer } from "node:buffer";
import { type Dimensions, renderUpright } from "./derive.ts";
import type { Block } from "./image-blocks.ts";
import type { MediaType } from "./media-types.ts";

/** In the flags of an extended WebP: that there are EXIF and XMP chunks. */
const WEBP_TOLD = 0x08 | 0x04;

/** The file of the blocks that make the picture, bit for bit as they were. */
const picture = (bytes: Buffer, blocks: readonly Block[], type: MediaType): Buffer => {
  const kept = blocks.filter((block) => block.picture);
  const joined = Buffer.concat(kept.map(({ start, end }) => bytes.subarray(start, end)));
  if (type !== "image/webp") return joined;
  joined.writeUInt32LE(joined.length - 8, 4);
  if (joined.toString("latin1", 12, 16) === "VP8X") joined.writeUInt8(joined.readUInt8(20) & ~WEBP_TOLD, 20);
  return joined;
};

/** What is known of an image file. */
type Known = { path: string; bytes: Buffer; blocks: readonly Block[] | null; type: MediaType; image: Dimensions };

/** Frames cannot be turned; they hardly ever are to be. */
const moves = ({ bytes, type, image }: Known): boolean =>
  image.frames > 1 || (type === "image/png" && bytes.subarray(0, 1024).includes("acTL"));

/**
 * An image without what it tells beside the picture (EXIF with its place and time, XMP, IPTC, comments, whatever
 * follows its end), upright, its colours and frames as they were. Null when it tells nothing. Its blocks are left out
 * and the others stay as they are; one that has to be turned is made anew. Rejects when it cannot be decoded.
 */
export const stripped = async (known: Known): Promise<Buffer | null> => {
  const { path, bytes, blocks, type, image } = known;
  if (blocks && (image.orientation === 1 || moves(known))) {
    return blocks.every((block) => block.picture) ? null : picture(bytes, blocks, type);
  }
  if (type === "image/avif" && !image.tagged) return null;
  return renderUpright(path, type);
};
