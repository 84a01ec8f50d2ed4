import type { Query } from "../db/queries.ts";

/** Deliveries that were acted on, known again for a day: then the sweep forgets them. */
export const createReplays = (query: Query) => ({
  has: async (provider: string, id: string): Promise<boolean> => {
    const [row] = await query<{ seen: boolean }>("hookSeen", [provider, id]);
    return row?.seen === true;
  },
  /** `at` in ms since the epoch. */
  keep: async (provider: string, id: string, at: number): Promise<void> => {
    await query("keepHook", [provider, id, new Date(at)]);
  },
});
export type Replays = ReturnType<typeof createReplays>;
