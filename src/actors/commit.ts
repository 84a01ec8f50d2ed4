/**
 * Group commit: units that arrive while a transaction is in flight go together into the next, in one
 * round trip (`commit_units`). A unit wins or loses alone.
 *
 *   the answer got lost     asked again under the same group id: `commit_units` remembers its answer
 *   the server is away      the same, with a pause, until `patienceMs`; then `unavailable`
 *   locked out              who needs what somebody keeps locked waits aside, as long; the others go on
 *   any other error         halved until the offender stands alone and fails alone
 */
import type { Query } from "../db/queries.ts";
import { isCollision, isContention, isOutage, isTransient } from "../db/sqlstate.ts";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";
import { createAside, type Waiting } from "./aside.ts";
import { decodeAnswer, encodeGroup } from "./group.ts";
import { createLocks } from "./locks.ts";
import type { Unit, UnitOutcome } from "./unit.ts";

const GROUP_UNITS = 256;
const QUEUE_UNITS = 20_000;
const PAUSE_MS = 50;
/** How long a group waits for a lock. A commit that nobody is frozen in takes far less. */
const LOCK_MS = 500;
/** The same for one that tells who of a group is locked out, and how long that may be looked for. */
const HURRIED_LOCK_MS = 50;
const SIFT_MS = 500;

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
  /** Told of units that were given up or refused. */
  failed?(how: "unavailable" | "refused", units: number): void;
}): Committer => {
  const { monotonic = () => performance.now() } = deps;
  const waiting: Waiting[] = [];
  const locks = createLocks(deps.query, deps.log);
  let running: Promise<void> | null = null;
  let turn: Promise<void> = Promise.resolve();

  const inTurn = (work: () => Promise<void>): Promise<void> => {
    turn = turn.then(work);
    return turn;
  };
  const isLate = ({ since }: Waiting) => monotonic() - since > deps.patienceMs;
  const giveUp = (those: readonly Waiting[]) => {
    if (those.length > 0) deps.failed?.("unavailable", those.length);
    const away = new Problem("unavailable", "The database is away; try again shortly", { retryAfter: 1 });
    for (const { reject } of those) reject(away);
  };
  const refuse = ({ unit, reject }: Waiting, error: unknown) => {
    const refused = !(error instanceof Problem);
    if (refused) deps.log.error({ err: error, unit: unit.id }, "unit refused by the database");
    deps.failed?.(refused ? "refused" : "unavailable", 1);
    reject(error);
  };

  /** Asks until the outcome is known; only for errors after which the same id must be used again. */
  const ask = async (group: readonly Waiting[], lockMs: number): Promise<void> => {
    const units = group.map(({ unit }) => unit);
    const id = deps.id();
    const payload = encodeGroup(units);
    const began = monotonic();
    const oldest = Math.min(...group.map(({ since }) => since));
    let collided = false;
    for (;;) {
      try {
        const parameters = [id, payload, String(lockMs)];
        const [row] = await deps.query<{ answer: Parameters<typeof decodeAnswer>[1] }>("commitUnits", parameters);
        if (!row) throw new Error("commit_units answered nothing");
        const outcomes = decodeAnswer(units, row.answer);
        deps.observe?.(
          (monotonic() - began) / 1000,
          outcomes.map(({ kind }) => kind),
        );
        group.forEach(({ resolve }, n) => {
          resolve(outcomes[n] as UnitOutcome);
        });
        return;
      } catch (error) {
        if (isCollision(error) && !collided) {
          collided = true;
          continue;
        }
        if (!isTransient(error) || isContention(error)) throw error;
        // A server that refuses connections took nothing: nobody need wait long for it.
        const patience = isOutage(error) ? deps.patienceMs / 4 : deps.patienceMs;
        if (monotonic() - oldest > patience) {
          deps.log.warn({ err: error, units: units.length }, "commit given up");
          return giveUp(group);
        }
        await deps.pause(PAUSE_MS);
      }
    }
  };

  /** `hurry`: the instant from which on who is still not through is taken to be locked out; null: there is time. */
  const settle = async (group: readonly Waiting[], hurry: number | null): Promise<void> => {
    const [first] = group;
    if (!first) return;
    if (hurry !== null && monotonic() > hurry) return aside.step(group);
    try {
      await ask(group, hurry === null ? LOCK_MS : HURRIED_LOCK_MS);
    } catch (error) {
      if (error instanceof Problem) for (const one of group) refuse(one, error);
      else if (isContention(error) && hurry === null) await untangle(group);
      else if (group.length > 1) {
        const middle = group.length >> 1;
        await settle(group.slice(0, middle), hurry);
        await settle(group.slice(middle), hurry);
      } else if (isContention(error)) aside.step(group);
      else refuse(first, error);
    }
  };

  /** Lets those step aside who need a row that somebody has locked, and the others through. */
  const untangle = async (group: readonly Waiting[]): Promise<void> => {
    await locks.look(group.map(({ unit }) => unit));
    const { blocked = [], free = [] } = Object.groupBy(group, ({ unit }) => (locks.block(unit) ? "blocked" : "free"));
    aside.step(blocked);
    await settle(free, monotonic() + SIFT_MS);
    // The line stood still meanwhile. Who would get an answer too late gets it now.
    const { late = [], early = [] } = Object.groupBy(waiting.splice(0), (one) => (isLate(one) ? "late" : "early"));
    waiting.push(...early);
    giveUp(late);
  };

  const drain = async () => {
    // Let everything that is ready in this turn of the event loop join the group.
    await Promise.resolve();
    while (waiting.length > 0) await inTurn(() => settle(waiting.splice(0, GROUP_UNITS), null));
    running = null;
  };
  const join = (those: readonly Waiting[]) => {
    waiting.push(...those);
    if (waiting.length > 0) running ??= drain();
  };

  const aside = createAside({
    locks,
    pause: deps.pause,
    inTurn,
    isLate,
    giveUp,
    tryAlone: async (one) => {
      try {
        await ask([one], HURRIED_LOCK_MS);
      } catch (error) {
        if (isContention(error)) return false;
        refuse(one, error);
      }
      return true;
    },
    rejoin: join,
  });

  return {
    commit: (unit) => {
      if (waiting.length + aside.size() >= QUEUE_UNITS) {
        return Promise.reject(new Problem("unavailable", "Too many changes are waiting", { retryAfter: 1 }));
      }
      return new Promise((resolve, reject) => {
        const one = { unit, since: monotonic(), resolve, reject };
        if (locks.block(unit)) aside.step([one]);
        else join([one]);
      });
    },
    idle: async () => {
      while (running || aside.size() > 0) await Promise.all([running, aside.idle()]);
    },
    depth: () => waiting.length + aside.size(),
  };
};
