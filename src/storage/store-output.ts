import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import type { Kept, Storage } from "../ports.ts";
import { type Dimensions, MAX_PIXELS, measure, thumbnailSizes, webSize } from "./derive.ts";
import { inspect } from "./inspect.ts";
import { mediaKey } from "./keys.ts";
import { MediaError } from "./media-error.ts";
import { extensionOf, isImage, type MediaType } from "./media-types.ts";
import { putOnce, putPoster, putThumbnails, putWebp, type Rendition, type Source, undecodable } from "./renditions.ts";
import { type TempFile, withTempFile } from "./temp-file.ts";

const WEB_QUALITY = 82;

/** A generated file in storage. Keys, never URLs: those are signed when they leave. Sizes in bytes and pixels. */
export type StoredOutput = {
  /** Hex, of the bytes as generated. */
  sha256: string;
  mime: MediaType;
  size_bytes: number;
  raw_key: string;
  /** A web-sized WebP for images; `raw_key` for everything else: a video's is the video itself. */
  min_key: string;
  /** Still WebPs, the smallest first. Of a video the largest is its poster; none where no poster could be made. */
  thumbnails: Rendition[];
  width?: number;
  height?: number;
};

type Ingest = { storage: Storage; kept?: Kept; owner: string; file: TempFile; signal: AbortSignal; ffmpeg?: string };

/** What is made from an image. Too many pixels to decode safely: the original stands for all. */
const derive = async (source: Source, image: Dimensions, raw: string) => {
  const pixels = image.width * image.height;
  if (pixels > MAX_PIXELS) return { min_key: raw, thumbnails: [] };
  let min = raw;
  if (pixels * image.frames <= MAX_PIXELS) {
    min = source.keyOf("min");
    await putWebp(source, min, source.path, webSize(image), { animated: image.frames > 1, quality: WEB_QUALITY });
  }
  return { min_key: min, thumbnails: await putThumbnails(source, source.path, thumbnailSizes(image)) };
};

const store = async ({ owner, file, ...where }: Ingest, mime: MediaType): Promise<StoredOutput> => {
  const { sha256, size, path } = file;
  const source: Source = { ...where, path, keyOf: (variant) => mediaKey(owner, sha256, "webp", variant) };
  const raw = mediaKey(owner, sha256, extensionOf(mime));
  const image = isImage(mime) ? await measure(path).catch(undecodable) : null;
  await putOnce(source, raw, async () => [raw, createReadStream(path), { size, mime }]);
  const base = { sha256, mime, size_bytes: size, raw_key: raw };
  if (!image) return { ...base, min_key: raw, thumbnails: await putPoster(source, mime) };
  return { ...base, ...(await derive(source, image, raw)), width: image.width, height: image.height };
};

/**
 * Copies one generated file out of the provider: streams it to disk while hashing, checks what it is, and puts
 * the original, a web-sized WebP (≤ 1280 px, animation kept) and thumbnails (256 and 512 px) under keys made
 * from its SHA-256. Of a video there is a poster instead (≤ 1280 px, with the thumbnails), where an ffmpeg is on the
 * PATH. Doing it again with the same bytes gives the same answer and puts nothing twice.
 *
 * Rejects with `MediaError` (`empty_output`, `output_truncated`, `output_too_large`, `unsupported_output`,
 * `unreadable_output`), with the signal's reason, or with what `download` or the storage rejects with.
 */
export const storeOutput = async ({
  storage,
  kept,
  owner,
  download,
  maxBytes,
  signal,
  tmpDir,
  ffmpeg,
}: {
  storage: Storage;
  /** Default: what is there stays. */
  kept?: Kept;
  /** Uuid of the user. */
  owner: string;
  download: () => Promise<{ body: Readable; size?: number; mime?: string }>;
  maxBytes: number;
  signal: AbortSignal;
  tmpDir: string;
  /** The program that finds a frame of a video. Default: the one on the PATH. */
  ffmpeg?: string;
}): Promise<StoredOutput> => {
  signal.throwIfAborted();
  const { body, size, mime } = await download();
  if (size !== undefined && size > maxBytes) {
    body.destroy();
    throw new MediaError("output_too_large", `It is larger than ${maxBytes} bytes`);
  }
  return withTempFile({ body, maxBytes, tmpDir, signal }, async (file) => {
    if (file.size === 0) throw new MediaError("empty_output", "The provider sent no bytes");
    if (size !== undefined && file.size !== size) {
      throw new MediaError("output_truncated", `Got ${file.size} of ${size} bytes`);
    }
    const found = await inspect(file.head, mime);
    if (!found) throw new MediaError("unsupported_output", "It is not an image, video or sound that Darkroom knows");
    return store({ storage, kept, owner, file, signal, ffmpeg }, found.mime);
  });
};
