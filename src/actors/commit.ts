/**
 * Group commit: units that arrive while a transaction is in flight go together into the next, in one
 * round trip (`commit_units`). A unit wins or loses alone.
 *
 *   the answer got lost     asked again under the same group id: `commit_units` remembers its answer
 *   the server is away      the same, with a pause, until `patienceMs`; then `unavailable`
 *   locked out              halved until the blocked unit stands alone; it tries on beside the line
 *   any other error         halved until the offender stands alone and fails alone
 */
import type { Query } from "../db/queries.ts";
import { isContention, isOutage, isTransient } from "../db/sqlstate.ts";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";
import { decodeAnswer, encodeGroup } from "./group.ts";
import type { Unit, UnitOutcome } from "./unit.ts";

const GROUP_UNITS = 256;
const QUEUE_UNITS = 20_000;
const PAUSE_MS = 50;

type Waiting = { unit: Unit; resolve(outcome: UnitOutcome): void; reject(error: unknown): void };

export type Committer = {
  /** Rejects with `Problem("unavailable")` when the outcome could not be had in time. */
  commit(unit: Unit): Promise<UnitOutcome>;
  /** Resolves when nothing is in flight or waiting. */
  idle(): Promise<void>;
  /** Units waiting, for metrics and load shedding. */
  depth(): number;
};

export const createCommitter = (deps: {
  query: Query;
  log: Log;
  id(): string;
  /** How long a group is tried again before its units fail, ms. */
  patienceMs: number;
  pause(ms: number): Promise<void>;
  /** Time that no correction of a clock moves, ms. */
  monotonic?(): number;
  /** Told of each group that was answered: how long it took, and what became of its units. */
  observe?(seconds: number, outcomes: readonly UnitOutcome["kind"][]): void;
}): Committer => {
  const { monotonic = () => performance.now() } = deps;
  const waiting: Waiting[] = [];
  let running: Promise<void> | null = null;

  const aside = new Set<Promise<void>>();
  const away = () => new Problem("unavailable", "The database is away; try again shortly", { retryAfter: 1 });

  /** Asks until the outcome is known; only for errors after which the same id must be used again. */
  const ask = async (group: Waiting[]): Promise<UnitOutcome[]> => {
    const units = group.map(({ unit }) => unit);
    const id = deps.id();
    const payload = encodeGroup(units);
    const began = monotonic();
    for (;;) {
      try {
        const [row] = await deps.query<{ answer: Parameters<typeof decodeAnswer>[1] }>("commitUnits", [id, payload]);
        if (!row) throw new Error("commit_units answered nothing");
        const outcomes = decodeAnswer(units, row.answer);
        deps.observe?.(
          (monotonic() - began) / 1000,
          outcomes.map(({ kind }) => kind),
        );
        return outcomes;
      } catch (error) {
        if (!isTransient(error) || isContention(error)) throw error;
        // A server that refuses connections took nothing: nobody need wait long for it.
        const patience = isOutage(error) ? deps.patienceMs / 4 : deps.patienceMs;
        if (monotonic() - began > patience) {
          deps.log.warn({ err: error, units: units.length }, "commit given up");
          throw away();
        }
        await deps.pause(PAUSE_MS);
      }
    }
  };

  const settle = async (group: Waiting[]): Promise<void> => {
    try {
      const outcomes = await ask(group);
      group.forEach(({ resolve }, n) => {
        resolve(outcomes[n] as UnitOutcome);
      });
    } catch (error) {
      const [alone, ...others] = group;
      if (error instanceof Problem) {
        for (const { reject } of group) reject(error);
      } else if (alone && others.length === 0) {
        if (isContention(error)) stepAside(alone);
        else {
          deps.log.error({ err: error, unit: alone.unit.id }, "unit refused by the database");
          alone.reject(error);
        }
      } else {
        const middle = group.length >> 1;
        await settle(group.slice(0, middle));
        await settle(group.slice(middle));
      }
    }
  };

  /** A unit that is locked out tries on by itself, so that the line goes on. */
  const stepAside = (blocked: Waiting) => {
    const began = monotonic();
    const tryOn = async () => {
      for (;;) {
        await deps.pause(PAUSE_MS);
        try {
          const [outcome] = await ask([blocked]);
          return blocked.resolve(outcome as UnitOutcome);
        } catch (error) {
          if (!isContention(error)) return blocked.reject(error);
          if (monotonic() - began > deps.patienceMs) return blocked.reject(away());
        }
      }
    };
    const run = tryOn().finally(() => aside.delete(run));
    aside.add(run);
  };

  const drain = async () => {
    // Let everything that is ready in this turn of the event loop join the group.
    await Promise.resolve();
    while (waiting.length > 0) await settle(waiting.splice(0, GROUP_UNITS));
    running = null;
  };

  return {
    commit: (unit) => {
      if (waiting.length >= QUEUE_UNITS) {
        return Promise.reject(new Problem("unavailable", "Too many changes are waiting", { retryAfter: 1 }));
      }
      return new Promise((resolve, reject) => {
        waiting.push({ unit, resolve, reject });
        running ??= drain();
      });
    },
    idle: async () => {
      while (running || aside.size > 0) await Promise.all([running, ...aside]);
    },
    depth: () => waiting.length,
  };
};
