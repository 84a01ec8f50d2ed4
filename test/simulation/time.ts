import TinyQueue from "tinyqueue";
import type { Clock } from "../../src/ports.ts";

type Event = { at: number; order: number; fire: (() => void) | null };

/** The only source of time and of order: everything that happens later is in its one queue. */
export type Time = Pick<Clock, "now" | "after"> & {
  /** Fires what is next, one at a time, until `done` or nothing is left. Between two of them only microtasks run. */
  run(done: () => boolean): Promise<void>;
  /** Resolves that much later. */
  pass(ms: number): Promise<void>;
  /** How many events were fired. */
  steps(): number;
};

/** Lets every promise that can go on do so. No timer and no socket is open, so nothing else comes between. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Virtual time. Two events of one instant happen in the order in which they were asked for. */
export const createTime = (start = Date.UTC(2026, 0, 1)): Time => {
  const queue = new TinyQueue<Event>([], (a, b) => a.at - b.at || a.order - b.order);
  let now = start;
  let order = 0;
  let steps = 0;
  const after: Clock["after"] = (ms, fire) => {
    const event: Event = { at: now + Math.max(0, ms), order: order++, fire };
    queue.push(event);
    return () => {
      event.fire = null;
    };
  };
  return {
    now: () => now,
    after,
    pass: (ms) => new Promise((resolve) => after(ms, resolve)),
    steps: () => steps,
    run: async (done) => {
      await turn();
      while (!done()) {
        const next = queue.pop();
        if (!next) return;
        if (!next.fire) continue;
        now = next.at;
        steps++;
        next.fire();
        await turn();
      }
    },
  };
};

/**
 * A node's own clock: off by `skew` ms, which may change while it runs. Like the real one it never goes back and
 * tells whole milliseconds.
 */
export const createSkewedClock = (time: Time, after: Clock["after"], skew: () => number): Clock => {
  let latest = 0;
  return {
    now: () => {
      latest = Math.max(latest, time.now() + skew());
      return Math.round(latest);
    },
    after,
  };
};
