import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, type FileHandle, link, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncDirectory } from "./durable.ts";
import { isErrno, S3Error } from "./errors.ts";
import type { Quota } from "./quota.ts";
import { type Expected, receive } from "./receive.ts";
import { encodeTrailer, type ObjectInfo, readTrailer } from "./trailer.ts";

/** What a writer knows before the bytes are here. */
export type Meta = Pick<ObjectInfo, "key" | "mime" | "modified" | "cacheControl" | "disposition">;

/** `etag`: another than the MD5. `fresh`: fails when there is an object already. `counted`: its bytes are, already. */
export type Writing = { etag?: string; fresh?: boolean; counted?: boolean };

/** An open object. The caller closes `handle`. */
export type OpenFile = { handle: FileHandle; info: ObjectInfo };

type Take = Quota["take"];

const sizeAt = async (path: string): Promise<number> => (await stat(path).catch(() => null))?.size ?? 0;

/** Whole files with a trailer, written beside (`tempDir`, same file system) and renamed into place. */
export const createFiles = (tempDir: string, quota: Pick<Quota, "take" | "give">, maxWrites: number) => {
  let writes = 0;

  /** Runs `use` with a count of what it takes, all of which is given back when it fails. */
  const counting = async <T>(use: (take: Take) => Promise<T>): Promise<T> => {
    let taken = 0;
    try {
      return await use((bytes) => {
        quota.take(bytes);
        taken += bytes;
      });
    } catch (error) {
      quota.give(taken);
      throw error;
    }
  };

  /** Runs `fill` on a new file; whatever it does not rename away is removed. Not too many at once. */
  const writing = async <T>(fill: (temp: string) => Promise<T>): Promise<T> => {
    if (writes >= maxWrites) throw new S3Error("SlowDown");
    writes += 1;
    const temp = join(tempDir, randomUUID());
    try {
      return await fill(temp);
    } finally {
      writes -= 1;
      await rm(temp, { force: true });
    }
  };

  /** The one moment at which an object is there. */
  const place = async (temp: string, path: string, fresh: boolean) => {
    const replaced = await sizeAt(path);
    if (!fresh) await rename(temp, path);
    else {
      await link(temp, path).catch((error: unknown) => {
        throw isErrno(error, "EEXIST") ? new S3Error("PreconditionFailed") : error;
      });
    }
    quota.give(replaced);
  };

  type Commit = { handle: FileHandle; temp: string; path: string; info: ObjectInfo; take: Take; fresh?: boolean };
  const commit = async ({ handle, temp, path, info, take, fresh = false }: Commit) => {
    const trailer = encodeTrailer(info);
    take(trailer.length);
    await handle.truncate(info.size);
    await handle.write(trailer, 0, trailer.length, info.size);
    await handle.sync();
    const made = await mkdir(dirname(path), { recursive: true });
    await place(temp, path, fresh);
    const top = made === undefined ? dirname(path) : dirname(made);
    for (let each = dirname(path); ; each = dirname(each)) {
      await syncDirectory(each);
      if (each === top) break;
    }
  };

  return {
    /** Stores `chunks` at `path`. Rejects with what `receive` finds wrong; then nothing has changed. */
    write: (path: string, chunks: AsyncIterable<Uint8Array>, meta: Meta, expected: Expected, how: Writing = {}) =>
      writing((temp) =>
        counting(async (take) => {
          const handle = await open(temp, "wx+");
          try {
            const { size, md5 } = await receive(handle, chunks, how.counted ? expected : { ...expected, take });
            const info: ObjectInfo = { ...meta, size, etag: how.etag ?? md5.toString("hex") };
            await commit({ handle, temp, path, info, take, fresh: how.fresh });
            return info;
          } finally {
            await handle.close();
          }
        }),
      ),

    /** Copies within the store; null when `from` is absent. `meta` is made from the source as it was copied. */
    copy: (from: string, to: string, meta: (source: ObjectInfo) => Meta): Promise<ObjectInfo | null> =>
      writing((temp) =>
        counting(async (take) => {
          const copied = await sizeAt(from);
          take(copied);
          try {
            await copyFile(from, temp, constants.COPYFILE_FICLONE);
          } catch (error) {
            if (isErrno(error, "ENOENT")) return null;
            throw error;
          }
          const handle = await open(temp, "r+");
          try {
            const source = await readTrailer(handle);
            const info: ObjectInfo = { ...meta(source), size: source.size, etag: source.etag };
            take(source.size - copied);
            await commit({ handle, temp, path: to, info, take });
            return info;
          } finally {
            await handle.close();
          }
        }),
      ),

    /** Opens for reading; null when absent. */
    async open(path: string): Promise<OpenFile | null> {
      let handle: FileHandle;
      try {
        handle = await open(path, "r");
      } catch (error) {
        if (isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR")) return null;
        throw error;
      }
      try {
        return { handle, info: await readTrailer(handle) };
      } catch (error) {
        await handle.close();
        throw error;
      }
    },

    /** Absent is as good as removed. */
    async remove(path: string): Promise<void> {
      const size = await sizeAt(path);
      await rm(path, { force: true });
      quota.give(size);
      await syncDirectory(dirname(path));
    },
  };
};

export type Files = ReturnType<typeof createFiles>;
