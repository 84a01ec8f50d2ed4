import { Buffer } from "node:buffer";
import { S3Error } from "./errors.ts";

const MAX_FIELDS_BYTES = 64 * 1024;
const CRLF = Buffer.from("\r\n");
const BLANK = Buffer.from("\r\n\r\n");

/** A form whose file is still arriving. Field names are in lower case; the file must be the last field. */
export type Form = { fields: Map<string, string>; file: AsyncIterable<Uint8Array> };

const malformed = (why: string) => new S3Error("MalformedPOSTRequest", why);

/** Reads up to delimiters, holding no more than one chunk and a delimiter's length. */
const createScanner = (chunks: AsyncIterable<Uint8Array>) => {
  const source = chunks[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const more = async () => {
    const next = await source.next();
    if (next.done) throw new S3Error("IncompleteBody", "The form ended before its closing boundary");
    held = held.length === 0 ? Buffer.from(next.value) : Buffer.concat([held, next.value]);
  };
  return {
    /** Everything before `delimiter`, which is consumed too. */
    async until(delimiter: Buffer, limit: number): Promise<Buffer> {
      for (;;) {
        const at = held.indexOf(delimiter);
        if (at > limit || (at < 0 && held.length > limit + delimiter.length)) throw malformed("A field is too large");
        if (at >= 0) {
          const found = held.subarray(0, at);
          held = held.subarray(at + delimiter.length);
          return found;
        }
        await more();
      }
    },
    /** As `until`, unbounded, handed on as it arrives. */
    async *stream(delimiter: Buffer): AsyncGenerator<Uint8Array> {
      for (;;) {
        const at = held.indexOf(delimiter);
        const safe = at >= 0 ? at : Math.max(0, held.length - delimiter.length + 1);
        if (safe > 0) yield held.subarray(0, safe);
        held = held.subarray(safe);
        if (at >= 0) return;
        await more();
      }
    },
  };
};

const boundaryOf = (contentType: string): string => {
  const match = /^multipart\/form-data\s*;.*?boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (!boundary) throw new S3Error("MalformedPOSTRequest", "The body must be multipart/form-data");
  return boundary;
};

/**
 * Reads a multipart/form-data body up to its `file` field, whose bytes then stream from `file`.
 * A library would buffer the file or parse events; S3 forms need one pass with the file last.
 * Throws `MalformedPOSTRequest`, or `IncompleteBody` while streaming.
 */
export const readForm = async (chunks: AsyncIterable<Uint8Array>, contentType: string): Promise<Form> => {
  const delimiter = Buffer.from(`\r\n--${boundaryOf(contentType)}`);
  const scanner = createScanner(chunks);
  const fields = new Map<string, string>();
  let left = MAX_FIELDS_BYTES;
  const take = async (end: Buffer) => {
    const bytes = await scanner.until(end, left);
    left -= bytes.length + 1;
    return bytes.toString("utf8");
  };
  // The first boundary has no line break before it, so it is matched without.
  if ((await scanner.until(delimiter.subarray(2), left)).length > 0) throw malformed("Text before the first field");
  for (;;) {
    if ((await take(CRLF)) !== "") throw malformed("The form has no file");
    const head = await take(BLANK);
    const name = /^content-disposition:\s*form-data;(?:.*;)?\s*name="([^"]*)"/im.exec(head)?.[1]?.toLowerCase();
    if (!name) throw malformed("A field has no name");
    if (name === "file") return { fields, file: scanner.stream(delimiter) };
    if (fields.has(name)) throw malformed(`The field ${name} is given twice`);
    fields.set(name, await take(delimiter));
  }
};
