/** Types that a browser may show from our own origin. No SVG, no HTML, nothing that can hold a script. */
const INLINE = new Set([
  "image/jpeg",
  "image/png",
  "image/webp",
  "image/gif",
  "image/avif",
  "video/mp4",
  "video/webm",
  "audio/mpeg",
  "audio/mp4",
  "audio/aac",
  "audio/ogg",
  "audio/wav",
  "audio/webm",
  "audio/flac",
]);

/** On every answer: an object must not become a page, whatever its bytes are. */
export const SAFETY_HEADERS = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "sandbox; default-src 'none'",
};

/** `Content-Type` and `Content-Disposition` for a stored or asked-for type; others become a plain download. */
export const safeType = (mime: string, disposition?: string): Record<string, string> => {
  const base = mime.split(";")[0]?.trim().toLowerCase() ?? "";
  if (INLINE.has(base)) return { "Content-Type": base, ...(disposition && { "Content-Disposition": disposition }) };
  const download = disposition && /^attachment\b/i.test(disposition) ? disposition : "attachment";
  return { "Content-Type": "application/octet-stream", "Content-Disposition": download };
};
