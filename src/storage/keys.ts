/**
 * Where objects live. Only `uploads/` is ever writable by a signed URL; the other two are content-addressed,
 * so that what is served never changes under its key.
 */
export const UPLOADS = "uploads/";
export const ATTACHMENTS = "attachments/";
export const MEDIA = "media/";

/** What `USE_PUBLIC_URLS=true` opens to everyone: never the unverified uploads. */
export const PUBLIC_PREFIXES: readonly string[] = [MEDIA, ATTACHMENTS];

/** The key that an upload URL for `id` (a uuid) may write. */
export const uploadKey = (id: string): string => `${UPLOADS}${id}`;

const named = (prefix: string, owner: string, sha256: string, ext: string, variant?: string): string =>
  `${prefix}${owner}/${sha256}${variant === undefined ? "" : `.${variant}`}.${ext}`;

/** A verified attachment, or with `variant` what was made from it. `owner`: a uuid; `sha256`: hex; `ext`: without the dot. */
export const attachmentKey = (owner: string, sha256: string, ext: string, variant?: string): string =>
  named(ATTACHMENTS, owner, sha256, ext, variant);

/** A generated file, or with `variant` (`min`, `256`, `512`) what was made from it. */
export const mediaKey = (owner: string, sha256: string, ext: string, variant?: string): string =>
  named(MEDIA, owner, sha256, ext, variant);

/** `Cache-Control` for a key: for ever where the key names the content, else never. */
export const cacheControl = (key: string, publicUrls: boolean): string =>
  PUBLIC_PREFIXES.some((prefix) => key.startsWith(prefix))
    ? `${publicUrls ? "public" : "private"}, max-age=31536000, immutable`
    : "private, no-store";
