import type { MessagesOptions } from "./messages.ts";

/** Something that a client may follow: the facts of a line that are about it, and the whole of it as it is now. */
export type Source = Pick<MessagesOptions, "stream" | "filter" | "subject" | "isLast" | "snapshot"> & {
  /** The head of its line when it was opened. */
  head: number;
  /** Whether nothing will ever follow a cursor. */
  over(cursor: number): Promise<boolean>;
};

/** Opens what an id names. Throws `not_found` for what is not the user's. */
export type OpenSource = (id: string, userId: string) => Promise<Source>;
