import type { Client } from "minio";
import type { MultipartStorage, StoredPart } from "../ports.ts";
import { codeOf } from "./s3-failure.ts";

/** What minio keeps to itself. */
type PartsLister = {
  listParts(bucket: string, key: string, uploadId: string): Promise<{ part: number; etag: string; size: number }[]>;
};

const isGone = (error: unknown): boolean => codeOf(error) === "NoSuchUpload";

/** Of a rejection `gone`: the upload was completed or aborted before, or never was. */
const unlessGone = async <T>(gone: T, promise: Promise<T>): Promise<T> => {
  try {
    return await promise;
  } catch (error) {
    if (isGone((error as Error).cause)) return gone;
    throw error;
  }
};

/** Uploads in parts, on the clients of `createS3Storage`; `call` bounds and classifies as all of its calls do. */
export const createS3Multipart = (deps: {
  internal: Client;
  external: Client;
  bucket: string;
  now(): number;
  call<T>(what: string, promise: Promise<T>, ms?: number): Promise<T>;
  /** Milliseconds that joining the parts may take: some servers copy them. */
  transferMs: number;
}): MultipartStorage => {
  const { internal, external, bucket, now, call } = deps;
  const lister = internal as unknown as PartsLister;
  return {
    create: (key, mime) => {
      const headers = { "Content-Type": mime, "Cache-Control": "private, no-store" };
      return call("begin an upload in parts", internal.initiateNewMultipartUpload(bucket, key, headers));
    },

    presign: (key, uploadId, part, seconds) =>
      external.presignedUrl("PUT", bucket, key, seconds, { partNumber: String(part), uploadId }, new Date(now())),

    parts: (key, uploadId) => {
      const listed = call("list the parts", lister.listParts(bucket, key, uploadId));
      const parts = listed.then((all) => all.map(({ part, etag, size }): StoredPart => ({ number: part, etag, size })));
      return unlessGone<StoredPart[] | null>(null, parts);
    },

    complete: (key, uploadId, parts) => {
      const etags = parts.map(({ number, etag }) => ({ part: number, etag }));
      const joined = internal.completeMultipartUpload(bucket, key, uploadId, etags);
      return unlessGone(
        false,
        call("join the parts", joined, deps.transferMs).then(() => true),
      );
    },

    abort: (key, uploadId) =>
      unlessGone(undefined, call("abort an upload in parts", internal.abortMultipartUpload(bucket, key, uploadId))),

    async *open(prefix) {
      for (let [marker, isMore] = ["", true]; isMore; ) {
        const page = await call(
          "list the uploads in parts",
          internal.listIncompleteUploadsQuery(bucket, prefix, marker, "", ""),
        );
        for (const { key, uploadId, initiated } of page.uploads) yield { key, uploadId, begunAt: initiated.getTime() };
        // minio loses the second marker, so a key with uploads on both pages would come round and round.
        isMore = page.isTruncated && page.nextKeyMarker !== "" && page.nextKeyMarker !== marker;
        marker = page.nextKeyMarker;
      }
    },
  };
};
