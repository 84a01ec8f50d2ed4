import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import { describe, describeStream } from "../http/describe.ts";
import type { Guard } from "../http/guard.ts";
import { Id } from "../http/ids.ts";
import { keyset, Page, PageQuery, readPage, toPage } from "../http/pagination.ts";
import { Text } from "../http/text.ts";
import { readStreamCursor, StreamQuery } from "../streams/cursor.ts";
import type { Follow } from "../streams/follow.ts";
import type { OpenSource } from "../streams/source.ts";
import type { ChatCommands } from "./commands.ts";
import {
  Chat,
  ChatDetail,
  type ChatRow,
  Chunk,
  Message,
  type MessageRow,
  showChat,
  showMessage,
  Title,
} from "./words.ts";

const byId = { params: Type.Object({ id: Id }) };
const UNTITLED = "New chat";

const Say = Type.Object({
  text: Text(8000),
  attachments: Type.Optional(Type.Array(Id, { maxItems: 10, uniqueItems: true, description: "upload ids" })),
});
const Said = Type.Object({
  message: Message,
  render_chunks: Type.Array(Chunk),
});

/** Chats, their messages, and the live stream of a chat. */
export const createChatRoutes = (deps: {
  guard: Guard;
  commands: ChatCommands;
  query: Query;
  source: OpenSource;
  follow: Follow;
}) => {
  const { commands, query } = deps;
  const keyOf = (row: { created_at: number; id: string }) => ({ at: row.created_at, id: row.id });
  const detail = async (id: string, userId: string) => {
    const row = await commands.find(id, userId);
    return { ...showChat(row), cursor: row.cursor };
  };

  const chats = new Elysia({ name: "chats", prefix: "/chats" })
    .use(deps.guard.plugin)
    .post(
      "/",
      async ({ body, caller, set }) => {
        const chat = await commands.create(caller, body?.title ?? UNTITLED);
        set.status = 201;
        set.headers.location = `/chats/${chat.id}`;
        return chat;
      },
      {
        auth: "user",
        body: Type.Optional(Type.Object({ title: Type.Optional(Title) })),
        response: { 201: Chat },
        detail: describe({ tag: "chats", summary: "Start a chat", example: { title: "Foxes" } }),
      },
    )
    .get(
      "/",
      async ({ query: asked, principal }) => {
        const { limit, after } = readPage(asked);
        const rows = await query<ChatRow>("chatsOfUser", [principal.userId, ...keyset(after), limit + 1]);
        return toPage(rows, limit, keyOf, showChat);
      },
      {
        auth: "user",
        query: PageQuery,
        response: { 200: Page(Chat) },
        detail: describe({ tag: "chats", summary: "List chats, newest first" }),
      },
    )
    .get("/:id", ({ params, principal }) => detail(params.id, principal.userId), {
      auth: "user",
      ...byId,
      response: { 200: ChatDetail },
      detail: describe({ tag: "chats", summary: "A chat with its cursor" }),
    })
    .patch("/:id", ({ params, body, caller }) => commands.rename(params.id, caller, body.title), {
      auth: "user",
      ...byId,
      body: Type.Object({ title: Title }),
      response: { 200: Chat },
      detail: describe({ tag: "chats", summary: "Rename a chat", example: { title: "Red foxes" } }),
    })
    .delete(
      "/:id",
      async ({ params, caller, set }) => {
        await commands.remove(params.id, caller);
        set.status = 204;
      },
      {
        auth: "user",
        ...byId,
        detail: describe({
          tag: "chats",
          summary: "Delete a chat",
          description: "Gone at once; its live jobs are canceled.",
          answers: { 204: { description: "Deleted" } },
        }),
      },
    )
    .post(
      "/:id/messages",
      async ({ params, body, caller, set }) => {
        const said = await commands.say(params.id, caller, body.text, body.attachments ?? []);
        set.status = 201;
        return said;
      },
      {
        auth: "user",
        ...byId,
        body: Say,
        response: { 201: Said },
        detail: describe({
          tag: "messages",
          summary: "Say something and get options",
          problems: ["attachment_not_ready"],
          example: { text: "A red fox in the snow", attachments: [] },
        }),
      },
    )
    .get(
      "/:id/messages",
      async ({ params, query: asked, principal }) => {
        await commands.find(params.id, principal.userId);
        const { limit, after } = readPage(asked);
        const rows = await query<MessageRow>("messagesOfChat", [params.id, ...keyset(after), limit + 1]);
        return toPage(rows, limit, keyOf, showMessage);
      },
      {
        auth: "user",
        ...byId,
        query: PageQuery,
        response: { 200: Page(Message) },
        detail: describe({ tag: "messages", summary: "Messages of a chat, oldest first" }),
      },
    )
    .get(
      "/:id/messages/:message_id",
      async ({ params, principal }) => {
        await commands.find(params.id, principal.userId);
        const [row] = await query<MessageRow>("messageById", [params.message_id, params.id]);
        if (!row) throw new Problem("not_found", "There is no such message");
        return showMessage(row);
      },
      {
        auth: "user",
        params: Type.Object({ id: Id, message_id: Id }),
        response: { 200: Message },
        detail: describe({ tag: "messages", summary: "A message" }),
      },
    );

  const stream = new Elysia({ name: "chat-stream" }).use(deps.guard.plugin).get(
    "/sse/:id",
    async ({ params, principal, request }) => {
      const cursor = readStreamCursor(request);
      return deps.follow.sseFromNow(await deps.source(params.id, principal.userId), principal, cursor);
    },
    {
      watch: { rule: "user", stream: "chat", id: "id" },
      ...byId,
      query: StreamQuery,
      detail: describeStream({
        tag: "chats",
        summary: "A chat, live: message.created, option.created, job.updated",
        description:
          "CloudEvents JSON. Resumes after `Last-Event-ID` or `?after=`; `reset` brings a fresh snapshot. " +
          "`job.progress` (no id, not in the log, at most every 3 s) tells where live jobs stand.",
        problems: ["too_many_connections"],
        events: [
          'id: 4\nevent: job.updated\ndata: {"specversion":"1.0","type":"darkroom.job.started","data":{"job_id":"…","status":"RUNNING"}}',
          'event: job.progress\ndata: {"specversion":"1.0","type":"darkroom.job.progress","data":{"job_id":"…","status":"QUEUED","queue_position":3,"eta_seconds":{"p50":40,"p95":95}}}',
        ],
      }),
    },
  );
  return new Elysia({ name: "chat-routes" }).use(chats).use(stream);
};
