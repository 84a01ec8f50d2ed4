import type { Clock } from "../../src/ports.ts";

export type VirtualClock = Clock & {
  /** Moves time on, firing what falls due, in order. What was fired may still be waiting for a database. */
  advance(ms: number): void;
  /** Timers that are set: none is left when everything was closed. */
  pending(): number;
};

/** Time that stands still until a test moves it. */
export const createVirtualClock = (start = Date.UTC(2026, 0, 1)): VirtualClock => {
  const timers = new Set<{ at: number; fire(): void }>();
  let now = start;
  return {
    now: () => now,
    after: (ms, fire) => {
      const timer = { at: now + ms, fire };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance: (ms) => {
      const until = now + ms;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (!next) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.fire();
      }
      now = until;
    },
    pending: () => timers.size,
  };
};
