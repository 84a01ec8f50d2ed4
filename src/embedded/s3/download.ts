import { fileBody } from "./body.ts";
import { S3Error } from "./errors.ts";
import type { OpenFile } from "./files.ts";
import { safeType } from "./served.ts";
import { parameter, type Target } from "./target.ts";

type Range = { start: number; end: number };

/** One `bytes=` range; null for none or several, which are answered whole. Throws `InvalidRange`. */
const readRange = (header: string | null, size: number): Range | null => {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "") ?? [];
  if (first === "" && last === "") return null;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return null;
  if (start >= size || (first === "" && Number(last) === 0)) throw new S3Error("InvalidRange");
  return { start, end };
};

const matches = (header: string, etag: string): boolean =>
  header.split(",").some((each) => ["*", etag].includes(each.trim().replace(/^W\//, "").replaceAll('"', "")));

/** RFC 9110 §13.2.2: what the conditions of a GET ask for. Times are compared by the second. */
const condition = (headers: Headers, etag: string, modified: number): "send" | "not-modified" => {
  const seconds = Math.floor(modified / 1000) * 1000;
  const ifMatch = headers.get("if-match");
  const unmodifiedSince = Date.parse(headers.get("if-unmodified-since") ?? "");
  if (ifMatch !== null ? !matches(ifMatch, etag) : seconds > unmodifiedSince) throw new S3Error("PreconditionFailed");
  const ifNoneMatch = headers.get("if-none-match");
  if (ifNoneMatch !== null) return matches(ifNoneMatch, etag) ? "not-modified" : "send";
  return seconds <= Date.parse(headers.get("if-modified-since") ?? "") ? "not-modified" : "send";
};

/** Headers that a signed URL may set with `response-…` parameters. */
const overridden = (target: Target, name: string, signed: boolean): string | undefined => {
  const value = parameter(target, name);
  if (value === undefined) return undefined;
  if (!signed) throw new S3Error("InvalidArgument", `${name} needs a signed request`);
  if (!/^[\x20-\x7e]{1,1024}$/.test(value)) throw new S3Error("InvalidArgument", `${name} must be printable ASCII`);
  return value;
};

/** Answers GET and HEAD of an object, with ranges and conditions. Takes over `file.handle`. */
export const download = async (
  request: Request,
  target: Target,
  file: OpenFile & { path: string },
  { signed, lazyBlobs }: { signed: boolean; lazyBlobs: boolean },
): Promise<Response> => {
  const { info, handle } = file;
  let owned = true;
  try {
    const etag = `"${info.etag}"`;
    const type = overridden(target, "response-content-type", signed) ?? info.mime;
    const disposition = overridden(target, "response-content-disposition", signed) ?? info.disposition;
    const cacheControl =
      overridden(target, "response-cache-control", signed) ?? info.cacheControl ?? "private, no-cache";
    const headers = new Headers({
      ETag: etag,
      "Last-Modified": new Date(info.modified).toUTCString(),
      "Accept-Ranges": "bytes",
      "Cache-Control": cacheControl,
    });
    if (condition(request.headers, info.etag, info.modified) === "not-modified") {
      return new Response(null, { status: 304, headers });
    }
    for (const [name, value] of Object.entries(safeType(type, disposition))) headers.set(name, value);
    const ifRange = request.headers.get("if-range");
    const wanted = ifRange === null || ifRange === etag ? request.headers.get("range") : null;
    const range = readRange(wanted, info.size);
    const span = range ? { start: range.start, length: range.end - range.start + 1 } : { start: 0, length: info.size };
    if (range) headers.set("Content-Range", `bytes ${range.start}-${range.end}/${info.size}`);
    headers.set("Content-Length", String(span.length));
    const status = range ? 206 : 200;
    if (request.method === "HEAD") return new Response(null, { status, headers });
    owned = false;
    return new Response(await fileBody(handle, file.path, span, lazyBlobs), { status, headers });
  } catch (error) {
    if (error instanceof S3Error && error.code === "InvalidRange")
      error.headers["Content-Range"] = `bytes */${info.size}`;
    throw error;
  } finally {
    if (owned) await handle.close();
  }
};
