import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Sent } from "./dispatch.ts";

const MOST_AT_ONCE = 200;

/**
 * Starts queued jobs while their provider account has free slots, in the order of their owners' turns.
 * The slot itself is taken in the commit of `start`, so two nodes may try the same one: one is denied.
 */
export const createAdmission = (deps: { query: Query; start(job: string): Promise<Sent>; log: Log }) => {
  const running = new Map<string, Promise<void>>();
  const again = new Set<string>();
  let closed = false;

  const started = async (job: string): Promise<boolean> => {
    try {
      return (await deps.start(job)).outcome === "won";
    } catch (error) {
      if (!(error instanceof Problem)) deps.log.warn({ err: error, job_id: job }, "start failed");
      return false;
    }
  };

  const admit = async (account: string) => {
    for (;;) {
      again.delete(account);
      const accounts = await deps.query<{ id: string; free: number }>("freeAccounts");
      const free = accounts.find(({ id }) => id === account)?.free ?? 0;
      if (free > 0 && !closed) {
        const jobs = await deps.query<{ id: string }>("nextTurns", [account, Math.min(free, MOST_AT_ONCE)]);
        const outcomes = await Promise.all(jobs.map(({ id }) => started(id)));
        if (outcomes.some(Boolean)) continue;
      }
      if (!again.has(account) || closed) return;
    }
  };

  /** A slot became free, or a job began to wait. Coalesces. */
  const hint = (account: string) => {
    if (closed) return;
    if (running.has(account)) {
      again.add(account);
      return;
    }
    const run = admit(account)
      .catch((error) => deps.log.warn({ err: error, account }, "admission failed; the sweep will try again"))
      .finally(() => running.delete(account));
    running.set(account, run);
  };

  return {
    hint,
    /** Covers crashes between a commit and its hint. */
    sweep: async () => {
      for (const { id } of await deps.query<{ id: string }>("freeAccounts")) hint(id);
    },
    idle: async () => {
      while (running.size > 0) await Promise.all(running.values());
    },
    close: () => {
      closed = true;
    },
  };
};
