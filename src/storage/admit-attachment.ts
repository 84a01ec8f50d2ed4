import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { Problem } from "../errors.ts";
import type { Kept, Storage } from "../ports.ts";
import { type Dimensions, MAX_PIXELS, measure, thumbnailSizes } from "./derive.ts";
import { readBlocks } from "./image-blocks.ts";
import { inspect } from "./inspect.ts";
import { attachmentKey } from "./keys.ts";
import { MediaError } from "./media-error.ts";
import { extensionOf, isImage, type MediaType, mediaType } from "./media-types.ts";
import { putOnce, putPoster, putThumbnails, type Rendition, type Source, undecodable } from "./renditions.ts";
import { stripped } from "./strip.ts";
import { type TempFile, withTempFile } from "./temp-file.ts";

export type Refusal = "missing" | "empty" | "too_large" | "type_mismatch" | "unsupported";

/** `sha256` is of the bytes as they are stored. Sizes in bytes and pixels. `key` is one that no upload URL can write. */
export type Admitted = {
  ok: true;
  sha256: string;
  mime: MediaType;
  size_bytes: number;
  key: string;
  width: number | null;
  height: number | null;
  /** Still WebPs of an image or of a video's poster, the smallest first; none of sound. */
  thumbnails: Rendition[];
};
export type Admission = Admitted | { ok: false; code: Refusal; message: string };

const refuse = (code: Refusal, message: string): Admission => ({ ok: false, code, message });
const MISSING = refuse("missing", "Nothing was uploaded");
const EMPTY = refuse("empty", "The file has no bytes");
const tooLarge = (limit: number) => refuse("too_large", `The file is larger than ${limit} bytes`);
const unreadable = (type: MediaType) => refuse("type_mismatch", `The file cannot be read as ${type}`);

/** What a browser looks at when it guesses, and tags that no picture, film or sound begins with. */
const GUESSED_BYTES = 1024;
const MARKUP = /<(!doctype|html|head|body|script|iframe|svg)[\s>]/i;

type Upload = Pick<Source, "storage" | "kept" | "signal" | "ffmpeg"> & {
  owner: string;
  type: MediaType;
  tmpDir: string;
};

/** Stores what was found to be good, with its pictures first: an image that cannot be decoded is not stored. */
const keep = async (upload: Upload, file: TempFile, image: Dimensions | null): Promise<Admission> => {
  const { owner, type, ...where } = upload;
  if (MARKUP.test(new TextDecoder("latin1").decode(file.head.subarray(0, GUESSED_BYTES)))) {
    return refuse("type_mismatch", `The file is a page in disguise, not ${type}`);
  }
  const { sha256, path, size } = file;
  const key = attachmentKey(owner, sha256, extensionOf(type));
  const source = { ...where, path, keyOf: (variant: string) => attachmentKey(owner, sha256, "webp", variant) };
  const thumbnails = image ? await putThumbnails(source, path, thumbnailSizes(image)) : await putPoster(source, type);
  await putOnce(source, key, async () => [key, createReadStream(path), { size, mime: type }]);
  const { width = null, height = null } = image ?? {};
  return { ok: true, sha256, mime: type, size_bytes: size, key, width, height, thumbnails };
};

/** An image is measured by its header before anything of it is decoded, and stored without what it tells. */
const keepImage = async (upload: Upload, file: TempFile): Promise<Admission> => {
  const { type, tmpDir, signal } = upload;
  const { path } = file;
  const bytes = await readFile(path);
  const blocks = readBlocks(bytes, type);
  const image = await measure(path).catch(undecodable);
  if (image.width * image.height * image.frames > MAX_PIXELS) {
    return refuse("too_large", `The image has more than ${MAX_PIXELS} pixels`);
  }
  const clean = await stripped({ path, bytes, blocks, type, image }).catch(undecodable);
  if (!clean) return keep(upload, file, image);
  const body = Readable.from([clean]);
  return withTempFile({ body, maxBytes: clean.length, tmpDir, signal }, (again) => keep(upload, again, image));
};

/** What the bytes are, against what they were said to be. */
const judge = async (upload: Upload, file: TempFile): Promise<Admission> => {
  const { type } = upload;
  if (file.size === 0) return EMPTY;
  const found = await inspect(file.head, type);
  if (found?.mime !== type) {
    return refuse("type_mismatch", `The file is ${found ? found.mime : "something else"}, not ${type}`);
  }
  return isImage(type) ? keepImage(upload, file) : keep(upload, file, null);
};

/**
 * Verifies an upload (present, size, magic bytes, dimensions) and stores the very bytes that were verified under
 * `attachments/`, of an image without its metadata and with its thumbnails. A server-side copy would not do: whoever
 * holds the upload URL could replace the object between the check and the copy. Doing it again gives the same answer;
 * the upload itself is left to the caller.
 *
 * Answers `ok: false` for what the user did; rejects when storage is away or the signal aborts.
 */
export const admitAttachment = async ({
  storage,
  kept,
  uploadKey,
  owner,
  declared,
  maxBytes,
  tmpDir,
  signal,
  ffmpeg,
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
  /** The program that finds a frame of a video. Default: the one on the PATH. */
  ffmpeg?: string;
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
    const upload: Upload = { storage, kept, owner, type, tmpDir, signal, ffmpeg };
    return await withTempFile({ body, maxBytes: limit, tmpDir, signal }, (file) => judge(upload, file));
  } catch (error) {
    if (error instanceof MediaError) return error.code === "output_too_large" ? tooLarge(limit) : unreadable(type);
    if (error instanceof Problem && error.code === "not_found") return MISSING;
    throw error;
  }
};
