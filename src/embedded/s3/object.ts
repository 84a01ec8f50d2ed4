import { body, type Call, expected, metaOf, readText, xmlResponse } from "./call.ts";
import { download } from "./download.ts";
import { S3Error } from "./errors.ts";
import { pathOf } from "./paths.ts";
import { checkKey, parameter } from "./target.ts";
import { elements, toXml } from "./xml.ts";

type ObjectCall = Call & { key: string; path: string };

const read = async ({ request, target, caller, store, path }: ObjectCall): Promise<Response> => {
  const file = await store.files.open(path);
  if (!file) throw new S3Error("NoSuchKey");
  return download(request, target, { ...file, path }, { signed: caller.signed, lazyBlobs: store.lazyBlobs });
};

const put = async (call: ObjectCall): Promise<Response> => {
  const { request, store, key, path } = call;
  const ifNoneMatch = request.headers.get("if-none-match");
  if (request.headers.has("if-match") || (ifNoneMatch ?? "*") !== "*") {
    throw new S3Error("NotImplemented", "Only If-None-Match: * is supported");
  }
  const fresh = ifNoneMatch !== null;
  const { etag } = await store.files.write(path, body(call), metaOf(call, key), expected(call), { fresh });
  return new Response(null, { headers: { ETag: `"${etag}"` } });
};

/** The key in `x-amz-copy-source`, which may start with a slash. */
const sourceKey = (header: string, bucket: string): string => {
  let source: string;
  try {
    source = decodeURIComponent(header.replace(/^\//, ""));
  } catch {
    throw new S3Error("InvalidArgument", "x-amz-copy-source is malformed");
  }
  if (!source.startsWith(`${bucket}/`)) throw new S3Error("NoSuchBucket");
  return checkKey(source.slice(bucket.length + 1));
};

const copy = async (call: ObjectCall, source: string): Promise<Response> => {
  const { request, store, bucket, key, path, now } = call;
  const directive = request.headers.get("x-amz-metadata-directive")?.toUpperCase() ?? "COPY";
  if (directive !== "COPY" && directive !== "REPLACE") {
    throw new S3Error("InvalidArgument", "x-amz-metadata-directive must be COPY or REPLACE");
  }
  const ifMatch = request.headers.get("x-amz-copy-source-if-match")?.replaceAll('"', "");
  const done = await store.files.copy(pathOf(store.objects, sourceKey(source, bucket)), path, (info) => {
    if (ifMatch !== undefined && ifMatch !== info.etag) throw new S3Error("PreconditionFailed");
    if (directive === "REPLACE") return metaOf(call, key);
    return { key, mime: info.mime, modified: now, cacheControl: info.cacheControl, disposition: info.disposition };
  });
  if (!done) throw new S3Error("NoSuchKey");
  const result = { LastModified: new Date(now).toISOString(), ETag: `"${done.etag}"` };
  return xmlResponse(toXml("CopyObjectResult", result), { headers: { ETag: `"${done.etag}"` } });
};

const putPart = async (call: ObjectCall, uploadId: string): Promise<Response> => {
  const number = Number(parameter(call.target, "partNumber"));
  const part = { uploadId, key: call.key, number, modified: call.now };
  const { etag } = await call.store.multipart.put(part, body(call), expected(call));
  return new Response(null, { headers: { ETag: `"${etag}"` } });
};

const complete = async (call: ObjectCall, uploadId: string): Promise<Response> => {
  const { store, bucket, key, path } = call;
  const wanted = elements(await readText(call), "Part").map((part) => ({
    number: Number(elements(part, "PartNumber")[0]),
    etag: (elements(part, "ETag")[0] ?? "").replaceAll('"', ""),
  }));
  if (wanted.some(({ number, etag }) => !Number.isInteger(number) || etag === "")) throw new S3Error("MalformedXML");
  const { etag } = await store.multipart.complete(uploadId, key, wanted, path);
  const result = { Location: `/${bucket}/${key}`, Bucket: bucket, Key: key, ETag: `"${etag}"` };
  return xmlResponse(toXml("CompleteMultipartUploadResult", result));
};

const listParts = async ({ store, bucket, key }: ObjectCall, uploadId: string): Promise<Response> => {
  const parts = await store.multipart.parts(uploadId, key);
  const xml = toXml("ListPartsResult", {
    Bucket: bucket,
    Key: key,
    UploadId: uploadId,
    IsTruncated: false,
    Part: parts.map(({ number, info }) => ({
      PartNumber: number,
      LastModified: new Date(info.modified).toISOString(),
      ETag: `"${info.etag}"`,
      Size: info.size,
    })),
  });
  return xmlResponse(xml);
};

/** Answers a request for `/{bucket}/{key}`. */
export const handleObject = async (call: Call, key: string): Promise<Response> => {
  const { request, target, store, bucket, now } = call;
  const object: ObjectCall = { ...call, key, path: pathOf(store.objects, key) };
  const uploadId = parameter(target, "uploadId");
  const source = request.headers.get("x-amz-copy-source");
  switch (request.method) {
    case "GET":
    case "HEAD":
      return uploadId === undefined ? read(object) : listParts(object, uploadId);
    case "PUT":
      if (uploadId === undefined) return source === null ? put(object) : copy(object, source);
      if (source !== null) throw new S3Error("NotImplemented", "Copying into a part is not supported");
      return putPart(object, uploadId);
    case "DELETE":
      if (uploadId === undefined) await store.files.remove(object.path);
      else await store.multipart.abort(uploadId, key);
      return new Response(null, { status: 204 });
    case "POST":
      if (uploadId !== undefined) return complete(object, uploadId);
      if (parameter(target, "uploads") !== undefined) {
        const started = await store.multipart.create({ ...metaOf(call, key), modified: now });
        const result = { Bucket: bucket, Key: key, UploadId: started };
        return xmlResponse(toXml("InitiateMultipartUploadResult", result));
      }
      throw new S3Error("MethodNotAllowed");
    default:
      throw new S3Error("MethodNotAllowed");
  }
};
