import TinyQueue from "tinyqueue";
import type { Clock } from "../ports.ts";

/**
 * The node's own wake-ups: a heap of (actor, instant) with one native timer for the earliest. Only a
 * hint: `wake_at` in the table is the truth, and the sweep fires what a dead node had set.
 */
export type Timers = {
  /** Sets the actor's only wake-up; null clears it. */
  set(actor: string, at: number | null): void;
  armed(actor: string): boolean;
  /** How many are set. */
  size(): number;
  close(): void;
};

type Entry = { actor: string; at: number };

export const createTimers = (clock: Clock, fire: (actor: string) => void): Timers => {
  const due = new Map<string, number>();
  let heap = new TinyQueue<Entry>([], (a, b) => a.at - b.at);
  let native: { at: number; cancel: () => void } | null = null;
  let closed = false;

  const stale = ({ actor, at }: Entry) => due.get(actor) !== at;

  const run = () => {
    native = null;
    const now = clock.now();
    for (let next = heap.peek(); next && (stale(next) || next.at <= now); next = heap.peek()) {
      heap.pop();
      if (stale(next)) continue;
      due.delete(next.actor);
      fire(next.actor);
    }
    arm();
  };

  const arm = () => {
    const next = heap.peek();
    if (closed || !next || (native && native.at <= next.at)) return;
    native?.cancel();
    native = { at: next.at, cancel: clock.after(Math.max(0, next.at - clock.now()), run) };
  };

  /** Rescheduled entries stay in the heap until their old instant; rebuild when most are stale. */
  const compact = () => {
    if (heap.length < 1024 || heap.length < 4 * due.size) return;
    heap = new TinyQueue(
      [...due].map(([actor, at]) => ({ actor, at })),
      (a, b) => a.at - b.at,
    );
  };

  return {
    set: (actor, at) => {
      if (at === null) {
        due.delete(actor);
        return;
      }
      if (closed || due.get(actor) === at) return;
      due.set(actor, at);
      heap.push({ actor, at });
      compact();
      arm();
    },
    armed: (actor) => due.has(actor),
    size: () => due.size,
    close: () => {
      closed = true;
      native?.cancel();
      due.clear();
    },
  };
};
