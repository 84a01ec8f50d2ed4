import { Buffer } from "node:buffer";
import { join } from "node:path";
import { S3Error } from "./errors.ts";

/**
 * Keys on disk: one directory per segment, `media/a.webp` → `media.d/a.webp.o`. The suffixes keep object `a`
 * and directory `a/` apart and make every name harmless (`..` becomes `...d`); whatever is not a lower-case
 * letter, digit, `.`, `_` or `-` is percent-encoded per byte, so that no two keys meet on a file system that
 * folds case or normalises Unicode, and the tree can be listed in key order without an index.
 */
const OBJECT = ".o";
const DIRECTORY = ".d";
const MAX_NAME_BYTES = 255;

const encodeSegment = (segment: string, suffix: string): string => {
  let name = "";
  for (const byte of Buffer.from(segment)) {
    const char = String.fromCharCode(byte);
    name += /[a-z0-9._-]/.test(char) ? char : `%${byte.toString(16).padStart(2, "0")}`;
  }
  if (name.length + suffix.length > MAX_NAME_BYTES) throw new S3Error("KeyTooLongError");
  return name + suffix;
};

/** The file of an object below `root`. Throws `KeyTooLongError`. */
export const pathOf = (root: string, key: string): string => {
  const segments = key.split("/");
  const last = segments.pop() ?? "";
  return join(root, ...segments.map((each) => encodeSegment(each, DIRECTORY)), encodeSegment(last, OBJECT));
};

/** A directory entry's part of the key: `a/` for a directory, `a` for an object; null for foreign files. */
export const fragmentOf = (name: string): string | null => {
  const directory = name.endsWith(DIRECTORY);
  if (!directory && !name.endsWith(OBJECT)) return null;
  try {
    return decodeURIComponent(name.slice(0, -2)) + (directory ? "/" : "");
  } catch {
    return null;
  }
};
