import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { AttachmentContext } from "../../machines/attachment.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import { describe } from "../http/describe.ts";
import type { Exchanges } from "../http/exchange.ts";
import type { Guard } from "../http/guard.ts";
import { Id } from "../http/ids.ts";
import type { Storage } from "../ports.ts";
import { mediaType } from "../storage/media-types.ts";
import type { AttachmentCommands, AttachmentRow } from "./commands.ts";
import type { Links } from "./links.ts";

const Presign = Type.Object({
  file_name: Type.String({ minLength: 1, maxLength: 255 }),
  content_type: Type.String({ minLength: 3, maxLength: 100 }),
  size: Type.Integer({ minimum: 1, description: "bytes" }),
});
const Presigned = Type.Object({
  upload_url: Type.String({ description: "PUT the bytes here, with that content type" }),
  download_url: Type.String({ description: "answers once the upload was verified" }),
  upload_id: Type.String({ description: "name it in a message's attachments" }),
});
const Attachment = Type.Object({
  upload_id: Type.String(),
  file_name: Type.String(),
  content_type: Type.String(),
  size: Type.Integer(),
  state: Type.String({ description: "issued · uploaded · ready · rejected · expired" }),
  error: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()]),
  download_url: Type.String(),
  created_at: Type.String(),
});

/** Uploads: signed, verified, served only from where no upload URL can write. */
export const createAttachmentRoutes = (deps: {
  guard: Guard;
  exchanges: Exchanges;
  commands: AttachmentCommands;
  links: Links;
  storage: Storage;
  query: Query;
  maxBytes: number;
}) => {
  const { exchanges, commands, links, storage, query } = deps;
  const show = (row: AttachmentRow) => ({
    upload_id: row.id,
    file_name: row.file_name,
    content_type: row.content_type,
    size: row.size,
    state: row.state,
    error: (row.snapshot.context as unknown as AttachmentContext).error,
    download_url: links.make(row.id),
    created_at: new Date(row.created_at).toISOString(),
  });

  return new Elysia({ name: "attachments", prefix: "/attachments" })
    .use(deps.guard.plugin)
    .post(
      "/presign",
      async ({ body, caller }) => {
        const errors = [];
        if (!mediaType(body.content_type)) {
          errors.push({ path: "/content_type", message: "Images, videos and sound only (no SVG)" });
        }
        if (body.size > deps.maxBytes) errors.push({ path: "/size", message: `The limit is ${deps.maxBytes} bytes` });
        if (errors.length > 0) throw new Problem("validation_failed", undefined, { errors });
        const { id, uploadUrl } = await commands.issue(caller, body);
        return { upload_url: uploadUrl, download_url: links.make(id), upload_id: id };
      },
      {
        auth: "user",
        body: Presign,
        response: { 200: Presigned },
        detail: describe({
          tag: "attachments",
          summary: "Sign an upload",
          example: { file_name: "cat.jpg", content_type: "image/jpeg", size: 123456 },
        }),
      },
    )
    .get(
      "/:id",
      async ({ params, principal }) => {
        const [row] = await commands.rows([params.id], principal.userId);
        if (!row) throw new Problem("not_found");
        return show(row);
      },
      {
        auth: "user",
        params: Type.Object({ id: Id }),
        response: { 200: Attachment },
        detail: describe({ tag: "attachments", summary: "An upload and what became of it" }),
      },
    )
    .delete(
      "/:id",
      async ({ params, caller, set }) => {
        await commands.remove(params.id, caller);
        set.status = 204;
      },
      {
        auth: "user",
        params: Type.Object({ id: Id }),
        detail: describe({
          tag: "attachments",
          summary: "Delete an upload",
          description: "Gone at once, and its links with it. Jobs that were made with it keep what they were given.",
          answers: { 204: { description: "Deleted" } },
        }),
      },
    )
    .get(
      "/:id/file",
      async ({ params, query: { expires, signature }, request }) => {
        if (!links.good(params.id, Number(expires), signature ?? "")) throw new Problem("not_found");
        const [row] = await query<AttachmentRow>("attachmentById", [params.id]);
        if (!row) throw new Problem("not_found");
        const { snapshot } = await commands.verify(row, exchanges.of(request).traceparent);
        const { object } = snapshot.context as unknown as AttachmentContext;
        if (!object) throw new Problem("not_found", "Nothing usable was uploaded");
        return new Response(null, {
          status: 302,
          headers: { location: await storage.url(object.key), "cache-control": "private, no-store" },
        });
      },
      {
        params: Type.Object({ id: Id }),
        query: Type.Object({ expires: Type.Optional(Type.String()), signature: Type.Optional(Type.String()) }),
        detail: describe({
          tag: "attachments",
          summary: "Follow a download link",
          answers: { 302: { description: "A signed URL of the verified bytes", headers: { Location: "the URL" } } },
        }),
      },
    );
};
