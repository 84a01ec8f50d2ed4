import type { Fact } from "../ports.ts";

/** Listeners of this process by stream: a map, never one subject that every client filters. */
export const createLocalSubscriptions = () => {
  const listeners = new Map<string, Set<(fact: Fact) => void>>();
  return {
    deliver: (fact: Fact) => {
      for (const listener of listeners.get(fact.stream) ?? []) listener(fact);
    },
    /** Returns unsubscribe; `last` is called when nobody listens to the stream any more. */
    add: (stream: string, listener: (fact: Fact) => void, last?: () => void) => {
      const set = listeners.get(stream) ?? new Set();
      listeners.set(stream, set.add(listener));
      return () => {
        if (!set.delete(listener) || set.size > 0) return;
        listeners.delete(stream);
        last?.();
      };
    },
    has: (stream: string) => listeners.has(stream),
  };
};
