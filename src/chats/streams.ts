import type { OpenSource } from "../streams/source.ts";
import type { ChatCommands } from "./commands.ts";
import { showChat } from "./words.ts";

/** A chat to follow, with its messages, options and jobs. */
export const createChatSource =
  ({ find }: Pick<ChatCommands, "find">): OpenSource =>
  async (id, userId) => {
    const { cursor: head } = await find(id, userId);
    return {
      stream: id,
      head,
      over: async () => {
        await find(id, userId);
        return false;
      },
      snapshot: async () => {
        const row = await find(id, userId);
        return { cursor: row.cursor, data: { ...showChat(row), cursor: row.cursor } };
      },
    };
  };
