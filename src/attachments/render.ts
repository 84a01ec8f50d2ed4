import type { AttachmentView } from "../../machines/attachment.view.ts";
import type { Fact } from "../ports.ts";
import type { UploadEvent } from "./facts.ts";

/** What clients get to see of an upload's fact: nothing of where it is stored. */
export const renderAttachment = (fact: Fact): UploadEvent => {
  const { state, object = null, error = null } = fact.data as Partial<AttachmentView>;
  return {
    upload_id: fact.actorId,
    ...(state === undefined
      ? {}
      : { state, mime: object?.mime ?? null, size_bytes: object?.size_bytes ?? null, error }),
  };
};
