import type { Query } from "../db/queries.ts";
import type { Clock, Provider } from "../ports.ts";

/** Unused tokens of a lease are dropped after this, so that no node hoards for a burst. */
const LEASE_MS = 2_000;

type Rated = Pick<Provider, "name" | "rates">;
/** Instants: until when its tokens are good, when the row may be asked again, what the last one sent away was told. */
type Lease = { tokens: number; goodUntil: number; askAt: number; lineEnds: number };

/**
 * The right to ask a provider for a status, within the rate of its account over all nodes. Tokens are leased from
 * the account's row, a second's worth at a time, so that a poll writes nothing.
 */
export const createCheckTokens = ({ write, clock }: { write: Query; clock: Clock }) => {
  const leases = new Map<string, Lease>();
  const asking = new Map<string, Promise<Lease>>();

  const ask = async (name: string, perMinute: number): Promise<Lease> => {
    const wanted = Math.max(1, Math.floor(perMinute / 60));
    const [row] = await write<{ granted: number; wait_ms: number }>("leaseChecks", [name, wanted]);
    const now = clock.now();
    const { granted = 0, wait_ms = 0 } = row ?? {};
    const lineEnds = leases.get(name)?.lineEnds ?? 0;
    const lease = { tokens: granted, goodUntil: now + LEASE_MS, askAt: now + wait_ms, lineEnds };
    leases.set(name, lease);
    return lease;
  };

  const current = async (name: string, perMinute: number): Promise<Lease> => {
    const held = leases.get(name);
    const now = clock.now();
    if (held && (held.tokens > 0 ? held.goodUntil > now : held.askAt > now)) return held;
    // Who comes meanwhile shares the answer.
    const under = asking.get(name) ?? ask(name, perMinute).finally(() => asking.delete(name));
    asking.set(name, under);
    return under;
  };

  /** Sends one away, each to an instant of its own, so that they do not all come back for the one token. */
  const sendAway = (lease: Lease, perMinute: number): number => {
    const now = clock.now();
    lease.lineEnds = Math.max(lease.lineEnds, now, lease.askAt - 60_000 / perMinute) + 60_000 / perMinute;
    return Math.max(1, Math.ceil(lease.lineEnds - now));
  };

  return {
    /** Takes a token: 0, or after how many ms to come again. */
    take: async ({ name, rates }: Rated): Promise<number> => {
      const perMinute = rates?.checks;
      if (perMinute === undefined) return Math.max(0, (leases.get(name)?.askAt ?? 0) - clock.now());
      const lease = await current(name, perMinute);
      if (lease.tokens === 0) return sendAway(lease, perMinute);
      lease.tokens--;
      return 0;
    },
    /** The provider wants no status call for so long: on no node, where its rate is known; else not on this one. */
    hold: async ({ name, rates }: Rated, ms: number): Promise<number> => {
      const now = clock.now();
      leases.set(name, { tokens: 0, goodUntil: now, askAt: now + ms, lineEnds: now });
      if (rates?.checks !== undefined) await write("holdChecks", [name, ms]);
      return Math.max(1, ms);
    },
  };
};
export type CheckTokens = ReturnType<typeof createCheckTokens>;
