import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { S3Error } from "./errors.ts";

/** Bytes of all files below a directory; what goes away meanwhile counts for nothing. */
export const sizeOf = async (directory: string): Promise<number> => {
  let size = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) size += (await stat(join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0;
  }
  return size;
};

/**
 * How much a directory may hold, in bytes; 0: without a limit, and nothing is counted. Counted at first by what is
 * there, then by what is written and removed here; `recount` finds what other nodes did, and what a crash left.
 */
export const createQuota = async (directory: string, limit: number) => {
  let used = limit > 0 ? await sizeOf(directory) : 0;
  return {
    /** Throws `QuotaExceeded` instead, when they do not fit. Bytes are those of files, with their trailers. */
    take(bytes: number): void {
      if (limit > 0 && used + bytes > limit) throw new S3Error("QuotaExceeded");
      used += bytes;
    },
    give(bytes: number): void {
      used = Math.max(0, used - bytes);
    },
    recount: async (): Promise<void> => {
      if (limit > 0) used = await sizeOf(directory);
    },
  };
};

export type Quota = Awaited<ReturnType<typeof createQuota>>;
