import { Type } from "@sinclair/typebox";
import { jobProgress } from "../jobs/facts.ts";
import { Cursored, type FactDescription, type StreamDescription } from "../streams/describe.ts";
import { Chat, ChatDetail, Message } from "./words.ts";

const same = (type: string, summary: string, name: string, schema: FactDescription["kept"]["schema"]) => ({
  type,
  summary,
  kept: { name, schema },
  shown: { name, schema },
});

/** Everything that chats tell. */
export const chatFacts: FactDescription[] = [
  same("chat.created", "A chat was started", "Chat", Chat),
  same("chat.renamed", "A chat has another title", "Chat", Chat),
  same("chat.deleted", "A chat is gone, and its live jobs are canceled", "Gone", Type.Object({ id: Type.String() })),
  same("message.created", "Somebody said something, or was answered", "Message", Message),
];

export const chatStreamDescription: StreamDescription = {
  name: "chatEvents",
  address: "/sse/{chat_id}",
  transport: "sse",
  summary: "A chat with its jobs, live",
  parameters: { chat_id: "id of the chat" },
  kinds: ["chat", "message", "option", "job"],
  aside: [jobProgress],
  snapshot: { schema: Cursored(ChatDetail), greets: false },
};
