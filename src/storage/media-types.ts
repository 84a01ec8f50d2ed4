/** Every media type that Darkroom takes in, with the extension of its key. No SVG, no HTML, no documents. */
const EXTENSIONS = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "image/gif": "gif",
  "image/avif": "avif",
  "video/mp4": "mp4",
  "video/webm": "webm",
  "audio/mpeg": "mp3",
  "audio/mp4": "m4a",
  "audio/aac": "aac",
  "audio/ogg": "ogg",
  "audio/wav": "wav",
  "audio/webm": "weba",
  "audio/flac": "flac",
} as const;

export type MediaType = keyof typeof EXTENSIONS;

/** Other names for the same types, from browsers and from file-type. */
const ALIASES: Record<string, MediaType> = {
  "image/jpg": "image/jpeg",
  "image/pjpeg": "image/jpeg",
  "image/apng": "image/png",
  "image/x-png": "image/png",
  "video/x-m4v": "video/mp4",
  "audio/mp3": "audio/mpeg",
  "audio/x-m4a": "audio/mp4",
  "audio/m4a": "audio/mp4",
  "audio/aacp": "audio/aac",
  "audio/opus": "audio/ogg",
  "application/ogg": "audio/ogg",
  "audio/wave": "audio/wav",
  "audio/x-wav": "audio/wav",
  "audio/vnd.wave": "audio/wav",
  "audio/x-flac": "audio/flac",
};

export const MEDIA_TYPES = Object.keys(EXTENSIONS) as MediaType[];

/** The one name of a media type, parameters and case aside; null when it is not taken in. */
export const mediaType = (mime: string): MediaType | null => {
  const base = mime.split(";")[0]?.trim().toLowerCase() ?? "";
  return ALIASES[base] ?? (base in EXTENSIONS ? (base as MediaType) : null);
};

/** Without the dot. */
export const extensionOf = (type: MediaType): string => EXTENSIONS[type];

export const isImage = (type: MediaType): boolean => type.startsWith("image/");
