import { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { HEAD_BYTES } from "./inspect.ts";
import { MediaError } from "./media-error.ts";

/** A download on disk. `head` holds its first bytes, up to `HEAD_BYTES`. */
export type TempFile = { path: string; size: number; sha256: string; head: Uint8Array };

const SUFFIX = ".part";
/** Nothing takes so long: an ingest and the check of an attachment have limits of minutes. */
const ABANDONED_MS = 3600_000;

/**
 * Removes what processes left in `tmpDir` that were killed in the middle of an ingest; answers how many. Their age
 * decides, because other nodes may be using the directory.
 */
export const sweepTempFiles = async (tmpDir: string, now: number): Promise<number> => {
  let removed = 0;
  for (const name of await readdir(tmpDir)) {
    if (!name.endsWith(SUFFIX)) continue;
    const path = join(tmpDir, name);
    const found = await stat(path).catch(() => null);
    if (!found || now - found.mtimeMs < ABANDONED_MS) continue;
    await rm(path, { force: true });
    removed += 1;
  }
  return removed;
};

/** Hashes and counts what passes; fails as soon as it is more than `maxBytes`. */
const createMeter = (maxBytes: number) => {
  const hash = createHash("sha256");
  let size = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > maxBytes) return done(new MediaError("output_too_large", `It is larger than ${maxBytes} bytes`));
      hash.update(chunk);
      return done(null, chunk);
    },
  });
  return { stream, read: () => ({ size, sha256: hash.digest("hex") }) };
};

const readHead = async (path: string): Promise<Uint8Array> => {
  const handle = await open(path, "r");
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
};

/**
 * Streams `body` to a temporary file in `tmpDir`, hands it to `use`, and removes it whatever happens.
 * Rejects with `MediaError` `output_too_large`, with the body's own error, or with the signal's reason.
 */
export const withTempFile = async <T>(
  { body, maxBytes, tmpDir, signal }: { body: Readable; maxBytes: number; tmpDir: string; signal: AbortSignal },
  use: (file: TempFile) => Promise<T>,
): Promise<T> => {
  const path = join(tmpDir, `${randomUUID()}${SUFFIX}`);
  try {
    await mkdir(tmpDir, { recursive: true });
    const meter = createMeter(maxBytes);
    await pipeline(body, meter.stream, createWriteStream(path, { flags: "wx" }), { signal });
    return await use({ path, head: await readHead(path), ...meter.read() });
  } finally {
    body.destroy();
    await rm(path, { force: true });
  }
};
