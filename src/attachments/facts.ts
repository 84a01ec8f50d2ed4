import { type Static, Type } from "@sinclair/typebox";
import { AttachmentView } from "../../machines/attachment.view.ts";
import type { AttachmentFact } from "../../machines/attachment.words.ts";
import { nullable } from "../../machines/job.words.ts";
import type { FactDescription } from "../streams/describe.ts";

const SUMMARIES: Record<AttachmentFact, string> = {
  "attachment.issued": "An upload was signed",
  "attachment.ready": "Its bytes are what they claim to be, and may be used",
  "attachment.rejected": "Its bytes are not what they claim to be",
  "attachment.expired": "Nobody uploaded in time",
};

const AttachmentData = Type.Object({
  attachment_id: Type.String(),
  upload_id: Type.String(),
  ...AttachmentView.properties,
});

/** An upload as clients see it in what is told; of a deleted one, its id. */
export const UploadEvent = Type.Object({
  upload_id: Type.String(),
  state: Type.Optional(AttachmentView.properties.state),
  mime: Type.Optional(nullable(Type.String())),
  size_bytes: Type.Optional(nullable(Type.Integer())),
  error: Type.Optional(AttachmentView.properties.error),
});
export type UploadEvent = Static<typeof UploadEvent>;
const shown = { name: "Upload", schema: UploadEvent };

/** Everything that uploads tell. */
export const attachmentFacts: FactDescription[] = [
  ...(Object.keys(SUMMARIES) as AttachmentFact[]).map((type) => ({
    type,
    summary: SUMMARIES[type],
    kept: { name: "AttachmentFact", schema: AttachmentData },
    shown,
  })),
  {
    type: "attachment.deleted",
    summary: "It is gone",
    kept: {
      name: "DeletedAttachment",
      schema: Type.Object({ attachment_id: Type.String(), upload_id: Type.String() }),
    },
    shown,
  },
];
