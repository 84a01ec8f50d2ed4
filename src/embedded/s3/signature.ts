import { Buffer } from "node:buffer";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** AWS Signature Version 4, the parts that query, header and form authentication share. */
export const ALGORITHM = "AWS4-HMAC-SHA256";
export const UNSIGNED = "UNSIGNED-PAYLOAD";

export type Keys = { accessKeyId: string; secretAccessKey: string; region: string };

/** `<access key>/<date>/<region>/s3/aws4_request`, taken apart. */
export type Scope = { accessKeyId: string; date: string; region: string; text: string };

export type Canonical = {
  method: string;
  /** As sent, percent-encoded. */
  path: string;
  /** Decoded pairs, without `X-Amz-Signature`. */
  query: readonly (readonly [string, string])[];
  /** Lower-case names in the order of `SignedHeaders`, with the values received. */
  headers: readonly (readonly [string, string])[];
  payloadHash: string;
};

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** Percent-encoding of everything but RFC 3986's unreserved characters. */
export const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** Reads a credential; null when it is not one for S3. Access keys may hold slashes. */
export const readScope = (credential: string): Scope | null => {
  const match = /^(.+)\/(\d{8})\/([^/]+)\/s3\/aws4_request$/.exec(credential);
  const [, accessKeyId, date, region] = match ?? [];
  if (!accessKeyId || !date || !region) return null;
  return { accessKeyId, date, region, text: `${date}/${region}/s3/aws4_request` };
};

/** `20250131T235959Z` in milliseconds since the epoch; null when it is no such time. */
export const readAmzDate = (text: string): number | null => {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match) return null;
  const [, year, month, day, hour, minute, second] = match;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) ? null : at;
};

export const canonicalRequest = ({ method, path, query, headers, payloadHash }: Canonical): string => {
  const canonicalPath = path
    .split("/")
    .map((segment) => encode(decodeURIComponent(segment)))
    .join("/");
  const pairs = query.map(([name, value]) => [encode(name), encode(value)] as const);
  pairs.sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0));
  return [
    method,
    canonicalPath,
    pairs.map(([name, value]) => `${name}=${value}`).join("&"),
    ...headers.map(([name, value]) => `${name}:${value.trim().replace(/ +/g, " ")}`),
    "",
    headers.map(([name]) => name).join(";"),
    payloadHash,
  ].join("\n");
};

const signingKey = (secret: string, scope: Pick<Scope, "date" | "region">): Buffer =>
  hmac(hmac(hmac(hmac(`AWS4${secret}`, scope.date), scope.region), "s3"), "aws4_request");

/** The hex signature of a request at `amzDate`. */
export const sign = (secret: string, scope: Scope, amzDate: string, canonical: string): string =>
  hmac(signingKey(secret, scope), [ALGORITHM, amzDate, scope.text, sha256(canonical)].join("\n")).toString("hex");

/** The hex signature of a POST policy, which signs the base64 text itself. */
export const signPolicy = (secret: string, scope: Scope, policy: string): string =>
  hmac(signingKey(secret, scope), policy).toString("hex");

/** Compares without telling by its duration how much was right. */
export const sameSignature = (expected: string, given: string): boolean => {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
};
