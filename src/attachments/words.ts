import { type Static, Type } from "@sinclair/typebox";
import { AttachmentError } from "../../machines/attachment.words.ts";
import { literals, nullable } from "../../machines/job.words.ts";

/** How the bytes come: one PUT, a browser's form, or many PUTs for a large file. */
export const UploadMethod = literals("PUT", "POST", "MULTIPART");
export type UploadMethod = Static<typeof UploadMethod>;

export const Presign = Type.Object({
  file_name: Type.String({ minLength: 1, maxLength: 255 }),
  content_type: Type.String({ minLength: 3, maxLength: 100, pattern: "^[\\x20-\\x7e]+$" }),
  size: Type.Integer({ minimum: 1, description: "bytes" }),
  method: Type.Optional(UploadMethod),
});

/** A page of the parts of a large upload. */
const parts = {
  part_size: Type.Integer({ description: "bytes of every part but the last" }),
  parts: Type.Array(
    Type.Object({ part_number: Type.Integer(), upload_url: Type.String({ description: "PUT the part's bytes here" }) }),
  ),
  next_part: nullable(Type.Integer({ description: "the first part of the next page; null: there is none" })),
};

export const Presigned = Type.Object({
  upload_url: nullable(
    Type.String({ description: "PUT the bytes here, with that content type; POST: the form goes here" }),
  ),
  download_url: Type.String({ description: "answers once the upload was verified" }),
  upload_id: Type.String({ description: "name it in a message's attachments" }),
  fields: Type.Optional(
    Type.Record(Type.String(), Type.String(), { description: "of the form, before its last one, `file`" }),
  ),
  part_size: Type.Optional(parts.part_size),
  parts: Type.Optional(parts.parts),
  next_part: Type.Optional(parts.next_part),
});
export type Presigned = Static<typeof Presigned>;

export const PartsPage = Type.Object({
  ...parts,
  uploaded: Type.Array(Type.Object({ part_number: Type.Integer(), etag: Type.String(), size: Type.Integer() }), {
    description: "the parts that have arrived, all of them",
  }),
});
export type PartsPage = Static<typeof PartsPage>;

export const Completion = Type.Object({
  parts: Type.Optional(
    Type.Array(
      Type.Object({ part_number: Type.Integer({ minimum: 1 }), etag: Type.String({ minLength: 1, maxLength: 200 }) }),
      { minItems: 1, maxItems: 1000, description: "with the ETag that each PUT answered; default: all that arrived" },
    ),
  ),
});
export type Completion = Static<typeof Completion>;

export const Attachment = Type.Object({
  upload_id: Type.String(),
  file_name: Type.String(),
  content_type: Type.String({ description: "as declared" }),
  size: Type.Integer({ description: "as declared" }),
  state: Type.String({ description: "issued · uploaded · ready · rejected · expired" }),
  error: nullable(AttachmentError),
  download_url: Type.String({ description: "a link that leads to `url`, good for a week" }),
  created_at: Type.String(),
  mime: nullable(Type.String({ description: "this and what follows: null until it is ready" })),
  size_bytes: nullable(Type.Integer({ description: "as stored, without metadata" })),
  sha256: nullable(Type.String({ description: "hex, of the bytes as stored" })),
  width: nullable(Type.Integer()),
  height: nullable(Type.Integer()),
  url: nullable(Type.String()),
  thumbnails: Type.Array(Type.Object({ url: Type.String(), width: Type.Integer(), height: Type.Integer() })),
});
export type Attachment = Static<typeof Attachment>;
