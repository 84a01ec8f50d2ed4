import { Buffer } from "node:buffer";
import { S3Error } from "./errors.ts";
import type { Files } from "./files.ts";
import { encode } from "./signature.ts";
import { parameter, type Target } from "./target.ts";
import type { ObjectInfo } from "./trailer.ts";
import { compareKeys, walkKeys } from "./walk.ts";
import { toXml } from "./xml.ts";

const MAX_KEYS = 1000;

type Page = { objects: ObjectInfo[]; prefixes: string[]; next: string | null };

/** One page of keys after `after`, those with `delimiter` beyond the prefix rolled up. */
const readPage = async (
  files: Files,
  root: string,
  { prefix, delimiter, after, limit }: { prefix: string; delimiter: string; after: string; limit: number },
): Promise<Page> => {
  const page: Page = { objects: [], prefixes: [], next: null };
  let last = after;
  for await (const { key, path } of walkKeys(root, { prefix, after })) {
    const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const rolled = cut < 0 ? null : key.slice(0, cut + delimiter.length);
    if (rolled !== null && (rolled === last || compareKeys(rolled, after) <= 0)) continue;
    if (page.objects.length + page.prefixes.length >= limit) return { ...page, next: last };
    if (rolled !== null) {
      page.prefixes.push(rolled);
      last = rolled;
      continue;
    }
    const file = await files.open(path);
    if (!file) continue;
    await file.handle.close();
    page.objects.push(file.info);
    last = key;
  }
  return page;
};

const token = {
  write: (key: string) => Buffer.from(key).toString("base64url"),
  read: (text: string) => Buffer.from(text, "base64url").toString(),
};

/** Answers ListObjects, version 1 and 2, as XML. */
export const listObjects = async (files: Files, root: string, bucket: string, target: Target): Promise<string> => {
  const get = (name: string) => parameter(target, name) ?? "";
  const second = get("list-type") === "2";
  const asked = parameter(target, "max-keys") ?? String(MAX_KEYS);
  if (!/^\d{1,9}$/.test(asked)) throw new S3Error("InvalidArgument", "max-keys must be a number");
  const limit = Math.min(Number(asked), MAX_KEYS);
  const given = get("continuation-token");
  const after = second ? (given ? token.read(given) : get("start-after")) : get("marker");
  const [prefix, delimiter] = [get("prefix"), get("delimiter")];
  const page: Page =
    limit === 0
      ? { objects: [], prefixes: [], next: null }
      : await readPage(files, root, { prefix, delimiter, after, limit });
  const name = (text: string) => (get("encoding-type") === "url" ? encode(text).replaceAll("%2F", "/") : text);
  return toXml("ListBucketResult", {
    Name: bucket,
    Prefix: name(prefix),
    Delimiter: delimiter === "" ? undefined : name(delimiter),
    MaxKeys: limit,
    EncodingType: parameter(target, "encoding-type"),
    IsTruncated: page.next !== null,
    ...(second
      ? {
          KeyCount: page.objects.length + page.prefixes.length,
          ContinuationToken: given === "" ? undefined : given,
          NextContinuationToken: page.next === null ? undefined : token.write(page.next),
        }
      : { Marker: name(after), NextMarker: page.next === null ? undefined : name(page.next) }),
    Contents: page.objects.map(({ key, modified, etag, size }) => ({
      Key: name(key),
      LastModified: new Date(modified).toISOString(),
      ETag: `"${etag}"`,
      Size: size,
      StorageClass: "STANDARD",
    })),
    CommonPrefixes: page.prefixes.map((each) => ({ Prefix: name(each) })),
  });
};
