/**
 * Files that stand in the answer itself, as `data:` URLs. Replicate promises them in its waiting mode only, which
 * we do not use, but one that came would be a paid picture. They must not travel through a job's snapshot, so an
 * output names its place instead, `<base>/predictions/<id>#inline=<n>`, and is read from there when it is stored.
 */
import { Buffer } from "node:buffer";
import { isId } from "./prediction.ts";

export const inlineUrl = (baseUrl: string, id: string, index: number) => `${baseUrl}/predictions/${id}#inline=${index}`;

/** What `inlineUrl` made, or null for every other URL. */
export const parseInlineUrl = (baseUrl: string, url: string): { id: string; index: number } | null => {
  const prefix = `${baseUrl}/predictions/`;
  if (!url.startsWith(prefix)) return null;
  const [, id = "", index] = /^([^#]*)#inline=(\d{1,4})$/.exec(url.slice(prefix.length)) ?? [];
  return isId(id) ? { id, index: Number(index) } : null;
};

/** The bytes of a `data:` URL, or null when it is not one. */
export const decodeDataUrl = (url: string): { bytes: Buffer; mime?: string } | null => {
  const comma = url.indexOf(",");
  if (!/^data:/i.test(url) || comma < 0) return null;
  const [mime, ...attributes] = url.slice("data:".length, comma).split(";");
  const payload = url.slice(comma + 1);
  const isBase64 = attributes.some((attribute) => attribute.trim().toLowerCase() === "base64");
  const unescaped = () =>
    payload.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const bytes = isBase64 ? Buffer.from(payload, "base64") : Buffer.from(unescaped(), "latin1");
  return { bytes, ...(mime ? { mime } : {}) };
};
