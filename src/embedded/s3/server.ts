import { randomUUID } from "node:crypto";
import type { Log } from "../../log.ts";
import { authorize, type Caller } from "./authorize.ts";
import { handleBucket } from "./bucket.ts";
import type { Call } from "./call.ts";
import { createCors } from "./cors.ts";
import { isErrno, S3Error } from "./errors.ts";
import { handleObject } from "./object.ts";
import { handleForm, isForm } from "./post.ts";
import { SAFETY_HEADERS } from "./served.ts";
import type { Keys } from "./signature.ts";
import { openStore } from "./store.ts";
import { readTarget, type Target } from "./target.ts";
import { toXml } from "./xml.ts";

const SWEEP_MS = 3600_000;

/** Sub-resources of S3 that this server does not have; ignoring one would do something else than asked. */
const UNSUPPORTED = new Set(
  (
    "accelerate acl analytics attributes cors encryption intelligent-tiering inventory legal-hold lifecycle logging " +
    "metrics notification object-lock ownershipControls policy policyStatus publicAccessBlock replication " +
    "requestPayment restore retention select tagging torrent versionId versioning versions website"
  ).split(" "),
);

export type EmbeddedS3Options = Keys & {
  /** Directory of the store, made when absent. Nodes may share it. */
  dir: string;
  bucket: string;
  /** Largest object. */
  maxObjectBytes: number;
  /** All that is stored may come to; 0, the default: no limit. */
  quotaBytes?: number;
  allowedOrigins: (origin: string) => boolean;
  /** Keys below these may be read by anyone. Default: none. */
  publicPrefixes?: readonly string[];
  log: Log;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** How long the next bytes of an upload may take. Default 30 s. */
  idleMs?: number;
  /** How many uploads, parts and copies are written at once; others are told to come again. Default 256. */
  maxWrites?: number;
};

const toError = (error: unknown, log: Log): S3Error => {
  if (error instanceof S3Error) return error;
  if (isErrno(error, "ENAMETOOLONG")) return new S3Error("KeyTooLongError");
  if (isErrno(error, "ENOSPC")) return new S3Error("InsufficientStorage");
  log.error({ err: error }, "embedded S3 failed");
  return new S3Error("InternalError");
};

const errorResponse = (request: Request, error: S3Error, requestId: string): Response => {
  const { code, message, status, extra, headers } = error;
  if (status === 503) headers["Retry-After"] = "1";
  const xml = toXml("Error", { Code: code, Message: message, ...extra, RequestId: requestId });
  const hasBody = request.method !== "HEAD";
  return new Response(hasBody ? xml : null, { status, headers: { "Content-Type": "application/xml", ...headers } });
};

/**
 * A single-bucket S3 server as a fetch handler, path style. It verifies every signature: AWS Signature V4 in
 * the query, in the header, and in POST policies. Objects are plain files below `dir`, written with fsync and
 * one atomic rename.
 *
 * `handle` answers null for paths outside of `/{bucket}`. It never rejects: failures are S3 error documents.
 */
export const createEmbeddedS3 = async (options: EmbeddedS3Options) => {
  const { dir, bucket, region, maxObjectBytes, publicPrefixes = [], log, now, idleMs = 30_000 } = options;
  const limits = { maxBytes: maxObjectBytes, maxWrites: options.maxWrites ?? 256, quotaBytes: options.quotaBytes ?? 0 };
  const store = await openStore({ dir, bucket, ...limits });
  const cors = createCors(options.allowedOrigins);
  let closed = false;

  const sweep = () =>
    store.sweep(now()).then(
      (removed) => removed > 0 && log.info({ removed }, "embedded S3 removed leftovers"),
      (error: unknown) => log.warn({ err: error }, "embedded S3 could not sweep"),
    );
  await sweep();
  const timer = setInterval(sweep, SWEEP_MS);
  timer.unref();

  const isPublic = ({ method }: Request, { key, query }: Target) =>
    (method === "GET" || method === "HEAD") &&
    key !== null &&
    query.length === 0 &&
    publicPrefixes.some((prefix) => key.startsWith(prefix));

  const answer = async (request: Request, target: Target): Promise<Response> => {
    if (closed) throw new S3Error("ServiceUnavailable");
    if (target.query.some(([name]) => UNSUPPORTED.has(name))) throw new S3Error("NotImplemented");
    const at = now();
    const anonymous: Caller = { signed: false };
    const call: Call = {
      request,
      target,
      caller: anonymous,
      store,
      bucket,
      region,
      maxBytes: maxObjectBytes,
      idleMs,
      now: at,
    };
    if (target.key === null && isForm(request)) return handleForm(call, options);
    call.caller = authorize({ request, target, keys: options, now: at });
    if (!call.caller.signed && !isPublic(request, target)) throw new S3Error("AccessDenied");
    return target.key === null ? handleBucket(call) : handleObject(call, target.key);
  };

  return {
    async handle(request: Request): Promise<Response | null> {
      const started = performance.now();
      const requestId = randomUUID();
      let response: Response;
      let key: string | null = null;
      try {
        const target = readTarget(new URL(request.url), bucket);
        if (target === null) return null;
        key = target.key;
        response = request.method === "OPTIONS" ? cors.preflight(request) : await answer(request, target);
      } catch (error) {
        response = errorResponse(request, toError(error, log), requestId);
      }
      for (const [name, value] of Object.entries(SAFETY_HEADERS)) response.headers.set(name, value);
      response.headers.set("x-amz-request-id", requestId);
      if (request.method !== "OPTIONS") cors.decorate(request, response.headers);
      const ms = Math.round(performance.now() - started);
      log.debug({ method: request.method, key, status: response.status, ms, s3_request_id: requestId }, "s3");
      return response;
    },

    /** Refuses new requests with 503 and stops the sweeping. */
    close(): void {
      closed = true;
      clearInterval(timer);
    },
  };
};
