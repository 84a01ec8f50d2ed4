/** Runs one named query of `sql/queries` and gives its rows. */
export type Query = (name: string, params: unknown[]) => Promise<Record<string, unknown>[]>;

/** What the simulated provider bills, kept in PostgreSQL so that it survives a kill. Instants in ms since the epoch. */
export type Ledger = {
  /** Bills `attempt` once: the first ref recorded for it is the one that counts, and `first` says whose it is. */
  record(submit: {
    attempt: string;
    ref: string;
    at: number;
    request: string | null;
  }): Promise<{ ref: string; first: boolean }>;
  find(attempt: string): Promise<{ ref: string; canceledAt: number | null } | null>;
  /** The first cancel of an attempt stands. */
  cancel(attempt: string, at: number): Promise<void>;
  /** How many submits were recorded with this `request` at or after `since`. */
  count(request: string, since: number): Promise<number>;
};

/** The ledger on table `simulated_submits`. One statement each, so a crash leaves it as it was or done. */
export const createLedger = (query: Query): Ledger => {
  const find: Ledger["find"] = async (attempt) => {
    const [row] = await query("findSimulatedSubmit", [attempt]);
    if (!row) return null;
    return { ref: String(row.ref), canceledAt: row.canceled_ms === null ? null : Number(row.canceled_ms) };
  };
  return {
    find,
    record: async ({ attempt, ref, at, request }) => {
      const [added] = await query("recordSimulatedSubmit", [attempt, ref, at, request]);
      if (added) return { ref, first: true };
      const known = await find(attempt);
      if (!known) throw new Error("a recorded submit is missing from the ledger");
      return { ref: known.ref, first: false };
    },
    cancel: async (attempt, at) => {
      await query("cancelSimulatedSubmit", [attempt, at]);
    },
    count: async (request, since) => {
      const [row] = await query("countSimulatedSubmits", [request, since]);
      return Number(row?.count ?? 0);
    },
  };
};
