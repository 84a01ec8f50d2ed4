import type { Clock } from "../../src/ports.ts";

export type JumpingClock = Clock & {
  /** Time that goes by at once: what falls due in it fires now. */
  jump(ms: number): void;
};

/** The real time, which a test can let run ahead. */
export const createJumpingClock = (): JumpingClock => {
  const waiting = new Set<{ at: number; end(): void }>();
  let ahead = 0;
  const now = () => Date.now() + ahead;
  return {
    now,
    after: (ms, fire) => {
      const forget = () => {
        clearTimeout(native);
        waiting.delete(timer);
      };
      const end = () => {
        forget();
        fire();
      };
      const timer = { at: now() + ms, end };
      const native = setTimeout(end, Math.min(ms, 2 ** 31 - 1));
      waiting.add(timer);
      return forget;
    },
    jump: (ms) => {
      ahead += ms;
      for (const { at, end } of [...waiting]) if (at <= now()) end();
    },
  };
};
