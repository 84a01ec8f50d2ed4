import { attachmentView } from "../../machines/attachment.view.ts";
import type { Snapshot } from "../../machines/step.ts";
import type { Storage } from "../ports.ts";
import type { Links } from "./links.ts";
import type { Attachment } from "./words.ts";

/** As the queries answer. */
export type AttachmentRow = {
  id: string;
  file_name: string;
  content_type: string;
  size: number;
  upload_key: string;
  created_at: number;
  snapshot: Snapshot;
};

/** Renders an attachment for clients: URLs are signed as it is read. */
export const createAttachmentPresenter =
  ({ storage, links }: { storage: Storage; links: Links }) =>
  async (row: AttachmentRow): Promise<Attachment> => {
    const { state, object, error } = attachmentView(row.snapshot);
    const thumbnails = (object?.thumbnails ?? []).map(async ({ key, width, height }) => ({
      url: await storage.url(key),
      width,
      height,
    }));
    return {
      upload_id: row.id,
      file_name: row.file_name,
      content_type: row.content_type,
      size: row.size,
      state,
      error,
      download_url: links.make(row.id),
      created_at: new Date(row.created_at).toISOString(),
      mime: object?.mime ?? null,
      size_bytes: object?.size_bytes ?? null,
      sha256: object?.sha256 ?? null,
      width: object?.width ?? null,
      height: object?.height ?? null,
      url: object ? await storage.url(object.key) : null,
      thumbnails: await Promise.all(thumbnails),
    };
  };
