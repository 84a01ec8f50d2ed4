import { createReadStream } from "node:fs";
import { Problem } from "../errors.ts";
import type { Kept, Storage } from "../ports.ts";
import { MAX_PIXELS, measure } from "./derive.ts";
import { inspect } from "./inspect.ts";
import { attachmentKey } from "./keys.ts";
import { MediaError } from "./media-error.ts";
import { extensionOf, isImage, type MediaType, mediaType } from "./media-types.ts";
import { type TempFile, withTempFile } from "./temp-file.ts";

export type Refusal = "missing" | "empty" | "too_large" | "type_mismatch" | "unsupported";

/** Sizes in bytes and pixels. `key` is one that no upload URL can write. */
export type Admission =
  | { ok: true; sha256: string; mime: MediaType; size_bytes: number; key: string; width?: number; height?: number }
  | { ok: false; code: Refusal; message: string };

const refuse = (code: Refusal, message: string): Admission => ({ ok: false, code, message });
const MISSING = refuse("missing", "Nothing was uploaded");
const EMPTY = refuse("empty", "The file has no bytes");
const tooLarge = (limit: number) => refuse("too_large", `The file is larger than ${limit} bytes`);

/** What the bytes are, against what they were said to be. */
const judge = async (file: TempFile, declared: MediaType): Promise<Admission | { width?: number; height?: number }> => {
  const found = await inspect(file.head, declared);
  if (found?.mime !== declared) {
    return refuse("type_mismatch", `The file is ${found ? found.mime : "something else"}, not ${declared}`);
  }
  if (!isImage(declared)) return {};
  const size = await measure(file.path).catch(() => null);
  if (!size) return refuse("type_mismatch", `The file cannot be read as ${declared}`);
  if (size.width * size.height * size.frames > MAX_PIXELS) {
    return refuse("too_large", `The image has more than ${MAX_PIXELS} pixels`);
  }
  return { width: size.width, height: size.height };
};

/**
 * Verifies an upload (present, size, magic bytes, dimensions) and stores the very bytes that were verified
 * under `attachments/`. A server-side copy would not do: whoever holds the upload URL could replace the object
 * between the check and the copy. Doing it again gives the same answer; the upload itself is left to the caller.
 *
 * Answers `ok: false` for what the user did; rejects when storage is away or the signal aborts.
 */
export const admitAttachment = async ({
  storage,
  kept = async (key) => (await storage.stat(key)) !== null,
  uploadKey,
  owner,
  declared,
  maxBytes,
  tmpDir,
  signal,
}: {
  storage: Storage;
  /** Default: what is there stays. */
  kept?: Kept;
  uploadKey: string;
  /** Uuid of the user. */
  owner: string;
  /** `size`, when told, is a limit too. */
  declared: { mime: string; size?: number };
  maxBytes: number;
  tmpDir: string;
  signal: AbortSignal;
}): Promise<Admission> => {
  signal.throwIfAborted();
  const type = mediaType(declared.mime);
  if (!type) return refuse("unsupported", `${declared.mime} is not an image, video or sound that Darkroom knows`);
  const limit = Math.min(maxBytes, declared.size ?? maxBytes);
  const uploaded = await storage.stat(uploadKey);
  if (!uploaded) return MISSING;
  if (uploaded.size === 0) return EMPTY;
  if (uploaded.size > limit) return tooLarge(limit);
  try {
    const body = await storage.get(uploadKey);
    return await withTempFile({ body, maxBytes: limit, tmpDir, signal }, async (file) => {
      if (file.size === 0) return EMPTY;
      const verdict = await judge(file, type);
      if ("ok" in verdict) return verdict;
      const key = attachmentKey(owner, file.sha256, extensionOf(type));
      signal.throwIfAborted();
      if (!(await kept(key))) {
        await storage.put(key, createReadStream(file.path), { size: file.size, mime: type });
      }
      return { ok: true, sha256: file.sha256, mime: type, size_bytes: file.size, key, ...verdict };
    });
  } catch (error) {
    if (error instanceof MediaError && error.code === "output_too_large") return tooLarge(limit);
    if (error instanceof Problem && error.code === "not_found") return MISSING;
    throw error;
  }
};
