import { Type } from "@sinclair/typebox";
import { AttachmentView } from "../../machines/attachment.view.ts";
import type { AttachmentFact } from "../../machines/attachment.words.ts";
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

/** Everything that uploads tell; no client watches them. */
export const attachmentFacts: FactDescription[] = [
  ...(Object.keys(SUMMARIES) as AttachmentFact[]).map((type) => ({
    type,
    summary: SUMMARIES[type],
    kept: { name: "AttachmentFact", schema: AttachmentData },
  })),
  {
    type: "attachment.deleted",
    summary: "It is gone",
    kept: {
      name: "DeletedAttachment",
      schema: Type.Object({ attachment_id: Type.String(), upload_id: Type.String() }),
    },
  },
];
