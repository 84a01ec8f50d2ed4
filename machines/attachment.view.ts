import { type Static, Type } from "@sinclair/typebox";
import type { AttachmentContext } from "./attachment.ts";
import { AttachmentError, VerifiedObject } from "./attachment.words.ts";
import { nullable } from "./job.words.ts";
import { type Snapshot, stateName } from "./step.ts";

/** What the world may know of an upload. */
export const AttachmentView = Type.Object({
  state: Type.String({ description: "issued · uploaded · ready · rejected · expired" }),
  object: nullable(VerifiedObject),
  error: nullable(AttachmentError),
});
export type AttachmentView = Static<typeof AttachmentView>;

/** Before version 2 neither sizes nor thumbnails were kept. */
const UNMEASURED = { width: null, height: null, thumbnails: [] };

/** The word for what became of it; how the storage is tidied up afterwards is no business of others. */
const wordFor = (state: string, { object, error }: AttachmentContext): string => {
  if (state === "pausing") return "uploaded";
  if (state !== "sweeping" && state !== "closed") return state;
  return object ? "ready" : error ? "rejected" : "expired";
};

/** Of a stored snapshot, of any version. */
export const attachmentView = (snapshot: Snapshot): AttachmentView => {
  const context = snapshot.context as unknown as AttachmentContext;
  const { object, error } = context;
  return {
    state: wordFor(stateName(snapshot.value), context),
    object: object && { ...UNMEASURED, ...object },
    error,
  };
};
