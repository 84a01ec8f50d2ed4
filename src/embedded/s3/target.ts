import { Buffer } from "node:buffer";
import { S3Error } from "./errors.ts";

/** Longest key in bytes of UTF-8, as in S3. */
const MAX_KEY_BYTES = 1024;

/** What a request addresses: the bucket itself when `key` is null. */
export type Target = {
  key: string | null;
  /** The path as sent, percent-encoded. */
  path: string;
  query: (readonly [string, string])[];
};

/** Throws unless `key` may name an object. `.` and `..` are refused because clients rewrite them in URLs. */
export const checkKey = (key: string): string => {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw new S3Error("KeyTooLongError");
  if (key === "" || key.includes("\0")) throw new S3Error("InvalidArgument", "The key is not valid");
  if (key.split("/").some((segment) => segment === "." || segment === "..")) {
    throw new S3Error("InvalidArgument", "A key may not hold the segments . and ..");
  }
  return key;
};

/** Reads a path-style URL. Null when it is not below `/{bucket}`; throws `InvalidURI` for broken escapes. */
export const readTarget = (url: URL, bucket: string): Target | null => {
  const root = `/${bucket}`;
  const path = url.pathname;
  if (path !== root && !path.startsWith(`${root}/`)) return null;
  const rest = path.slice(root.length + 1);
  let key: string;
  try {
    key = rest.split("/").map(decodeURIComponent).join("/");
  } catch {
    throw new S3Error("InvalidURI");
  }
  return { key: key === "" ? null : checkKey(key), path, query: [...url.searchParams] };
};

/** The first value of a query parameter; undefined when absent. */
export const parameter = (target: Target, name: string): string | undefined =>
  target.query.find(([each]) => each === name)?.[1];
