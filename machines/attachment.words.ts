import { type Static, Type } from "@sinclair/typebox";
import { nullable } from "./job.words.ts";
import { Stamp } from "./stamp.ts";

/** What verification found: the object under a key that no upload URL can write. */
export const VerifiedObject = Type.Object({
  key: Type.String(),
  sha256: Type.String(),
  mime: Type.String(),
  size_bytes: Type.Integer(),
});
export type VerifiedObject = Static<typeof VerifiedObject>;

export const AttachmentCommand = Type.Union([
  Type.Composite([Type.Object({ type: Type.Literal("uploaded", { description: "used, or notified" }) }), Stamp]),
  Type.Composite([Type.Object({ type: Type.Literal("verified"), object: VerifiedObject }), Stamp]),
  Type.Composite([Type.Object({ type: Type.Literal("missing", { description: "nothing there yet" }) }), Stamp]),
  Type.Composite([Type.Object({ type: Type.Literal("refused"), code: Type.String(), message: Type.String() }), Stamp]),
  Type.Composite([Type.Object({ type: Type.Literal("unverified", { description: "storage was away" }) }), Stamp]),
]);
export type AttachmentCommand = Static<typeof AttachmentCommand>;

export const AttachmentInput = Type.Object({
  uploadKey: Type.String(),
  mime: Type.String({ description: "as declared" }),
  size: Type.Integer({ description: "as declared, bytes" }),
});
export type AttachmentInput = Static<typeof AttachmentInput>;

export type AttachmentFact = "attachment.issued" | "attachment.ready" | "attachment.rejected" | "attachment.expired";

/** What the world may know of an upload. */
export const AttachmentView = Type.Object({
  state: Type.String({ description: "issued · uploaded · ready · rejected · expired" }),
  object: nullable(VerifiedObject),
  error: nullable(Type.Object({ code: Type.String(), message: Type.String() })),
});
export type AttachmentView = Static<typeof AttachmentView>;
