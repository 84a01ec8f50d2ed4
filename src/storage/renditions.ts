import type { Kept, Storage } from "../ports.ts";
import { type Image, measure, posterSizes, renderWebp, type Size, type thumbnailSizes, WEB_SIDE } from "./derive.ts";
import { MediaError } from "./media-error.ts";
import type { MediaType } from "./media-types.ts";
import { grabPoster } from "./poster.ts";

const THUMBNAIL_QUALITY = 75;
const WEBP = "image/webp";

/** What pictures are made of, and where they go. */
export type Source = {
  storage: Storage;
  /** Default: what is there stays. */
  kept?: Kept;
  /** The file that they are made from. */
  path: string;
  /** The key of a picture, by its variant. */
  keyOf(variant: string): string;
  signal: AbortSignal;
  /** The program that finds a frame of a video. Default: the one on the PATH. */
  ffmpeg?: string;
};

/** A picture in storage, in pixels. */
export type Rendition = { key: string; width: number; height: number };

/** Puts an object unless it is there: the key names the content. */
export const putOnce = async (
  {
    storage,
    kept = async (key) => (await storage.stat(key)) !== null,
    signal,
  }: Pick<Source, "storage" | "kept" | "signal">,
  key: string,
  make: () => Promise<Parameters<Storage["put"]>>,
): Promise<void> => {
  signal.throwIfAborted();
  if (await kept(key)) return;
  const made = await make();
  signal.throwIfAborted();
  await storage.put(...made);
};

/** For whoever could not decode an image. */
export const undecodable = (): never => {
  throw new MediaError("unreadable_output", "The image cannot be decoded");
};

/** Stores a WebP of an image, as large as told. */
export const putWebp = (
  source: Source,
  key: string,
  image: Image,
  size: Size,
  look: { animated: boolean; quality: number },
): Promise<void> =>
  putOnce(source, key, async () => {
    const body = await renderWebp(image, size, look).catch(undecodable);
    return [key, body, { size: body.length, mime: WEBP }];
  });

/** Stores still pictures of an image, one of each size; answers them in that order. */
export const putThumbnails = async (
  source: Source,
  image: Image,
  sizes: ReturnType<typeof thumbnailSizes>,
): Promise<Rendition[]> => {
  const thumbnails: Rendition[] = [];
  for (const { side, size } of sizes) {
    const key = source.keyOf(String(side));
    await putWebp(source, key, image, size, { animated: false, quality: THUMBNAIL_QUALITY });
    thumbnails.push({ key, ...size });
  }
  return thumbnails;
};

/** Stores the stills of a video, the smallest first; none where no frame of it can be had. */
export const putPoster = async (source: Source, mime: MediaType): Promise<Rendition[]> => {
  const { path, signal, ffmpeg } = source;
  const poster = await grabPoster(path, mime, WEB_SIDE, { ffmpeg, signal });
  const size = poster && (await measure(poster).catch(() => null));
  return size ? putThumbnails(source, poster, posterSizes(size)) : [];
};
