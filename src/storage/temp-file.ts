import { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
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

/**
 * Writes and hashes one chunk after another, and asks for the next only then. A pipeline of streams was as fast, but
 * held up to 45 MB of chunks at once on their way to the disk and to the garbage, where this holds 27 MB.
 */
const receive = async (body: Readable, handle: FileHandle, maxBytes: number) => {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    if (size + chunk.length > maxBytes) {
      throw new MediaError("output_too_large", `It is larger than ${maxBytes} bytes`);
    }
    hash.update(chunk);
    for (let done = 0; done < chunk.length; ) {
      done += (await handle.write(chunk, done, chunk.length - done, size + done)).bytesWritten;
    }
    size += chunk.length;
  }
  return { size, sha256: hash.digest("hex") };
};

const readHead = async (handle: FileHandle): Promise<Uint8Array> => {
  const head = Buffer.alloc(HEAD_BYTES);
  const { bytesRead } = await handle.read(head, 0, head.length, 0);
  return head.subarray(0, bytesRead);
};

/** As `receive`, into a new file, until the signal aborts. */
const save = async (body: Readable, path: string, maxBytes: number, signal: AbortSignal) => {
  signal.throwIfAborted();
  const abort = () => body.destroy(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  const handle = await open(path, "wx+");
  try {
    const received = await receive(body, handle, maxBytes);
    signal.throwIfAborted();
    return { ...received, head: await readHead(handle) };
  } finally {
    signal.removeEventListener("abort", abort);
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
    return await use({ path, ...(await save(body, path, maxBytes, signal)) });
  } finally {
    body.destroy();
    await rm(path, { force: true });
  }
};
