import { plainName } from "./plain-name.ts";

/** An encoded file name: what a browser, a proxy and S3 take in a header and in a URL without a second thought. */
const MAX_ENCODED = 600;
const MAX_EXTENSION = 16;

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);

/** Cuts a long name before its extension. */
const shortened = (name: string): string => {
  const dot = name.lastIndexOf(".");
  const isExtension = dot > 0 && name.length - dot <= MAX_EXTENSION;
  const [stem, extension] = isExtension ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  let [kept, left] = ["", MAX_ENCODED - encode(extension).length];
  for (const each of stem) {
    left -= encode(each).length;
    if (left < 0) break;
    kept += each;
  }
  return kept + extension;
};

/**
 * `Content-Disposition` that saves a file under `name` (RFC 6266), whatever its script: in `filename*` as it is, in
 * `filename` for those who only know ASCII.
 */
export const attachment = (name: string): string => {
  const wanted = shortened(plainName(name, "download"));
  const ascii = wanted.replace(/[^\x20-\x7e]|["\\%]/gu, "_");
  return `attachment; filename="${ascii}"${ascii === wanted ? "" : `; filename*=UTF-8''${encode(wanted)}`}`;
};

/** `Content-Disposition` that shows a file, and saves it under an ASCII name such as `image-3f9a1c20.png`. */
export const inline = (name: string): string => `inline; filename="${name.replace(/[^\w.-]/g, "_")}"`;
