import type { AttachmentContext } from "../../machines/attachment.ts";
import { attachmentView } from "../../machines/attachment.view.ts";
import { type Snapshot, stateName } from "../../machines/step.ts";
import type { Dispatch } from "../actors/dispatch.ts";
import { createSliceFacts } from "../actors/slice-fact.ts";
import { entomb } from "../actors/tombstone.ts";
import { emptyUnit } from "../actors/unit.ts";
import type { Watch } from "../actors/watch.ts";
import type { Query } from "../db/queries.ts";
import { type FieldError, Problem } from "../errors.ts";
import { mustWin } from "../http/once.ts";
import type { Caller } from "../http/principal.ts";
import type { Clock, Draws, Storage } from "../ports.ts";
import { uploadKey } from "../storage/keys.ts";
import type { OpenUploads } from "./open-uploads.ts";
import { joinParts, type PartedUpload, signParts } from "./parts.ts";
import type { AttachmentRow } from "./present.ts";
import type { Completion, UploadMethod } from "./words.ts";

const VERIFY_WAIT_MS = 20_000;
/** Another node may be at it, so the table is asked now and then. */
const LOOK_MS = 1_000;

/** A verified attachment, ready for use. */
export type ReadyAttachment = { id: string; mime: string; key: string; size_bytes: number };
type NewFile = { file_name: string; content_type: string; size: number };

const REFUSALS: Record<string, string> = {
  issued: "It was not uploaded",
  uploaded: "It is still being verified; try again",
  expired: "It was not uploaded in time",
};

const contextOf = (snapshot: Snapshot) => snapshot.context as unknown as AttachmentContext;
const isOpen = (snapshot: Snapshot) => ["issued", "uploaded"].includes(attachmentView(snapshot).state);

/** Null unless it is uploaded in parts. */
const partedUpload = ({ snapshot, upload_key, size }: AttachmentRow): PartedUpload | null => {
  const { uploadId } = contextOf(snapshot);
  return uploadId ? { key: upload_key, uploadId, size } : null;
};

