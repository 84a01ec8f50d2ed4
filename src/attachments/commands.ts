import type { AttachmentContext } from "../../machines/attachment.ts";
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

const VERIFY_WAIT_MS = 20_000;

export type AttachmentRow = {
  id: string;
  file_name: string;
  content_type: string;
  size: number;
  created_at: number;
  state: string;
  snapshot: Snapshot;
};

/** A verified attachment, ready for use. */
export type ReadyAttachment = { id: string; mime: string; key: string; size_bytes: number };

const REFUSALS: Record<string, string> = {
  issued: "It was not uploaded",
  uploaded: "It is still being verified; try again",
  expired: "It was not uploaded in time",
};

const contextOf = (snapshot: Snapshot) => snapshot.context as unknown as AttachmentContext;

export const createAttachmentCommands = (deps: {
  dispatch: Dispatch;
  watch: Watch;
  query: Query;
  storage: Storage;
  clock: Clock;
  draws: Draws;
  uploadTtlS: number;
}) => {
  const { dispatch, watch, query, storage, clock, draws } = deps;
  const fact = createSliceFacts(deps);

  const rows = (ids: readonly string[], userId: string) => query<AttachmentRow>("attachmentsByIds", [ids, userId]);

  /** Looks at an upload now, unless that was done before. Resolves to its state afterwards. */
  const verify = async (
    row: AttachmentRow,
    traceparent: string | null,
  ): Promise<{ state: string; snapshot: Snapshot }> => {
    if (row.state !== "issued" && row.state !== "uploaded") return row;
    const judged = watch.until(row.id, ({ state }) => state !== "uploaded", VERIFY_WAIT_MS);
    const sent = await dispatch.send(row.id, { type: "uploaded" }, traceparent);
    const state = stateName(sent.snapshot.value);
    if (state !== "uploaded") {
      judged.cancel();
      return { state, snapshot: sent.snapshot };
    }
    const change = await judged.next;
    return change ? { state: change.state, snapshot: change.snapshot } : { state: "uploaded", snapshot: sent.snapshot };
  };

  return {
    rows,
    verify,
    /** Signs an upload and remembers it. Resolves to its id, upload URL and creation. */
    issue: async ({ userId, traceparent }: Caller, file: { file_name: string; content_type: string; size: number }) => {
      const id = draws.id();
      const uploadKey = `uploads/${id}`;
      const unit = emptyUnit(draws.id(), traceparent);
      const identity = { id, kind: "attachment" as const, owner: userId, stream: id, account: null };
      unit.actors.push(
        dispatch.create(
          { ...identity, labels: { upload_id: id }, traceparent },
          { uploadKey, mime: file.content_type, size: file.size },
        ),
      );
      const created_at = new Date(clock.now()).toISOString();
      unit.rows.attachments = [{ id, user_id: userId, ...file, upload_key: uploadKey, created_at }];
      unit.live.push({ kind: "user", id: userId });
      mustWin(await dispatch.submit(unit));
      return { id, uploadUrl: await storage.presignPut(uploadKey, deps.uploadTtlS) };
    },
    /** A tombstone: 404 from now on. Jobs that were made with it keep what they were given. */
    remove: async (id: string, { userId, traceparent }: Caller): Promise<void> => {
      const [row] = await rows([id], userId);
      if (!row) throw new Problem("not_found", "There is no such upload");
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
          const { state, snapshot } = row ? await verify(row, traceparent) : { state: "unknown", snapshot: null };
          const context = snapshot && contextOf(snapshot);
          if (context?.object) {
            const { mime, key, size_bytes } = context.object;
            return { id, mime, key, size_bytes };
          }
          const message = context?.error?.message ?? REFUSALS[state] ?? "There is no such upload";
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
