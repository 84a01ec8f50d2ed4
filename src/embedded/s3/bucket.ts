import { type Call, readText, xmlResponse } from "./call.ts";
import { S3Error } from "./errors.ts";
import { listObjects } from "./listing.ts";
import { pathOf } from "./paths.ts";
import { checkKey, parameter } from "./target.ts";
import { elements, toXml, type Xml } from "./xml.ts";

const MAX_DELETES = 1000;

const removeMany = async (call: Call): Promise<Response> => {
  const xml = await readText(call);
  const keys = elements(xml, "Object").map((object) => elements(object, "Key")[0] ?? "");
  if (keys.length === 0 || keys.length > MAX_DELETES) throw new S3Error("MalformedXML");
  const quiet = elements(xml, "Quiet")[0] === "true";
  const removed: Xml[] = [];
  const failed: Xml[] = [];
  for (const key of keys) {
    try {
      await call.store.files.remove(pathOf(call.store.objects, checkKey(key)));
      if (!quiet) removed.push({ Key: key });
    } catch (error) {
      const { code, message } = error instanceof S3Error ? error : new S3Error("InternalError");
      failed.push({ Key: key, Code: code, Message: message });
    }
  }
  return xmlResponse(toXml("DeleteResult", { Deleted: removed, Error: failed }));
};

const listUploads = async ({ store, bucket, target }: Call): Promise<Response> => {
  const uploads = await store.multipart.list(parameter(target, "prefix") ?? "");
  const xml = toXml("ListMultipartUploadsResult", {
    Bucket: bucket,
    IsTruncated: false,
    Upload: uploads.map(({ key, uploadId, modified }) => ({
      Key: key,
      UploadId: uploadId,
      StorageClass: "STANDARD",
      Initiated: new Date(modified).toISOString(),
    })),
  });
  return xmlResponse(xml);
};

/** Answers a request for `/{bucket}` itself. The bucket always exists and cannot be removed. */
export const handleBucket = async (call: Call): Promise<Response> => {
  const { request, target, store, bucket, region } = call;
  const has = (name: string) => parameter(target, name) !== undefined;
  switch (request.method) {
    case "HEAD":
      return new Response(null, { headers: { "x-amz-bucket-region": region } });
    case "PUT":
      return new Response(null, { headers: { Location: `/${bucket}` } });
    case "GET":
      if (has("location")) return xmlResponse(toXml("LocationConstraint", region));
      if (has("uploads")) return listUploads(call);
      return xmlResponse(await listObjects(store.files, store.objects, bucket, target));
    case "POST":
      if (has("delete")) return removeMany(call);
      throw new S3Error("MethodNotAllowed");
    default:
      throw new S3Error("MethodNotAllowed");
  }
};