export const createAttachmentCommands = (deps: {
  dispatch: Dispatch;
  watch: Watch;
  query: Query;
  storage: Storage;
  clock: Clock;
  draws: Draws;
  openUploads: OpenUploads;
  uploadTtlS: number;
}) => {
  const { dispatch, watch, query, storage, clock, draws, uploadTtlS } = deps;
  const fact = createSliceFacts(deps);

  const rows = (ids: readonly string[], userId: string) => query<AttachmentRow>("attachmentsByIds", [ids, userId]);
  const find = async (id: string, userId: string): Promise<AttachmentRow> => {
    const [row] = await rows([id], userId);
    if (!row) throw new Problem("not_found", "There is no such upload");
    return row;
  };

  const judgment = (id: string) => watch.until(id, ({ state }) => state !== "uploaded", LOOK_MS);

  /** Looks at an upload now, unless that was done before. Resolves to its snapshot afterwards. */
  const verify = async (row: AttachmentRow, traceparent: string | null): Promise<Snapshot> => {
    if (!isOpen(row.snapshot)) return row.snapshot;
    let judged = judgment(row.id);
    const { snapshot } = await dispatch.send(row.id, { type: "uploaded" }, traceparent);
    if (stateName(snapshot.value) !== "uploaded") {
      judged.cancel();
      return snapshot;
    }
    for (let waited = 0; waited < VERIFY_WAIT_MS; waited += LOOK_MS) {
      const change = await judged.next;
      if (change) return change.snapshot;
      judged = judgment(row.id);
      const [found] = await query<AttachmentRow>("attachmentById", [row.id]);
      if (found && stateName(found.snapshot.value) !== "uploaded") {
        judged.cancel();
        return found.snapshot;
      }
    }
    judged.cancel();
    return snapshot;
  };

  /** What a client needs to upload, by method. */
  const sign = async (upload: { key: string; size: number; mime: string; uploadId: string | null }, method: string) => {
    const { key, size, mime, uploadId } = upload;
    if (uploadId !== null) {
      return { upload_url: null, ...(await signParts(storage.multipart, { key, uploadId, size }, 1, uploadTtlS)) };
    }
    if (method === "PUT") return { upload_url: await storage.presignPut(key, uploadTtlS) };
    const { url, fields } = await storage.presignPost(key, { mime, maxBytes: size, seconds: uploadTtlS });
    return { upload_url: url, fields };
  };

  /** Signs an upload and remembers it. Resolves to its id and what its method needs. */
  const issue = async ({ userId, traceparent }: Caller, file: NewFile, method: UploadMethod) => {
    const id = draws.id();
    const { content_type: mime, size } = file;
    const key = uploadKey(id);
    // What is begun here and never committed is found by its age (retention/parts.ts).
    const uploadId = method === "MULTIPART" ? await storage.multipart.create(key, mime) : null;
    const unit = emptyUnit(draws.id(), traceparent);
    const identity = { id, kind: "attachment" as const, owner: userId, stream: id, account: null };
    const labels = { upload_id: id };
    unit.actors.push(dispatch.create({ ...identity, labels, traceparent }, { uploadKey: key, uploadId, mime, size }));
    const created_at = new Date(clock.now()).toISOString();
    unit.rows.attachments = [{ id, user_id: userId, ...file, upload_key: key, created_at }];
    unit.live.push({ kind: "user", id: userId });
    mustWin(await dispatch.submit(unit));
    return { id, ...(await sign({ key, size, mime, uploadId }, method)) };
  };

  return {
    rows,
    find,
    verify,
    /** As `issue`; throws `too_many_uploads`. */
    issue: async (caller: Caller, file: NewFile, method: UploadMethod) => {
      const leave = await deps.openUploads.enter(caller.userId);
      return issue(caller, file, method).finally(leave);
    },
    /** Signs a page of the parts of an upload, and tells which have arrived. Throws `conflict` when it takes none. */
    parts: async (id: string, userId: string, from: number) => {
      const row = await find(id, userId);
      const upload = partedUpload(row);
      const seconds = Math.floor((contextOf(row.snapshot).expiresAt - clock.now()) / 1000);
      const open = upload && isOpen(row.snapshot) && seconds > 0;
      const stored = open ? await storage.multipart.parts(upload.key, upload.uploadId) : null;
      if (!open || !stored) throw new Problem("conflict", "It takes no parts, or no more of them");
      const uploaded = stored.map(({ number, etag, size }) => ({ part_number: number, etag, size }));
      return { ...(await signParts(storage.multipart, upload, from, seconds)), uploaded };
    },
    /** The upload is there: verifies it now. Again it changes nothing. Resolves to the attachment as it is then. */
    complete: async (id: string, { userId, traceparent }: Caller, { parts }: Completion): Promise<AttachmentRow> => {
      const row = await find(id, userId);
      const upload = partedUpload(row);
      if (upload && isOpen(row.snapshot)) await joinParts(storage.multipart, upload, parts);
      return { ...row, snapshot: await verify(row, traceparent) };
    },
    /** A tombstone: 404 from now on. Jobs that were made with it keep what they were given. */
    remove: async (id: string, { userId, traceparent }: Caller): Promise<void> => {
      await find(id, userId);
      const unit = emptyUnit(draws.id(), traceparent);
      entomb(unit, { kind: "attachment", id }, clock.now());
      unit.facts.push(fact(id, userId, "attachment.deleted", id, { attachment_id: id, upload_id: id }));
      mustWin(await dispatch.submit(unit));
    },
    /**
     * The attachments of a message, verified. Throws `attachment_not_ready` naming each one that was not
     * uploaded, is not what it claims to be, or is not the caller's.
     */
    require: async (ids: readonly string[], { userId, traceparent }: Caller): Promise<ReadyAttachment[]> => {
      if (ids.length === 0) return [];
      const found = new Map((await rows(ids, userId)).map((row) => [row.id, row]));
      const judged = await Promise.all(
        ids.map(async (id, index): Promise<ReadyAttachment | FieldError> => {
          const row = found.get(id);
          const view = row && attachmentView(await verify(row, traceparent));
          if (view?.object) {
            const { mime, key, size_bytes } = view.object;
            return { id, mime, key, size_bytes };
          }
          const message = view?.error?.message ?? REFUSALS[view?.state ?? ""] ?? "There is no such upload";
          return { path: `/attachments/${index}`, message };
        }),
      );
      const errors = judged.filter((one) => "path" in one);
      if (errors.length > 0) throw new Problem("attachment_not_ready", undefined, { errors });
      return judged.filter((one) => "key" in one);
    },
  };
};
export type AttachmentCommands = ReturnType<typeof createAttachmentCommands>;
