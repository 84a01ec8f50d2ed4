import { type Static, Type } from "@sinclair/typebox";
import { nullable, Thumbnail } from "./job.words.ts";
import { Stamp } from "./stamp.ts";

/** What verification found: the object under a key that no upload URL can write. Keys, not URLs; sizes in pixels. */
export const VerifiedObject = Type.Object({
  key: Type.String(),
  sha256: Type.String({ description: "hex, of the bytes as they are stored" }),
  mime: Type.String(),
  size_bytes: Type.Integer(),
  width: nullable(Type.Integer()),
  height: nullable(Type.Integer()),
  thumbnails: Type.Array(Thumbnail),
});
export type VerifiedObject = Static<typeof VerifiedObject>;

export const AttachmentCommand = Type.Union([
  Type.Composite([Type.Object({ type: Type.Literal("uploaded", { description: "used, or notified" }) }), Stamp]),
  Type.Composite([Type.Object({ type: Type.Literal("verified"), object: VerifiedObject }), Stamp]),
  Type.Composite([Type.Object({ type: Type.Literal("missing", { description: "nothing there yet" }) }), Stamp]),
  Type.Composite([Type.Object({ type: Type.Literal("refused"), code: Type.String(), message: Type.String() }), Stamp]),
  Type.Composite([Type.Object({ type: Type.Literal("unverified", { description: "storage was away" }) }), Stamp]),
  Type.Composite([Type.Object({ type: Type.Literal("discarded", { description: "nothing is left" }) }), Stamp]),
]);
export type AttachmentCommand = Static<typeof AttachmentCommand>;

export const AttachmentInput = Type.Object({
  uploadKey: Type.String(),
  uploadId: nullable(Type.String({ description: "of an upload in parts, as the storage names it" })),
  mime: Type.String({ description: "as declared" }),
  size: Type.Integer({ description: "as declared, bytes" }),
});
export type AttachmentInput = Static<typeof AttachmentInput>;

export type AttachmentFact = "attachment.issued" | "attachment.ready" | "attachment.rejected" | "attachment.expired";

export const AttachmentError = Type.Object({
  code: Type.String({ description: "stable, for programs" }),
  message: Type.String({ description: "for people" }),
});
