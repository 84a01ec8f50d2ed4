import { inline } from "./disposition.ts";

/**
 * Where objects live. Only `uploads/` is ever writable by a signed URL; the other two are content-addressed,
 * so that what is served never changes under its key.
 */
export const UPLOADS = "uploads/";
export const ATTACHMENTS = "attachments/";
export const MEDIA = "media/";
/** What the check at boot puts and removes: below the first for nobody, below the second for everybody. */
export const PROBES = { closed: "probes/", open: `${MEDIA}probes/` };

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

/** Whether the key names the content. */
const isAddress = (key: string) => [MEDIA, ATTACHMENTS].some((prefix) => key.startsWith(prefix));

/** `Cache-Control` for a key: for ever where the key names the content, else never. */
const cacheControl = (key: string, publicUrls: boolean): string =>
  isAddress(key) ? `${publicUrls ? "public" : "private"}, max-age=31536000, immutable` : "private, no-store";

/** What a file is saved as: what it is, the start of its hash, its variant and its extension. */
const fileName = (key: string, mime: string): string => {
  const [hash = "", ...rest] = (key.split("/").at(-1) ?? "").split(".");
  const extension = rest.pop();
  const stem = [mime.split("/")[0], hash.slice(0, 8), ...rest].join("-");
  return extension === undefined ? stem : `${stem}.${extension}`;
};

/** The headers that an object is stored, and from then on served, with. */
export const objectHeaders = (key: string, mime: string, publicUrls: boolean): Record<string, string> => ({
  "Content-Type": mime,
  "Cache-Control": cacheControl(key, publicUrls),
  ...(isAddress(key) && { "Content-Disposition": inline(fileName(key, mime)) }),
});
