import { Buffer } from "node:buffer";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "./errors.ts";
import { fragmentOf } from "./paths.ts";

/** S3 lists in the order of UTF-8 bytes, which is not that of JavaScript strings. */
export const compareKeys = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * Keys that start with `prefix` and come after `after`, in S3's order, reading only the directories that can
 * hold them. Entries sorted by their fragment give key order, because `/` ends a directory's fragment.
 */
export async function* walkKeys(
  directory: string,
  { prefix, after }: { prefix: string; after: string },
  above = "",
): AsyncGenerator<{ key: string; path: string }> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return;
    throw error;
  }
  const entries = names
    .map((name) => ({ name, fragment: fragmentOf(name) }))
    .filter((entry): entry is { name: string; fragment: string } => entry.fragment !== null)
    .sort((a, b) => compareKeys(a.fragment, b.fragment));
  for (const { name, fragment } of entries) {
    const key = above + fragment;
    const path = join(directory, name);
    if (name.endsWith(".o")) {
      if (key.startsWith(prefix) && compareKeys(key, after) > 0) yield { key, path };
      continue;
    }
    const mayMatch = key.startsWith(prefix) || prefix.startsWith(key);
    const mayFollow = after.startsWith(key) || compareKeys(key, after) > 0;
    if (mayMatch && mayFollow) yield* walkKeys(path, { prefix, after }, key);
  }
}
