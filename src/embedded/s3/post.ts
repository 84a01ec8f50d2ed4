import { body, type Call, xmlResponse } from "./call.ts";
import { readForm } from "./form.ts";
import { pathOf } from "./paths.ts";
import { verifyPolicy } from "./policy.ts";
import { encode, type Keys } from "./signature.ts";
import { checkKey } from "./target.ts";
import { toXml } from "./xml.ts";

/** Whether a request is a browser's form upload, which its own fields authenticate. */
export const isForm = (request: Request): boolean =>
  request.method === "POST" && /^multipart\/form-data\b/i.test(request.headers.get("content-type") ?? "");

/** Stores the file of a form upload as its signed policy allows. */
export const handleForm = async (call: Call, keys: Keys): Promise<Response> => {
  const { request, store, bucket, maxBytes, now } = call;
  const chunks = body(call);
  try {
    const { fields, file } = await readForm(chunks, request.headers.get("content-type") ?? "");
    const grant = verifyPolicy(fields, { bucket, keys, now });
    const key = checkKey(grant.key);
    const meta = {
      key,
      mime: fields.get("content-type") ?? "application/octet-stream",
      modified: now,
      cacheControl: fields.get("cache-control"),
      disposition: fields.get("content-disposition"),
    };
    const limits = { minBytes: grant.minBytes, maxBytes: Math.min(grant.maxBytes, maxBytes) };
    const { etag } = await store.files.write(pathOf(store.objects, key), file, meta, limits);
    const location = `/${bucket}/${key.split("/").map(encode).join("/")}`;
    const headers = { ETag: `"${etag}"`, Location: location };
    const status = fields.get("success_action_status");
    if (status !== "201") return new Response(null, { status: status === "200" ? 200 : 204, headers });
    const xml = toXml("PostResponse", { Location: location, Bucket: bucket, Key: key, ETag: headers.ETag });
    return xmlResponse(xml, { status: 201, headers });
  } finally {
    await chunks.return(undefined);
  }
};
