import { type FieldError, Problem } from "../errors.ts";
import type { MultipartStorage, StoredPart } from "../ports.ts";
import type { Completion } from "./words.ts";

const MIB = 1024 * 1024;
/** S3's least size of every part but the last. */
const LEAST_BYTES = 5 * MIB;
const MOST_PARTS = 1000;
/** A signed URL has some 500 characters. */
const PAGE = 100;

/** An upload in parts: where it goes, and how large it was said to be. */
export type PartedUpload = { key: string; uploadId: string; size: number };

/** Bytes of every part but the last, so that there are not too many of them. */
const partSizeOf = (size: number): number => Math.max(LEAST_BYTES, Math.ceil(size / MOST_PARTS / MIB) * MIB);

/** Signs a page of parts, from part `from` on. */
export const signParts = async (
  multipart: MultipartStorage,
  { key, uploadId, size }: PartedUpload,
  from: number,
  seconds: number,
) => {
  const part_size = partSizeOf(size);
  const count = Math.ceil(size / part_size);
  const numbers = Array.from({ length: Math.max(0, Math.min(PAGE, count - from + 1)) }, (_, n) => from + n);
  const parts = await Promise.all(
    numbers.map(async (part_number) => ({
      part_number,
      upload_url: await multipart.presign(key, uploadId, part_number, seconds),
    })),
  );
  return { part_size, parts, next_part: from + PAGE <= count ? from + PAGE : null };
};

const plainEtag = (etag: string) => etag.replaceAll('"', "");

/** The parts to join: those that are named, else all. Throws `validation_failed` for any that are not so there. */
const chosen = (stored: readonly StoredPart[], named: Completion["parts"]): StoredPart[] => {
  if (!named) return [...stored];
  const byNumber = new Map(stored.map((part) => [part.number, part]));
  const seen = new Set<number>();
  const errors: FieldError[] = [];
  const parts = named.flatMap(({ part_number, etag }, index) => {
    const part = byNumber.get(part_number);
    if (part?.etag === plainEtag(etag) && !seen.has(part_number)) {
      seen.add(part_number);
      return [part];
    }
    const message = seen.has(part_number) ? "Named twice" : "There is no such part with that ETag";
    errors.push({ path: `/parts/${index}`, message });
    return [];
  });
  if (errors.length > 0) throw new Problem("validation_failed", undefined, { errors });
  return parts.sort((a, b) => a.number - b.number);
};

/**
 * Joins the parts of an upload into its object, which is verified afterwards as any other. Nothing happens when that was
 * done before, and when nothing has arrived. Throws `validation_failed` when the parts cannot make what was declared.
 */
export const joinParts = async (
  multipart: MultipartStorage,
  { key, uploadId, size }: PartedUpload,
  named: Completion["parts"],
): Promise<void> => {
  const stored = await multipart.parts(key, uploadId);
  if (stored === null || stored.length === 0) return;
  const parts = chosen(stored, named);
  const refuse = (message: string) =>
    new Problem("validation_failed", undefined, { errors: [{ path: "/parts", message }] });
  const bytes = parts.reduce((sum, part) => sum + part.size, 0);
  if (bytes > size) throw refuse(`They have ${bytes} bytes; ${size} were declared`);
  if (parts.slice(0, -1).some((part) => part.size < LEAST_BYTES)) {
    throw refuse(`Every part but the last must have at least ${LEAST_BYTES} bytes`);
  }
  await multipart.complete(key, uploadId, parts);
};
