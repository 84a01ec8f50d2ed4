import type { Query } from "../db/queries.ts";
import type { ProviderState } from "../http/providers.ts";
import type { BreakerState } from "./breakers.ts";

type Row = Omit<ProviderState, "provider" | "paused_at" | "paused_until" | "breaker"> & {
  id: string;
  paused_at: number | null;
  paused_until: number | null;
};

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

/** Reads of the provider accounts. */
export const createAccountReads = ({ query, breaker }: { query: Query; breaker(provider: string): BreakerState }) => ({
  states: async (): Promise<ProviderState[]> =>
    (await query<Row>("providerAccounts")).map(({ id, paused_at, paused_until, ...row }) => ({
      provider: id,
      ...row,
      paused_at: iso(paused_at),
      paused_until: iso(paused_until),
      breaker: breaker(id),
    })),
});
