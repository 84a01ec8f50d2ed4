const IMAGE_AREA = 1024 * 1024;
const VIDEO_LONG_SIDE = 480;
const WIDEST = 2.4;
/** What models call the number of outputs of one generation. */
const COUNTS = ["num_outputs", "num_images", "batch_size", "n"];

const positive = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value > 0 ? value : undefined;

/** Width by height as a ratio, from `aspect_ratio: "16:9"`, `size: "1024x768"` or `width` and `height`. */
const ratioOf = (params: Record<string, unknown>): number | undefined => {
  for (const words of [params.aspect_ratio, params.size]) {
    const [, width, height] = (typeof words === "string" && words.match(/^\s*(\d{1,5})\s*[:x×]\s*(\d{1,5})\s*$/)) || [];
    if (Number(width) > 0 && Number(height) > 0) return Number(width) / Number(height);
  }
  const [width, height] = [positive(params.width), positive(params.height)];
  return width && height ? width / height : undefined;
};

const even = (length: number, step: number) => Math.round(length / step) * step;

/**
 * The pixels and the number of outputs that `params` ask for. Images are about one megapixel in the
 * asked ratio (square when none is asked), videos 480 pixels long (16:9); `num_outputs` (or `num_images`, `batch_size`, `n`) is 1 to 4.
 * What makes no sense is ignored: parameters are validated where options are made.
 */
export const sizeOf = (params: Record<string, unknown>, video: boolean) => {
  const ratio = Math.min(WIDEST, Math.max(1 / WIDEST, ratioOf(params) ?? (video ? 16 / 9 : 1)));
  const count = Math.min(4, Math.max(1, Math.floor(COUNTS.map((name) => positive(params[name])).find(Boolean) ?? 1)));
  if (video) {
    const long = VIDEO_LONG_SIDE;
    return ratio >= 1
      ? { width: long, height: even(long / ratio, 2), count }
      : { width: even(long * ratio, 2), height: long, count };
  }
  return { width: even(Math.sqrt(IMAGE_AREA * ratio), 8), height: even(Math.sqrt(IMAGE_AREA / ratio), 8), count };
};
