import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * Removes entries of `directory` that nobody has touched for `maxAgeMs`: temporary files of a crash, and
 * multipart uploads that nobody finished. The age, not a list, decides, because other nodes may share it.
 */
export const sweep = async (directory: string, now: number, maxAgeMs: number): Promise<number> => {
  let removed = 0;
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const found = await stat(path).catch(() => null);
    if (!found || now - found.mtimeMs < maxAgeMs) continue;
    await rm(path, { recursive: true, force: true });
    removed += 1;
  }
  return removed;
};
