import { Buffer } from "node:buffer";
import type { FileHandle } from "node:fs/promises";

/**
 * An object is one file: its bytes, then this record as JSON, then the JSON's length and a mark. Data and
 * metadata therefore appear and vanish in one rename, and no crash can leave one without the other.
 */
export type ObjectInfo = {
  key: string;
  /** Bytes of data, without the trailer. */
  size: number;
  /** Hex, without quotes; a multipart upload's ends in `-<parts>`. */
  etag: string;
  mime: string;
  /** Milliseconds since the epoch. */
  modified: number;
  cacheControl?: string;
  disposition?: string;
};

const MARK = Buffer.from("DARKROM1");
const FOOT = MARK.length + 4;
/** Most trailers fit, so that one read fetches all. */
const GUESS = 2048;

export const encodeTrailer = (info: ObjectInfo): Buffer => {
  const json = Buffer.from(JSON.stringify(info));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([json, length, MARK]);
};

/** Reads the trailer of an open file. Rejects when the file is not an object. */
export const readTrailer = async (handle: FileHandle): Promise<ObjectInfo> => {
  const { size } = await handle.stat();
  const read = async (length: number) => {
    const tail = Buffer.alloc(Math.min(length, size));
    const { bytesRead } = await handle.read(tail, 0, tail.length, size - tail.length);
    return tail.subarray(0, bytesRead);
  };
  let tail = await read(GUESS);
  const mark = tail.subarray(-MARK.length);
  if (tail.length < FOOT || !mark.equals(MARK)) throw new Error("The file is not a stored object");
  const length = tail.readUInt32BE(tail.length - FOOT);
  if (length + FOOT > tail.length) tail = await read(length + FOOT);
  const info = JSON.parse(tail.subarray(tail.length - FOOT - length, tail.length - FOOT).toString()) as ObjectInfo;
  if (info.size !== size - length - FOOT) throw new Error("The stored object has the wrong length");
  return info;
};
