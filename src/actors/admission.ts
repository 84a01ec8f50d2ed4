import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Clock } from "../ports.ts";
import type { Sent } from "./dispatch.ts";
import { createErrands } from "./errands.ts";

const MOST_AT_ONCE = 200;

/** Where jobs wait. `free`: how many may start now. `opens_in_ms`: until the account's rate or pause allows the next. */
type Account = { id: string; free: number; opens_in_ms: number | null };

/**
 * Starts queued jobs while their provider account lets them through (a free slot, a token of its rate, no pause), in
 * the order of their owners' turns. Slot and token are taken in the commit of `start`, so two nodes may try the same
 * one: one is denied. When only time is missing, it comes back then.
 */
export const createAdmission = (deps: { query: Query; clock: Clock; start(job: string): Promise<Sent>; log: Log }) => {
  const later = new Map<string, () => void>();

  const started = async (job: string): Promise<boolean> => {
    try {
      return (await deps.start(job)).outcome === "won";
    } catch (error) {
      if (!(error instanceof Problem)) deps.log.warn({ err: error, job_id: job }, "start failed");
      return false;
    }
  };

  const comeBack = (account: string, ms: number | null) => {
    later.get(account)?.();
    later.delete(account);
    if (ms === null || errands.isClosed()) return;
    const cancel = deps.clock.after(Math.max(1, Math.ceil(ms)), () => {
      later.delete(account);
      errands.hint(account);
    });
    later.set(account, cancel);
  };

  const admit = async (account: string): Promise<void> => {
    for (;;) {
      const accounts = await deps.query<Account>("freeAccounts");
      const { free = 0, opens_in_ms = null } = accounts.find(({ id }) => id === account) ?? {};
      comeBack(account, opens_in_ms);
      if (free <= 0 || errands.isClosed()) return;
      const jobs = await deps.query<{ id: string }>("nextTurns", [account, Math.min(free, MOST_AT_ONCE)]);
      const outcomes = await Promise.all(jobs.map(({ id }) => started(id)));
      if (!outcomes.some(Boolean)) return;
    }
  };
  const errands = createErrands({
    run: admit,
    failed: (error, account) => deps.log.warn({ err: error, account }, "admission failed; the sweep will try again"),
  });

  return {
    /** A slot became free, a job began to wait, or a pause has begun or ended. Coalesces. */
    hint: errands.hint,
    /** Covers crashes between a commit and its hint. */
    sweep: async () => {
      for (const { id, free } of await deps.query<Account>("freeAccounts")) if (free > 0) errands.hint(id);
    },
    idle: errands.idle,
    close: () => {
      errands.close();
      for (const cancel of later.values()) cancel();
      later.clear();
    },
  };
};
