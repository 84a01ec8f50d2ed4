import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Caller } from "./authorize.ts";
import { S3Error } from "./errors.ts";
import type { Meta } from "./files.ts";
import { bodyChunks, type Expected } from "./receive.ts";
import type { Store } from "./store.ts";
import type { Target } from "./target.ts";

/** Longest XML body: a delete of 1,000 keys of 1 kB each, escaped. */
const MAX_XML_BYTES = 2 * 1024 * 1024;

/** One request with all that its handler needs. */
export type Call = {
  request: Request;
  target: Target;
  caller: Caller;
  store: Store;
  bucket: string;
  region: string;
  maxBytes: number;
  idleMs: number;
  now: number;
};

export const body = ({ request, idleMs }: Call): AsyncGenerator<Uint8Array> => bodyChunks(request, idleMs);

/** What the headers promise about the body. */
export const expected = ({ request, caller, maxBytes }: Call): Expected => {
  const length = request.headers.get("content-length");
  return {
    length: length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined,
    sha256: (caller.signed && caller.payload) || undefined,
    md5: request.headers.get("content-md5") ?? undefined,
    maxBytes,
  };
};

/** The stored metadata that the headers name. */
export const metaOf = ({ request, now }: Call, key: string): Meta => ({
  key,
  mime: request.headers.get("content-type") ?? "application/octet-stream",
  modified: now,
  cacheControl: request.headers.get("cache-control") ?? undefined,
  disposition: request.headers.get("content-disposition") ?? undefined,
});

/** A small body as text, its promised hash checked. */
export const readText = async (call: Call): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body(call)) {
    size += chunk.length;
    if (size > MAX_XML_BYTES) throw new S3Error("EntityTooLarge");
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const { sha256 } = expected(call);
  if (sha256 !== undefined && createHash("sha256").update(bytes).digest("hex") !== sha256) {
    throw new S3Error("XAmzContentSHA256Mismatch");
  }
  return bytes.toString("utf8");
};

/** A 200 with XML. */
export const xmlResponse = (xml: string, init: ResponseInit = {}): Response =>
  new Response(xml, { ...init, headers: { "Content-Type": "application/xml", ...init.headers } });
