import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import type { Kept, Storage } from "../ports.ts";
import {
  type Dimensions,
  type Image,
  MAX_PIXELS,
  measure,
  posterSizes,
  renderWebp,
  type Size,
  thumbnailSizes,
  WEB_SIDE,
  webSize,
} from "./derive.ts";
import { inspect } from "./inspect.ts";
import { mediaKey } from "./keys.ts";
import { MediaError } from "./media-error.ts";
import { extensionOf, isImage, type MediaType } from "./media-types.ts";
import { grabPoster } from "./poster.ts";
import { type TempFile, withTempFile } from "./temp-file.ts";

const WEB_QUALITY = 82;
const THUMBNAIL_QUALITY = 75;
const WEBP = "image/webp";

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
  thumbnails: { key: string; width: number; height: number }[];
  width?: number;
  height?: number;
};

type Ingest = { storage: Storage; kept: Kept; owner: string; file: TempFile; signal: AbortSignal; ffmpeg?: string };
type Sized = ReturnType<typeof thumbnailSizes>;

/** Puts an object unless it is there: the key names the content. */
const putOnce = async (
  { storage, kept, signal }: Ingest,
  key: string,
  make: () => Promise<Parameters<Storage["put"]>>,
) => {
  signal.throwIfAborted();
  if (await kept(key)) return;
  const made = await make();
  signal.throwIfAborted();
  await storage.put(...made);
};

const undecodable = (): never => {
  throw new MediaError("unreadable_output", "The image cannot be decoded");
};

type Look = { animated: boolean; quality: number };

const putWebp = (ingest: Ingest, key: string, image: Image, size: Size, look: Look) =>
  putOnce(ingest, key, async () => {
    const body = await renderWebp(image, size, look).catch(undecodable);
    return [key, body, { size: body.length, mime: WEBP }];
  });

const putThumbnails = async (ingest: Ingest, image: Image, sizes: Sized): Promise<StoredOutput["thumbnails"]> => {
  const thumbnails: StoredOutput["thumbnails"] = [];
  for (const { side, size } of sizes) {
    const key = mediaKey(ingest.owner, ingest.file.sha256, "webp", String(side));
    await putWebp(ingest, key, image, size, { animated: false, quality: THUMBNAIL_QUALITY });
    thumbnails.push({ key, ...size });
  }
  return thumbnails;
};

/** What is made from an image. Too many pixels to decode safely: the original stands for all. */
const derive = async (ingest: Ingest, image: Dimensions, raw: string) => {
  const { owner, file } = ingest;
  const pixels = image.width * image.height;
  if (pixels > MAX_PIXELS) return { min_key: raw, thumbnails: [] };
  let min = raw;
  if (pixels * image.frames <= MAX_PIXELS) {
    min = mediaKey(owner, file.sha256, "webp", "min");
    await putWebp(ingest, min, file.path, webSize(image), { animated: image.frames > 1, quality: WEB_QUALITY });
  }
  return { min_key: min, thumbnails: await putThumbnails(ingest, file.path, thumbnailSizes(image)) };
};

/** The stills of a video; none where no frame of it can be had. */
const derivePoster = async (ingest: Ingest, mime: MediaType): Promise<StoredOutput["thumbnails"]> => {
  const { file, signal, ffmpeg } = ingest;
  const poster = await grabPoster(file.path, mime, WEB_SIDE, { ffmpeg, signal });
  const size = poster && (await measure(poster).catch(() => null));
  return size ? putThumbnails(ingest, poster, posterSizes(size)) : [];
};

const store = async (ingest: Ingest, mime: MediaType): Promise<StoredOutput> => {
  const { owner, file } = ingest;
  const { sha256, size } = file;
  const raw = mediaKey(owner, sha256, extensionOf(mime));
  const image = isImage(mime) ? await measure(file.path).catch(undecodable) : null;
  await putOnce(ingest, raw, async () => [raw, createReadStream(file.path), { size, mime }]);
  const base = { sha256, mime, size_bytes: size, raw_key: raw };
  if (!image) return { ...base, min_key: raw, thumbnails: await derivePoster(ingest, mime) };
  return { ...base, ...(await derive(ingest, image, raw)), width: image.width, height: image.height };
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
  kept = async (key) => (await storage.stat(key)) !== null,
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
