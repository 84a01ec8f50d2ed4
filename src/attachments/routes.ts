import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { attachmentView } from "../../machines/attachment.view.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import { describe } from "../http/describe.ts";
import type { Exchanges } from "../http/exchange.ts";
import type { Guard } from "../http/guard.ts";
import { Id } from "../http/ids.ts";
import { keyset, Page, PageQuery, readPage, toPage } from "../http/pagination.ts";
import type { Storage } from "../ports.ts";
import { mediaType } from "../storage/media-types.ts";
import { plainName } from "../storage/plain-name.ts";
import type { AttachmentCommands } from "./commands.ts";
import type { Links } from "./links.ts";
import { type AttachmentRow, createAttachmentPresenter } from "./present.ts";
import { Attachment, Completion, PartsPage, Presign, Presigned } from "./words.ts";

const byId = { params: Type.Object({ id: Id }) };
const From = Type.String({
  pattern: "^([1-9][0-9]{0,2}|1000)$",
  description: "The first part of the page",
  error: "Must be an integer from 1 to 1000",
  "x-openapi": { type: "integer", minimum: 1, maximum: 1000, default: 1 },
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
  const show = createAttachmentPresenter(deps);

  return new Elysia({ name: "attachments", prefix: "/attachments" })
    .use(deps.guard.plugin)
    .post(
      "/presign",
      async ({ body: { method = "PUT", ...file }, caller }) => {
        const errors = [];
        if (!mediaType(file.content_type)) {
          errors.push({ path: "/content_type", message: "Images, videos and sound only (no SVG)" });
        }
        if (file.size > deps.maxBytes) errors.push({ path: "/size", message: `The limit is ${deps.maxBytes} bytes` });
        if (errors.length > 0) throw new Problem("validation_failed", undefined, { errors });
        const { id, ...upload } = await commands.issue(
          caller,
          { ...file, file_name: plainName(file.file_name, "file") },
          method,
        );
        return { ...upload, download_url: links.make(id), upload_id: id };
      },
      {
        auth: "user",
        body: Presign,
        response: { 200: Presigned },
        detail: describe({
          tag: "attachments",
          summary: "Sign an upload",
          description:
            "PUT: one request with that content type. POST: a browser's form of `fields` and then `file`; S3 itself " +
            "holds it to the type and the size. MULTIPART, for large files: every part by a PUT of its own, which may " +
            "be repeated, then complete.",
          problems: ["too_many_uploads"],
          example: { file_name: "cat.jpg", content_type: "image/jpeg", size: 123456 },
        }),
      },
    )
    .get(
      "/",
      async ({ query: asked, principal }) => {
        const { limit, after } = readPage(asked);
        const found = await query<AttachmentRow>("attachmentsOfUser", [principal.userId, ...keyset(after), limit + 1]);
        const keyOf = (row: AttachmentRow) => ({ at: row.created_at, id: row.id });
        const page = toPage(found, limit, keyOf, (row) => row);
        return { items: await Promise.all(page.items.map(show)), next_cursor: page.next_cursor };
      },
      {
        auth: "user",
        query: PageQuery,
        response: { 200: Page(Attachment) },
        detail: describe({ tag: "attachments", summary: "List uploads, newest first" }),
      },
    )
    .get("/:id", async ({ params, principal }) => show(await commands.find(params.id, principal.userId)), {
      auth: "user",
      ...byId,
      response: { 200: Attachment },
      detail: describe({ tag: "attachments", summary: "An upload and what became of it" }),
    })
    .get(
      "/:id/parts",
      ({ params, principal, query: { from } }) => commands.parts(params.id, principal.userId, Number(from ?? 1)),
      {
        auth: "user",
        ...byId,
        query: Type.Object({ from: Type.Optional(From) }),
        response: { 200: PartsPage },
        detail: describe({
          tag: "attachments",
          summary: "Sign more parts of an upload",
          description: "Also to go on with one that was interrupted: `uploaded` tells what need not be sent again.",
          problems: ["conflict"],
        }),
      },
    )
    .post(
      "/:id/complete",
      async ({ params, body, caller }) => show(await commands.complete(params.id, caller, body ?? {})),
      {
        auth: "user",
        ...byId,
        body: Type.Optional(Completion),
        response: { 200: Attachment },
        detail: describe({
          tag: "attachments",
          summary: "Tell that an upload is there, and have it verified",
          description:
            "Answers what became of it: `ready`, `rejected`, `issued` while nothing has arrived, or `uploaded` while it " +
            "is being looked at; then ask again. May be repeated.",
          example: { parts: [{ part_number: 1, etag: "5d41402abc4b2a76b9719d911017c592" }] },
        }),
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
        const { object } = attachmentView(await commands.verify(row, exchanges.of(request).traceparent));
        if (!object) throw new Problem("not_found", "Nothing usable was uploaded");
        return new Response(null, {
          status: 302,
          headers: { location: await storage.url(object.key), "cache-control": "private, no-store" },
        });
      },
      {
        ...byId,
        query: Type.Object({ expires: Type.Optional(Type.String()), signature: Type.Optional(Type.String()) }),
        detail: describe({
          tag: "attachments",
          summary: "Follow a download link",
          answers: { 302: { description: "A signed URL of the verified bytes", headers: { Location: "the URL" } } },
        }),
      },
    );
};
