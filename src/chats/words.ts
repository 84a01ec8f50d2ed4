import { type Static, Type } from "@sinclair/typebox";
import { nullable } from "../../machines/job.words.ts";
import { Text } from "../http/text.ts";

export const Title = Text(200);

export const Chat = Type.Object({
  id: Type.String(),
  user_id: Type.String(),
  title: Type.String(),
  message_count: Type.Integer(),
  last_message_at: nullable(Type.String()),
  created_at: Type.String(),
});
export type Chat = Static<typeof Chat>;

export const ChatDetail = Type.Object({
  ...Chat.properties,
  cursor: Type.Integer({ description: "seq of the chat's stream at this snapshot: resume from here" }),
});

export type ChatDetail = Static<typeof ChatDetail>;

/** What to render, in order: words and the button that belongs to them. */
export const Chunk = Type.Union([
  Type.Object({ type: Type.Literal("text"), text: Type.String() }),
  Type.Object({ type: Type.Literal("button"), label: Type.String(), option_id: Type.String() }),
]);
export type Chunk = Static<typeof Chunk>;

export const Message = Type.Object({
  id: Type.String(),
  chat_id: Type.String(),
  author_type: Type.Union([Type.Literal("user"), Type.Literal("assistant")]),
  content_text: nullable(Type.String()),
  render_payload: Type.Array(Chunk),
  attachments: Type.Array(Type.String()),
  created_at: Type.String(),
});
export type Message = Static<typeof Message>;

export type ChatRow = {
  id: string;
  user_id: string;
  title: string;
  message_count: number;
  last_message_at: number | null;
  created_at: number;
  cursor: number;
};
export type MessageRow = Omit<Message, "created_at"> & { created_at: number };

export const showChat = (row: ChatRow): Chat => ({
  id: row.id,
  user_id: row.user_id,
  title: row.title,
  message_count: row.message_count,
  last_message_at: row.last_message_at === null ? null : new Date(row.last_message_at).toISOString(),
  created_at: new Date(row.created_at).toISOString(),
});

export const showMessage = (row: MessageRow): Message => ({
  id: row.id,
  chat_id: row.chat_id,
  author_type: row.author_type,
  content_text: row.content_text,
  render_payload: row.render_payload,
  attachments: row.attachments,
  created_at: new Date(row.created_at).toISOString(),
});
