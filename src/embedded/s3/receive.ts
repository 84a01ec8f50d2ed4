import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { S3Error } from "./errors.ts";

/** What the sender promised about a body; each is checked when the last byte is here. */
export type Expected = {
  /** Bytes; undefined when the length was not told. */
  length?: number;
  /** Hex. */
  sha256?: string;
  /** Base64, as in `Content-MD5`. */
  md5?: string;
  minBytes?: number;
  maxBytes: number;
  /** Told of each chunk before it is written; throws when there is no room for it. */
  take?(bytes: number): void;
};

/** Chunks of a request's body. Each must come within `idleMs`; leaving early cancels the body. */
export async function* bodyChunks(request: Request, idleMs: number): AsyncGenerator<Uint8Array> {
  if (!request.body) return;
  const reader = request.body.getReader();
  let finished = false;
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new S3Error("RequestTimeout")), idleMs);
      });
      const next = await Promise.race([reader.read(), late])
        .catch((error: unknown) => {
          throw error instanceof S3Error ? error : new S3Error("IncompleteBody");
        })
        .finally(() => clearTimeout(timer));
      if (next.done) break;
      yield next.value;
    }
    finished = true;
  } finally {
    if (!finished) reader.cancel().catch(() => undefined);
  }
}

/** Writes a body to an open file from its start, in constant memory, and checks what was promised. */
export const receive = async (
  handle: FileHandle,
  chunks: AsyncIterable<Uint8Array>,
  expected: Expected,
): Promise<{ size: number; md5: Buffer }> => {
  const md5 = createHash("md5");
  const sha256 = expected.sha256 === undefined ? null : createHash("sha256");
  if ((expected.length ?? 0) > expected.maxBytes) throw new S3Error("EntityTooLarge");
  let size = 0;
  for await (const chunk of chunks) {
    if (size + chunk.length > expected.maxBytes) throw new S3Error("EntityTooLarge");
    expected.take?.(chunk.length);
    md5.update(chunk);
    sha256?.update(chunk);
    for (let done = 0; done < chunk.length; ) {
      done += (await handle.write(chunk, done, chunk.length - done, size + done)).bytesWritten;
    }
    size += chunk.length;
  }
  const digest = md5.digest();
  if (expected.length !== undefined && size !== expected.length) throw new S3Error("IncompleteBody");
  if (size < (expected.minBytes ?? 0)) throw new S3Error("EntityTooSmall");
  if (sha256 && sha256.digest("hex") !== expected.sha256) throw new S3Error("XAmzContentSHA256Mismatch");
  if (expected.md5 !== undefined) {
    const promised = Buffer.from(expected.md5, "base64");
    if (promised.length !== 16) throw new S3Error("InvalidDigest");
    if (!promised.equals(digest)) throw new S3Error("BadDigest");
  }
  return { size, md5: digest };
};
