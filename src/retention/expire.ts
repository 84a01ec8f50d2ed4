import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Caller } from "../http/principal.ts";
import type { Clock } from "../ports.ts";
import { each } from "./each.ts";

const PAGE = 100;

export type Kind = "chat" | "job" | "batch" | "attachment" | "endpoint";
/** What a request to delete does, so that streams hear of it and live jobs are canceled. */
export type Removals = Record<Kind, (id: string, caller: Caller) => Promise<void>>;
/** Days; 0: never. */
export type Periods = { chats: number; jobs: number; attachments: number };

type Row = { kind: Kind; id: string; user_id: string };

/** Deletes, as their owners would: what is past its time, and all that deleted users have left behind. */
export const createExpiry = (deps: { query: Query; clock: Clock; removals: Removals; periods: Periods }) => {
  const { query, clock, removals, periods } = deps;

  const removeAll = async (rows: readonly Row[]): Promise<boolean> => {
    await each(rows, ({ kind, id, user_id }) =>
      removals[kind](id, { userId: user_id, traceparent: null }).catch((error) => {
        // Somebody was first.
        if (!(error instanceof Problem && error.code === "not_found")) throw error;
      }),
    );
    return rows.length >= PAGE;
  };
  const expired = async (kind: Kind, name: string, days: number) => {
    const rows = await query<Omit<Row, "kind">>(name, [new Date(clock.now()), days, PAGE]);
    return removeAll(rows.map((row) => ({ kind, ...row })));
  };

  return {
    /** A page of what is past its time. Resolves to whether there may be more. */
    expire: async (): Promise<boolean> => {
      const more = [
        await expired("chat", "expiredChats", periods.chats),
        await expired("batch", "expiredBatches", periods.jobs),
        await expired("job", "expiredJobs", periods.jobs),
        await expired("attachment", "expiredAttachments", periods.attachments),
      ];
      return more.some(Boolean);
    },
    /** A page of what deleted users have. Resolves to whether there may be more. */
    follow: async (): Promise<boolean> => removeAll(await query<Row>("possessions", [PAGE])),
  };
};
