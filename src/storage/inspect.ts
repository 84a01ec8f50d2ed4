import { fileTypeFromBuffer } from "file-type";
import { type MediaType, mediaType } from "./media-types.ts";

/** How much of a file `inspect` should be given: enough to see past an ID3 tag with a cover. */
export const HEAD_BYTES = 256 * 1024;

/** Containers that hold either; their magic bytes cannot tell a file with sound alone. */
const SOUND_ONLY: Partial<Record<MediaType, MediaType>> = { "video/mp4": "audio/mp4", "video/webm": "audio/webm" };

/**
 * The media type that the first bytes of a file show. `declared` only decides between video and audio in the
 * same container. Null when the bytes are of no type that Darkroom takes in.
 */
export const inspect = async (head: Uint8Array, declared?: string): Promise<{ mime: MediaType } | null> => {
  // file-type throws on heads that end inside a structure; those are of no use to us either.
  const found = await fileTypeFromBuffer(head).catch(() => undefined);
  const mime = found ? mediaType(found.mime) : null;
  if (!mime) return null;
  const sound = SOUND_ONLY[mime];
  return { mime: sound && declared !== undefined && mediaType(declared) === sound ? sound : mime };
};
