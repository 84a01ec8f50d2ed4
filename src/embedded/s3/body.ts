import { Buffer } from "node:buffer";
import { openAsBlob } from "node:fs";
import type { FileHandle } from "node:fs/promises";

/** Up to here an answer is read at once; above, it streams. */
const SMALL_BYTES = 256 * 1024;
const CHUNK_BYTES = 256 * 1024;

export type Span = { start: number; length: number };

/** Reads only what is asked for; closes the handle at the end, on failure and when the client leaves. */
const stream = (handle: FileHandle, { start, length }: Span): ReadableStream<Uint8Array> => {
  let position = start;
  const end = start + length;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const chunk = new Uint8Array(Math.min(CHUNK_BYTES, end - position));
          const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
          position += bytesRead;
          if (bytesRead > 0) controller.enqueue(chunk.subarray(0, bytesRead));
          if (bytesRead === 0 || position >= end) {
            await handle.close();
            controller.close();
          }
        } catch (error) {
          await handle.close().catch(() => undefined);
          controller.error(error);
        }
      },
      cancel: () => handle.close(),
    },
    { highWaterMark: 0 },
  );
};

/**
 * A response body for part of an open file; takes over the handle.
 *
 * Bun sends a stream without its Content-Length, but a file-backed Blob with it and by sendfile. Node and
 * Deno keep the header on streams, and Deno reads all of a file into its Blob (2.4 GB of memory for 800 MB).
 * A file-backed Blob is known by `exists()`. It is opened by path when it is sent, so it serves the newer
 * bytes if the object is overwritten in between; what is served to browsers is never overwritten.
 */
export const fileBody = async (handle: FileHandle, path: string, span: Span, lazyBlobs: boolean): Promise<BodyInit> => {
  if (span.length > SMALL_BYTES && !lazyBlobs) return stream(handle, span);
  try {
    if (span.length > SMALL_BYTES) return (await openAsBlob(path)).slice(span.start, span.start + span.length);
    const bytes = Buffer.alloc(span.length);
    const { bytesRead } = await handle.read(bytes, 0, span.length, span.start);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytesRead);
  } finally {
    await handle.close();
  }
};

/** Whether `openAsBlob` leaves the bytes in the file, tried on `path`, a small file. */
export const hasLazyBlobs = async (path: string): Promise<boolean> =>
  typeof ((await openAsBlob(path)) as Blob & { exists?: unknown }).exists === "function";
