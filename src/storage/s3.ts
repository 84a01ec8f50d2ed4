import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { CopyDestinationOptions, CopySourceOptions } from "minio";
import { Problem } from "../errors.ts";
import type { Storage } from "../ports.ts";
import { attachment } from "./disposition.ts";
import { exactLength } from "./exact-length.ts";
import { objectHeaders, PUBLIC_PREFIXES } from "./keys.ts";
import { createAgent, createClient } from "./s3-client.ts";
import { codeOf, isAbsent, within, wrap } from "./s3-failure.ts";
import { createS3Multipart } from "./s3-multipart.ts";

/** Milliseconds. `transfer` is for one put, get or copy as a whole; `idle` ends a stalled one much earlier. */
const LIMITS = { call: 10_000, check: 2_000, transfer: 15 * 60_000, idle: 15_000 };
/** A provider may fetch its inputs late, after its own queue. */
const INPUT_TTL_S = 86_400;
const MAX_SOCKETS = 64;
/** Signing times are rounded down to this, so that a URL stays the same, and cacheable, for a while. */
const SIGNING_SLOT_S = 300;

export type S3Options = {
  /** As this server reaches S3, and as browsers do. Origins, such as `https://s3.example.com`. */
  internal: { endpoint: string };
  public: { endpoint: string };
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Of credentials that are good for a while. */
  sessionToken?: string;
  /** Bucket in the path (true) or in the host name (false). */
  pathStyle: boolean;
  /** `url` answers permanent URLs. */
  publicUrls: boolean;
  urlTtlSeconds: number;
  /** Milliseconds since the epoch on the wall clock that S3 compares with. Default `Date.now`. */
  now?: () => number;
  limits?: Partial<typeof LIMITS>;
};

/** What lets everybody read what permanent URLs name. */
const readersPolicy = (bucket: string): string => {
  const Resource = PUBLIC_PREFIXES.map((prefix) => `arn:aws:s3:::${bucket}/${prefix}*`);
  const statement = { Effect: "Allow", Principal: { AWS: ["*"] }, Action: ["s3:GetObject"], Resource };
  return JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
};

/**
 * Storage on any S3. Rejects with `Problem("not_found")` for absent objects, `Problem("unavailable")` when S3 is
 * away, slow or overloaded, and a plain error when it refuses. `close` drops the kept connections.
 */
