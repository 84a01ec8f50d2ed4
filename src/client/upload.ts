/** Uploads a file to Darkroom, from a browser, Bun, Deno or Node. */
import type { Attachment, PartsPage, Presigned } from "../attachments/words.ts";
import { type Call, createCall, type Server } from "./call.ts";
import { failure } from "./failure.ts";
import { type Patience, pause, patiently } from "./patience.ts";
import { put } from "./put.ts";

const PARTS_ABOVE = 16 * 1024 * 1024;
const AT_ONCE = 3;
const TRIES = 6;
const PAUSE_MS = 500;
/** Verification of a large file takes seconds; the storage may be away for minutes. */
const VERIFIED_WITHIN_MS = 15 * 60_000;
const LOOK_MS = 1_000;

export type Progress = { sent: number; total: number };

export type UploadOptions = Server & {
  /** Default: that of the file, if it has one. */
  fileName?: string;
  /** Default: that of the file. */
  contentType?: string;
  /** Told how many bytes have left; never goes back. */
  onProgress?(progress: Progress): void;
  /** Gives it up. */
  signal?: AbortSignal;
  /** A larger file goes in parts. Default: 16 MiB. */
  partsAbove?: number;
  /** The id of an upload in parts that failed (`uploadId` of the error): only what is missing is sent. */
  resume?: string;
  /** How often each request is tried. Default: 6. */
  tries?: number;
  /** The pause before the second try, ms; it doubles. Default: 500. */
  pauseMs?: number;
};

type Part = { part_number: number; etag: string | null };
type Pages = { part_size: number; parts: PartsPage["parts"]; next_part: number | null };
type Upload = { file: Blob; call: Call; patience: Patience; onSent(part: number, bytes: number): void };

/** Adds up what each part has sent. */
const createMeter = (total: number, onProgress: UploadOptions["onProgress"]) => {
  const sent = new Map<number, number>();
  let shown = -1;
  return (part: number, bytes: number): void => {
    sent.set(part, bytes);
    const sum = Math.min(
      total,
      [...sent.values()].reduce((all, one) => all + one, 0),
    );
    if (sum <= shown) return;
    shown = sum;
    onProgress?.({ sent: sum, total });
  };
};

const sendWhole = ({ file, patience, onSent }: Upload, url: string, type: string) =>
  patiently(
    () =>
      put({
        url,
        body: file,
        headers: { "content-type": type },
        signal: patience.signal,
        onSent: (bytes) => onSent(1, bytes),
      }),
    patience,
  );

/** Sends the parts that are not there yet, some at a time. Resolves to all of them. */
const sendParts = async (upload: Upload, id: string, first: Pages, there: PartsPage["uploaded"]): Promise<Part[]> => {
  const { file, call, onSent } = upload;
  const { part_size } = first;
  const slice = (part: number) => file.slice((part - 1) * part_size, part * part_size, "");
  const uploaded = new Map(there.map((part) => [part.part_number, part]));
  const done: Part[] = [];
  const failed = new AbortController();
  const signal = AbortSignal.any([upload.patience.signal, failed.signal]);
  const patience = { ...upload.patience, signal };

  async function* waiting() {
    for (let page = first; ; page = await call<PartsPage>("GET", `/attachments/${id}/parts?from=${page.next_part}`)) {
      yield* page.parts;
      if (page.next_part === null) return;
    }
  }
  const queue = waiting();
  const work = async () => {
    for (let next = await queue.next(); !next.done; next = await queue.next()) {
      const { part_number, upload_url: url } = next.value;
      const body = slice(part_number);
      const known = uploaded.get(part_number);
      if (known?.size === body.size) onSent(part_number, body.size);
      const etag =
        known?.size === body.size
          ? known.etag
          : await patiently(
              () => put({ url, body, headers: {}, signal, onSent: (bytes) => onSent(part_number, bytes) }),
              patience,
            );
      done.push({ part_number, etag });
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } catch (error) {
    failed.abort(error);
    throw error;
  }
  return done;
};

/** Where the page may not read every ETag, the server looks for itself what has arrived. */
const completionOf = (parts: readonly Part[]) =>
  parts.length > 0 && parts.every(({ etag }) => etag !== null) ? { parts } : undefined;

/** Tells that all is there, and waits until it was verified. */
const complete = async ({ call, patience }: Upload, id: string, parts: readonly Part[]): Promise<Attachment> => {
  const until = Date.now() + VERIFIED_WITHIN_MS;
  for (;;) {
    const attachment = await call<Attachment>("POST", `/attachments/${id}/complete`, completionOf(parts));
    const { state, error } = attachment;
    if (state === "ready") return attachment;
    if (error) throw failure(error.message, { code: error.code });
    if (state !== "uploaded") throw failure(`The upload is ${state}`, { code: `upload_${state}` });
    if (Date.now() > until) throw failure("It could not be verified in time", { code: "timeout" });
    await pause(LOOK_MS, patience.signal);
  }
};

/**
 * Uploads a file and waits until it may be used. Small files go in one request; large ones in parts, three at a time, each
 * tried again by itself when it fails. Rejects with a `Failure` (its `uploadId` can be resumed if it came in parts), or
 * with the signal's reason.
 */
export const upload = async (file: Blob, options: UploadOptions): Promise<Attachment> => {
  const {
    tries = TRIES,
    pauseMs = PAUSE_MS,
    partsAbove = PARTS_ABOVE,
    signal = new AbortController().signal,
  } = options;
  const type = options.contentType ?? file.type;
  const patience: Patience = { tries, pauseMs, signal };
  const call = createCall(options, patience);
  const meter = createMeter(file.size, options.onProgress);
  const running: Upload = { file, call, patience, onSent: meter };
  meter(0, 0);
  let id = options.resume;
  try {
    if (id !== undefined) {
      const known = await call<Attachment>("GET", `/attachments/${id}`);
      if (known.state !== "issued") return await complete(running, id, []);
      const page = await call<PartsPage>("GET", `/attachments/${id}/parts`);
      return await complete(running, id, await sendParts(running, id, page, page.uploaded));
    }
    const signed = await call<Presigned>("POST", "/attachments/presign", {
      file_name: options.fileName ?? (file as Partial<File>).name ?? "file",
      content_type: type,
      size: file.size,
      method: file.size > partsAbove ? "MULTIPART" : "PUT",
    });
    id = signed.upload_id;
    const { upload_url, part_size = 0, parts = [], next_part = null } = signed;
    if (upload_url !== null) await sendWhole(running, upload_url, type);
    const sent = upload_url === null ? await sendParts(running, id, { part_size, parts, next_part }, []) : [];
    return await complete(running, id, sent);
  } catch (error) {
    throw id === undefined || !(error instanceof Error) ? error : Object.assign(error, { uploadId: id });
  }
};
