import type { Clock } from "../ports.ts";

/** The clock of an actor that lives in memory: `createActor(machine, { clock: machineClock(clock) })`. */
export const machineClock = (clock: Clock) => {
  const timers = new Map<number, () => void>();
  let latest = 0;
  return {
    setTimeout: (fire: () => void, ms: number) => {
      const id = ++latest;
      const cancel = clock.after(ms, () => {
        timers.delete(id);
        fire();
      });
      timers.set(id, cancel);
      return id;
    },
    clearTimeout: (id: number) => {
      timers.get(id)?.();
      timers.delete(id);
    },
  };
};