export const createS3Storage = (options: S3Options): Storage & { close(): void } => {
  const { bucket, region, publicUrls, urlTtlSeconds, now = Date.now } = options;
  const limits = { ...LIMITS, ...options.limits };
  const agent = createAgent(options.internal.endpoint, MAX_SOCKETS);
  const internal = createClient(options.internal.endpoint, options, agent, limits.idle);
  // Only signs; never connects.
  const external = createClient(options.public.endpoint, options, agent, limits.idle);
  // A streamed body's hash is not known when its request is signed; Content-Length guards against truncation.
  const streaming = createClient(options.internal.endpoint, options, agent, limits.idle);
  streaming.enableSHA256 = false;

  const call = <T>(what: string, promise: Promise<T>, ms = limits.call): Promise<T> =>
    within(ms, promise).catch((error: unknown) => {
      throw wrap(what, error);
    });

  const sign = (method: "GET" | "PUT", key: string, seconds: number, at: number, params = {}) =>
    external.presignedUrl(method, bucket, key, seconds, params, new Date(at));

  const exists = (ms: number) => call("look for the bucket", internal.bucketExists(bucket), ms);

  return {
    async put(key, body, { size, mime }) {
      const headers = objectHeaders(key, mime, publicUrls);
      if (Buffer.isBuffer(body) && body.length <= internal.partSize) {
        await call("put", internal.putObject(bucket, key, body, body.length, headers), limits.transfer);
        return;
      }
      // One PUT, in constant memory. `putObject` would hold 64 MB parts, share a half-done multipart upload
      // between two writers of one key, and never settle when the source fails.
      const request = { method: "PUT", bucketName: bucket, objectName: key };
      const signed = { ...request, headers: { ...headers, "Content-Length": String(size) } };
      const { stream, failure } = exactLength(Buffer.isBuffer(body) ? Readable.from([body]) : body, size);
      try {
        const sent = streaming.makeRequestStreamAsync(signed, stream, "", [200], region);
        (await within(limits.transfer, sent)).resume();
      } catch (error) {
        throw failure() ?? wrap("put", error);
      } finally {
        stream.destroy();
        if (!Buffer.isBuffer(body)) body.destroy();
      }
    },

    async get(key): Promise<Readable> {
      return call("get", internal.getObject(bucket, key));
    },

    async stat(key) {
      try {
        const { size, etag, metaData } = await within(limits.call, internal.statObject(bucket, key));
        return { size, etag, mime: String(metaData["content-type"] ?? "application/octet-stream") };
      } catch (error) {
        if (isAbsent(error)) return null;
        throw wrap("stat", error);
      }
    },

    async copy(from, to, mime) {
      const target = new CopyDestinationOptions({
        Bucket: bucket,
        Object: to,
        MetadataDirective: "REPLACE",
        Headers: objectHeaders(to, mime, publicUrls),
      });
      const source = new CopySourceOptions({ Bucket: bucket, Object: from });
      await call("copy", internal.copyObject(source, target), limits.transfer);
    },

    async remove(keys) {
      if (keys.length === 0) return;
      const failed = await call("remove", internal.removeObjects(bucket, [...keys]));
      if (failed.length === 0) return;
      const { Code: code } = (failed[0] ?? {}) as { Code?: unknown };
      const cause = Object.assign(new Error(`S3 says ${code}`), { code });
      throw new Error(`S3 could not remove ${failed.length} of ${keys.length} objects`, { cause });
    },

    async *list(prefix) {
      try {
        for await (const { name, size, lastModified } of internal.listObjectsV2(bucket, prefix, true)) {
          yield { key: name, size, modified: lastModified.getTime() };
        }
      } catch (error) {
        throw wrap("list", error);
      }
    },

    async url(key, save) {
      const slot = Math.max(1, Math.min(SIGNING_SLOT_S, Math.floor(urlTtlSeconds / 2))) * 1000;
      const params = save ? { "response-content-disposition": attachment(save.filename) } : {};
      const signed = await sign("GET", key, urlTtlSeconds, Math.floor(now() / slot) * slot, params);
      // The permanent URL is the same address without its signature, whichever style the endpoint takes.
      return publicUrls && !save ? (signed.split("?")[0] as string) : signed;
    },

    async inputUrl(key, at) {
      const signed = await sign("GET", key, INPUT_TTL_S, at);
      return publicUrls ? (signed.split("?")[0] as string) : signed;
    },

    presignPut: (key, seconds) => sign("PUT", key, seconds, now()),

    async presignPost(key, { mime, maxBytes, seconds }) {
      const policy = external.newPostPolicy();
      policy.setBucket(bucket);
      policy.setKey(key);
      policy.setContentType(mime);
      policy.setContentLengthRange(1, maxBytes);
      policy.setExpires(new Date(now() + seconds * 1000));
      const { postURL, formData } = await external.presignedPostPolicy(policy);
      return { url: postURL, fields: formData };
    },

    multipart: createS3Multipart({ internal, external, bucket, now, call, transferMs: limits.transfer }),

    async prepare() {
      if (await exists(limits.call)) return;
      try {
        await within(limits.call, internal.makeBucket(bucket, region));
      } catch (error) {
        // Another node makes it at the same time.
        if (/^(BucketAlreadyOwnedByYou|OperationAborted)$/.test(codeOf(error))) return;
        throw wrap("make the bucket", error);
      }
      // Only a bucket that we made: another's policy is its owner's business.
      if (publicUrls) await call("open the bucket to readers", internal.setBucketPolicy(bucket, readersPolicy(bucket)));
    },

    async check() {
      if (!(await exists(limits.check))) throw new Problem("unavailable", "The storage bucket does not exist");
    },

    close() {
      agent.destroy();
    },
  };
};
