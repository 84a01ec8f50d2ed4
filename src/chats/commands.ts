import type { Dispatch } from "../actors/dispatch.ts";
import { createSliceFacts } from "../actors/slice-fact.ts";
import { emptyUnit, type Unit } from "../actors/unit.ts";
import type { AttachmentCommands } from "../attachments/commands.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import { mustWin } from "../http/once.ts";
import type { Caller } from "../http/principal.ts";
import type { Remove } from "../jobs/removal.ts";
import type { OptionCommands } from "../options/commands.ts";
import type { Clock, Draws } from "../ports.ts";
import { type ChatRow, type Chunk, type Message, showChat } from "./words.ts";

/** What can be done with chats. A chat's facts go to the stream of its own id. */
export const createChatCommands = (deps: {
  dispatch: Dispatch;
  query: Query;
  attachments: AttachmentCommands;
  options: OptionCommands;
  remove: Remove;
  clock: Clock;
  draws: Draws;
}) => {
  const { dispatch, query, attachments, options, clock, draws } = deps;
  const fact = createSliceFacts(deps);

  const find = async (id: string, userId: string): Promise<ChatRow> => {
    const [row] = await query<ChatRow>("chatById", [id, userId]);
    if (!row) throw new Problem("not_found", "There is no such chat");
    return row;
  };

  const submit = async (unit: Unit): Promise<void> => mustWin(await dispatch.submit(unit));

  return {
    find,
    create: async ({ userId, traceparent }: Caller, title: string) => {
      const unit = emptyUnit(draws.id(), traceparent);
      const row = { id: draws.id(), user_id: userId, title, created_at: new Date(clock.now()).toISOString() };
      unit.rows.chats = [row];
      const chat = { ...row, message_count: 0, last_message_at: null };
      unit.live.push({ kind: "user", id: userId });
      unit.facts.push(fact(row.id, userId, "chat.created", row.id, chat));
      await submit(unit);
      return chat;
    },
    rename: async (id: string, { userId, traceparent }: Caller, title: string) => {
      const chat = { ...showChat(await find(id, userId)), title };
      const unit = emptyUnit(draws.id(), traceparent);
      unit.live.push({ kind: "chat", id });
      unit.rows.chat_changes = [{ id, title }];
      unit.facts.push(fact(id, userId, "chat.renamed", id, chat));
      await submit(unit);
      return chat;
    },
    /** A tombstone: 404 from now on. Its live jobs are canceled, those already in the commit's inbox. */
    remove: async (id: string, caller: Caller) => {
      await find(id, caller.userId);
      await deps.remove(caller, {
        subject: { kind: "chat", id },
        fact: fact(id, caller.userId, "chat.deleted", id, { id }),
        jobs: () => query("liveJobsIn", [id]),
      });
    },
    /** Stores the user's message with the assistant's answer: options to press, and what to render. */
    say: async (chatId: string, caller: Caller, text: string, attachmentIds: string[]) => {
      const { userId, traceparent } = caller;
      await find(chatId, userId);
      const attached = await attachments.require(attachmentIds, caller);
      const at = new Date(clock.now()).toISOString();
      const question: Message = {
        id: draws.id(),
        chat_id: chatId,
        author_type: "user",
        content_text: text,
        render_payload: [],
        attachments: attachmentIds,
        created_at: at,
      };
      const answerId = draws.id();
      const proposed = options.propose({ chatId, messageId: answerId, userId, text, at }, attached);
      const chunks = proposed.flatMap(({ id, label, description }): Chunk[] => [
        { type: "text", text: description },
        { type: "button", label, option_id: id },
      ]);
      const answer: Message = {
        id: answerId,
        chat_id: chatId,
        author_type: "assistant",
        content_text: null,
        render_payload: chunks,
        attachments: [],
        created_at: at,
      };
      const unit = emptyUnit(draws.id(), traceparent);
      unit.live.push({ kind: "user", id: userId }, { kind: "chat", id: chatId });
      unit.live.push(...attachmentIds.map((id) => ({ kind: "attachment" as const, id })));
      unit.rows.messages = [question, answer];
      unit.rows.options = proposed;
      unit.facts.push(
        fact(chatId, userId, "message.created", question.id, question),
        fact(chatId, userId, "message.created", answer.id, answer),
        ...proposed.map(({ user_id: _, position: __, ...option }) =>
          fact(chatId, userId, "option.created", option.id, option),
        ),
      );
      await submit(unit);
      return { message: answer, render_chunks: chunks };
    },
  };
};
export type ChatCommands = ReturnType<typeof createChatCommands>;
