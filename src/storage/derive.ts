import type { Buffer } from "node:buffer";
import sharp, { type Sharp } from "sharp";
import type { MediaType } from "./media-types.ts";

/** Longest side of the web-sized picture, and of the thumbnails, in pixels. */
export const WEB_SIDE = 1280;
const THUMBNAIL_SIDES = [256, 512] as const;
/** Decoding takes about four bytes a pixel; above this a small file may be a decompression bomb. */
export const MAX_PIXELS = 100_000_000;
const TIMEOUT_S = 60;
/** Less than the whole verification of an attachment may take. */
const UPRIGHT_TIMEOUT_S = 40;

/**
 * Of one frame, as it is seen, after the EXIF orientation: 1 is upright. `tagged`: EXIF, XMP or IPTC comes with it.
 */
export type Dimensions = { width: number; height: number; frames: number; orientation: number; tagged: boolean };

export type Size = { width: number; height: number };

/** An image: the path of its file, or its bytes. */
export type Image = string | Buffer;

const openImage = (image: Image, animated = false) =>
  sharp(image, { animated, autoOrient: true, failOn: "error", limitInputPixels: MAX_PIXELS });

/** Width, height and frames of an image, from its header alone. Rejects when it cannot be read. */
export const measure = async (image: Image): Promise<Dimensions> => {
  const found = await sharp(image, { limitInputPixels: false }).metadata();
  const { autoOrient, pages = 1, orientation = 1 } = found;
  const tagged = [found.exif, found.xmp, found.iptc].some((data) => data !== undefined);
  return { width: autoOrient.width, height: autoOrient.height, frames: pages, orientation, tagged };
};

const fit = ({ width, height }: Size, side: number): Size => {
  const scale = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
};

/** The size of the web-sized picture of an image. */
export const webSize = (size: Size): Size => fit(size, WEB_SIDE);

/** The thumbnails of an image: sides of 256 and 512 pixels, the larger only where it is a reduction. */
export const thumbnailSizes = (size: Size): { side: number; size: Size }[] =>
  THUMBNAIL_SIDES.filter((side, index) => index === 0 || Math.max(size.width, size.height) > side / 2).map((side) => ({
    side,
    size: fit(size, side),
  }));

/** The pictures of a video's poster: the thumbnails, and the poster itself as large as a web-sized picture. */
export const posterSizes = (size: Size): { side: number; size: Size }[] => {
  const small = thumbnailSizes(size);
  const isLarger = Math.max(size.width, size.height) > Math.max(...THUMBNAIL_SIDES);
  return isLarger ? [...small, { side: WEB_SIDE, size: webSize(size) }] : small;
};

/** WebP of the given size, without metadata, in sRGB. `animated` keeps all frames. */
export const renderWebp = async (
  image: Image,
  { width, height }: Size,
  { animated, quality }: { animated: boolean; quality: number },
): Promise<Buffer> =>
  openImage(image, animated)
    .resize({ width, height, fit: "fill" })
    .webp({ quality, effort: 4 })
    .timeout({ seconds: TIMEOUT_S })
    .toBuffer();

type Encoder = (image: Sharp, chromaSubsampling: string) => Sharp;

/** So little is lost that nobody sees it. */
const ENCODERS: Partial<Record<MediaType, Encoder>> = {
  "image/jpeg": (image, chromaSubsampling) => image.jpeg({ quality: 92, chromaSubsampling }),
  "image/png": (image) => image.png(),
  "image/webp": (image) => image.webp({ quality: 92, effort: 2 }),
  "image/gif": (image) => image.gif(),
  "image/avif": (image, chromaSubsampling) => image.avif({ quality: 75, effort: 2, chromaSubsampling }),
};

/** An image made anew in its own format: upright, without metadata, its colour profile and frames kept. */
export const renderUpright = async (image: Image, type: MediaType): Promise<Buffer> => {
  const { chromaSubsampling } = await sharp(image, { limitInputPixels: MAX_PIXELS }).metadata();
  const opened = openImage(image, type === "image/gif").keepIccProfile();
  const encoded = ENCODERS[type]?.(opened, chromaSubsampling === "4:2:0" ? "4:2:0" : "4:4:4") ?? opened;
  return encoded.timeout({ seconds: UPRIGHT_TIMEOUT_S }).toBuffer();
};
