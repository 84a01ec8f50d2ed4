import { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { syncDirectory, writeText } from "./durable.ts";
import { isErrno, S3Error } from "./errors.ts";
import type { Files, Meta } from "./files.ts";
import { type Quota, sizeOf } from "./quota.ts";
import type { Expected } from "./receive.ts";
import type { ObjectInfo } from "./trailer.ts";

const MAX_PARTS = 10_000;
/** S3's rule for every part but the last. */
const MIN_PART_BYTES = 5 * 1024 * 1024;
const COPY_BYTES = 256 * 1024;
const UPLOAD_ID = /^[0-9a-f-]{36}$/;

export type Upload = Meta & { uploadId: string };
export type Part = { number: number; etag: string };

/**
 * Multipart uploads: a directory each, with `upload.json` and a file with a trailer per part.
 * `dir` is on the file system of the objects.
 */
export const createMultipart = (store: {
  dir: string;
  files: Files;
  quota: Pick<Quota, "take" | "give">;
  maxBytes: number;
}) => {
  const { dir, files, quota, maxBytes } = store;
  const folder = (uploadId: string) => {
    if (!UPLOAD_ID.test(uploadId)) throw new S3Error("NoSuchUpload");
    return join(dir, uploadId);
  };
  const recordPath = (uploadId: string) => join(folder(uploadId), "upload.json");
  const partPath = (uploadId: string, number: number) => join(folder(uploadId), `${number}.part`);

  const find = async (uploadId: string): Promise<Upload | null> => {
    try {
      return JSON.parse(await readFile(recordPath(uploadId), "utf8")) as Upload;
    } catch (error) {
      if (isErrno(error, "ENOENT")) return null;
      throw error;
    }
  };

  const need = async (uploadId: string, key: string): Promise<Upload> => {
    const upload = await find(uploadId);
    if (!upload || upload.key !== key) throw new S3Error("NoSuchUpload");
    return upload;
  };

  const info = async (uploadId: string, number: number): Promise<ObjectInfo | null> => {
    const file = await files.open(partPath(uploadId, number));
    await file?.handle.close();
    return file?.info ?? null;
  };

  const parts = async (uploadId: string): Promise<{ number: number; info: ObjectInfo }[]> => {
    const numbers = (await readdir(folder(uploadId)))
      .flatMap((name) => (name.endsWith(".part") ? [Number.parseInt(name, 10)] : []))
      .sort((a, b) => a - b);
    const found: { number: number; info: ObjectInfo }[] = [];
    for (const number of numbers) {
      const part = await info(uploadId, number);
      if (part) found.push({ number, info: part });
    }
    return found;
  };

  const bytesOf = (found: readonly { info: ObjectInfo }[]) => found.reduce((sum, { info: { size } }) => sum + size, 0);

  /** Removes an upload with its parts, of whose bytes `kept` live on in an object. Without its record it is none. */
  const drop = async (uploadId: string, kept: number): Promise<void> => {
    const bytes = await sizeOf(folder(uploadId));
    await rm(recordPath(uploadId), { force: true });
    await rm(folder(uploadId), { recursive: true, force: true });
    quota.give(bytes - kept);
  };

  /** The bytes of all parts, one after the other. A chunk is good until the next one is asked for. */
  async function* assemble(uploadId: string, wanted: readonly Part[]): AsyncGenerator<Uint8Array> {
    const chunk = new Uint8Array(COPY_BYTES);
    for (const { number, etag } of wanted) {
      const file = await files.open(partPath(uploadId, number));
      try {
        if (file?.info.etag !== etag) throw new S3Error("InvalidPart");
        for (let at = 0; at < file.info.size; ) {
          const { bytesRead } = await file.handle.read(chunk, 0, Math.min(COPY_BYTES, file.info.size - at), at);
          if (bytesRead === 0) throw new Error("A part is shorter than its trailer says");
          at += bytesRead;
          yield chunk.subarray(0, bytesRead);
        }
      } finally {
        await file?.handle.close();
      }
    }
  }

  return {
    /** Starts an upload and answers its id. */
    async create(meta: Meta): Promise<string> {
      const uploadId = randomUUID();
      const record = JSON.stringify({ ...meta, uploadId } satisfies Upload);
      const bytes = Buffer.byteLength(record);
      quota.take(bytes);
      try {
        await mkdir(folder(uploadId), { recursive: true });
        await writeText(recordPath(uploadId), record);
      } catch (error) {
        await rm(folder(uploadId), { recursive: true, force: true });
        quota.give(bytes);
        throw error;
      }
      await syncDirectory(dir);
      return uploadId;
    },

    /** Stores one part, replacing an earlier one of the same number. All parts together stay under the limit. */
    async put(
      { uploadId, key, number, modified }: { uploadId: string; key: string; number: number; modified: number },
      chunks: AsyncIterable<Uint8Array>,
      expected: Expected,
    ): Promise<ObjectInfo> {
      const upload = await need(uploadId, key);
      if (!Number.isInteger(number) || number < 1 || number > MAX_PARTS) {
        throw new S3Error("InvalidArgument", `partNumber must be from 1 to ${MAX_PARTS}`);
      }
      const others = (await parts(uploadId)).filter((part) => part.number !== number);
      const stored = bytesOf(others);
      const path = partPath(uploadId, number);
      const meta = { key: upload.key, mime: upload.mime, modified };
      return files.write(path, chunks, meta, { ...expected, maxBytes: Math.min(expected.maxBytes, maxBytes - stored) });
    },

    /** Joins the parts into the object at `path`. */
    async complete(uploadId: string, key: string, wanted: readonly Part[], path: string): Promise<ObjectInfo> {
      const { uploadId: _, ...meta } = await need(uploadId, key);
      if (wanted.length === 0) throw new S3Error("MalformedXML", "No parts are given");
      if (wanted.some(({ number }, index) => index > 0 && number <= (wanted[index - 1]?.number ?? 0))) {
        throw new S3Error("InvalidPartOrder");
      }
      const digest = createHash("md5");
      let size = 0;
      for (const [index, { number, etag }] of wanted.entries()) {
        const part = await info(uploadId, number);
        if (!part || part.etag !== etag) throw new S3Error("InvalidPart");
        if (part.size < MIN_PART_BYTES && index < wanted.length - 1) throw new S3Error("EntityTooSmall");
        digest.update(part.etag, "hex");
        size += part.size;
      }
      const etag = `${digest.digest("hex")}-${wanted.length}`;
      const how = { etag, counted: true };
      const done = await files.write(path, assemble(uploadId, wanted), meta, { length: size, maxBytes }, how);
      await drop(uploadId, size);
      return done;
    },

    async abort(uploadId: string, key: string): Promise<void> {
      await need(uploadId, key);
      await drop(uploadId, 0);
    },

    async parts(uploadId: string, key: string) {
      await need(uploadId, key);
      return parts(uploadId);
    },

    /** Uploads under way whose key starts with `prefix`, oldest first. */
    async list(prefix: string): Promise<Upload[]> {
      const found: Upload[] = [];
      for (const name of await readdir(dir)) {
        const upload = UPLOAD_ID.test(name) ? await find(name) : null;
        if (upload?.key.startsWith(prefix)) found.push(upload);
      }
      return found.sort((a, b) => a.modified - b.modified);
    },
  };
};
