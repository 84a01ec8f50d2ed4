/**
 * Units that are locked out, beside the line, so that it goes on.
 *
 *   a row that it needs is locked    back into the line when a look finds the row free
 *   it is not known what it is       tried alone, one at a time and in a hurry; when one gets through, all go back
 *   it has waited for too long       given up
 */
import type { Locks } from "./locks.ts";
import type { Unit, UnitOutcome } from "./unit.ts";

const LOOK_MS = 100;

/** A unit that is to be committed. `since`: when it came, on the monotonic clock, ms. */
export type Waiting = {
  unit: Unit;
  since: number;
  resolve(outcome: UnitOutcome): void;
  reject(error: unknown): void;
};

export const createAside = (deps: {
  locks: Locks;
  pause(ms: number): Promise<void>;
  /** Does this when no group is being committed. */
  inTurn(work: () => Promise<void>): Promise<void>;
  isLate(waiting: Waiting): boolean;
  giveUp(waiting: readonly Waiting[]): void;
  /** Resolves to whether it was settled; not, when it is still locked out. */
  tryAlone(waiting: Waiting): Promise<boolean>;
  rejoin(waiting: readonly Waiting[]): void;
}) => {
  const { locks } = deps;
  let all: Waiting[] = [];
  /** Those of whom no locked row is known. */
  const puzzled = new Set<Waiting>();
  let running: Promise<void> | null = null;

  const leave = (those: readonly Waiting[]) => {
    const gone = new Set(those);
    all = all.filter((one) => !gone.has(one));
    for (const one of those) puzzled.delete(one);
  };

  const look = async () => {
    await locks.look(all.map(({ unit }) => unit));
    for (const one of all) if (locks.block(one.unit)) puzzled.delete(one);
    const freed = all.filter((one) => !puzzled.has(one) && !locks.block(one.unit));
    leave(freed);
    deps.rejoin(freed);
    const [first] = puzzled;
    if (!first) return;
    const others = [...puzzled];
    puzzled.delete(first);
    if (!(await deps.tryAlone(first))) puzzled.add(first);
    else {
      leave(others);
      deps.rejoin(others.slice(1));
    }
  };

  const run = async () => {
    while (all.length > 0) {
      await deps.inTurn(look);
      const late = all.filter(deps.isLate);
      leave(late);
      deps.giveUp(late);
      if (all.length > 0) await deps.pause(LOOK_MS);
    }
    running = null;
  };

  return {
    step: (those: readonly Waiting[]) => {
      for (const one of those) if (!locks.block(one.unit)) puzzled.add(one);
      all.push(...those);
      if (all.length > 0) running ??= Promise.resolve().then(run);
    },
    idle: async () => {
      while (running) await running;
    },
    size: () => all.length,
  };
};
