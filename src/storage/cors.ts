import { createHash } from "node:crypto";
import type { Client } from "minio";
import type { Log } from "../log.ts";
import { patiently } from "./patience.ts";
import { codeOf, within } from "./s3-failure.ts";
import { visit } from "./visit.ts";

/** What `localhost` in `CORS_ORIGINS` stands for, as far as S3's rules can say it: one wildcard in each. */
const LOOPBACK = ["http", "https"].flatMap((scheme) =>
  ["localhost", "127.0.0.1"].flatMap((host) => [`${scheme}://${host}`, `${scheme}://${host}:*`]),
);

const patternsOf = (origins: readonly string[]): string[] =>
  origins.includes("*")
    ? ["*"]
    : [...new Set(origins.flatMap((origin) => (origin === "localhost" ? LOOPBACK : [origin])))];

/** A page of such an origin. */
const pageOf = (origin: string): string =>
  origin === "localhost" ? "http://localhost:3000" : origin === "*" ? "https://any.example" : origin;

const escapeXml = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const element = (name: string) => (text: string) => `<${name}>${escapeXml(text)}</${name}>`;

/** Pages of these origins may do what a signature lets them, and read the ETag of what they have uploaded. */
const rulesFor = (patterns: readonly string[]): string => {
  const rule = [
    ...patterns.map(element("AllowedOrigin")),
    ...["GET", "HEAD", "PUT", "POST"].map(element("AllowedMethod")),
    element("AllowedHeader")("*"),
    element("ExposeHeader")("ETag"),
    element("MaxAgeSeconds")("3600"),
  ].join("");
  return `<CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><CORSRule>${rule}</CORSRule></CORSConfiguration>`;
};

const listed = (header: string | string[] | undefined): string[] =>
  String(header ?? "")
    .split(",")
    .map((each) => each.trim().toLowerCase());
const has = (header: string | string[] | undefined, wanted: string) =>
  [wanted.toLowerCase(), "*"].some((each) => listed(header).includes(each));

/** What a page of this origin cannot do at a signed URL for an upload. */
const missingFor = async (origin: string, url: string, limitMs: number): Promise<string[]> => {
  const page = { origin: pageOf(origin) };
  const may = async (method: string) => {
    const asked = { "access-control-request-method": method, "access-control-request-headers": "content-type" };
    const { status, headers } = await visit(url, { method: "OPTIONS", headers: { ...page, ...asked }, limitMs });
    const allowed = has(headers["access-control-allow-origin"], page.origin);
    return status < 300 && allowed && has(headers["access-control-allow-methods"], method);
  };
  const [put, get] = await Promise.all([may("PUT"), may("GET")]);
  const missing = [put ? [] : ["PUT"], get ? [] : ["GET"]].flat();
  if (missing.length === 0) {
    const { headers } = await visit(url, { method: "PUT", headers: page, body: "cors", limitMs });
    if (!has(headers["access-control-expose-headers"], "etag")) missing.push("the ETag header");
  }
  return missing;
};

type Bucket = { client: Client; bucket: string; region: string; limitMs: number };

/** Whether the bucket has rules of its own. Rejects where that is not told. */
const hasRules = async ({ client, bucket, region, limitMs }: Bucket): Promise<boolean> => {
  try {
    const asked = { method: "GET", bucketName: bucket, query: "cors" };
    (await within(limitMs, client.makeRequestAsync(asked, "", [200], region))).destroy();
    return true;
  } catch (error) {
    if (codeOf(error) === "NoSuchCORSConfiguration") return false;
    throw error;
  }
};

const putRules = async ({ client, bucket, region, limitMs }: Bucket, rules: string): Promise<void> => {
  const headers = { "Content-MD5": createHash("md5").update(rules).digest("base64") };
  const asked = { method: "PUT", bucketName: bucket, query: "cors", headers };
  await within(limitMs, client.makeRequestAsyncOmit(asked, rules, [200, 204], region));
};

/** What pages cannot do, in words; empty when they can do everything. */
const lacks = async (origins: readonly string[], url: string, limitMs: number): Promise<string> => {
  const all = await Promise.all(origins.map((origin) => missingFor(origin, url, limitMs)));
  const told = origins.flatMap((origin, index) => {
    const missing = all[index] ?? [];
    return missing.length === 0 ? [] : [`${pageOf(origin)} (${missing.join(", ")})`];
  });
  return told.join(", ");
};

const reasonOf = (error: unknown, patterns: readonly string[]): string => {
  const code = codeOf(error);
  if (/^(NotImplemented|MethodNotAllowed)$/.test(code)) {
    return `this S3 keeps no CORS rules; on MinIO set MINIO_API_CORS_ALLOW_ORIGIN=${patterns.join(",")}`;
  }
  if (code === "AccessDenied") {
    return "put CORS rules on the bucket by hand, or allow s3:GetBucketCORS and s3:PutBucketCORS on it";
  }
  return `S3 takes no CORS rules (${code || (error as Error).message})`;
};

/**
 * Lets pages of these origins use signed URLs: puts CORS rules on a bucket that has none. Somebody's rules stay as they
 * are; what they lack, and what else stands in the way, is one warning. Never rejects: programs need no CORS.
 */
export const ensureCors = async (
  deps: Bucket & {
    /** Signed, for an upload. */
    url: string;
    /** As in `CORS_ORIGINS`. */
    origins: readonly string[];
    log: Log;
    /** How long new rules may take to count. */
    patienceMs: number;
  },
): Promise<void> => {
  const { bucket, url, origins, log, limitMs, patienceMs } = deps;
  const patterns = patternsOf(origins);
  const look = () => lacks(origins, url, limitMs);
  const warn = (reason: string) =>
    log.warn({ bucket, missing }, `Pages of ${missing} cannot use S3 from a browser: ${reason}`);
  let missing = origins.map(pageOf).join(", ");
  try {
    missing = await look();
    if (missing === "") return;
    const wanted = `${patterns.join(", ")} with GET, HEAD, PUT, POST and any header, exposing ETag`;
    if (await hasRules(deps)) return warn(`the bucket's CORS rules are left as they are; add ${wanted}`);
    await putRules(deps, rulesFor(patterns));
    log.info({ bucket, origins: patterns }, "put CORS rules on the bucket");
    missing = await patiently(look, (lack) => lack === "", patienceMs);
    if (missing !== "") warn(`the bucket has CORS rules for ${wanted}, but something before it does not obey them`);
  } catch (error) {
    warn(reasonOf(error, patterns));
  }
};
