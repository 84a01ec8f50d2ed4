import type { Fact } from "../ports.ts";
import { ownerLine } from "./lines.ts";

/** Listeners of this process by line: a map, never one subject that every client filters. */
export const createLocalSubscriptions = () => {
  const listeners = new Map<string, Set<(fact: Fact) => void>>();
  const deliverTo = (line: string, fact: Fact) => {
    for (const listener of listeners.get(line) ?? []) listener(fact);
  };
  return {
    deliverTo,
    /** To both lines that it is on. */
    deliver: (fact: Fact) => {
      deliverTo(fact.stream, fact);
      deliverTo(ownerLine(fact.owner), fact);
    },
    /** Returns unsubscribe; `last` is called when nobody listens to the line any more. */
    add: (line: string, listener: (fact: Fact) => void, last?: () => void) => {
      const set = listeners.get(line) ?? new Set();
      listeners.set(line, set.add(listener));
      return () => {
        if (!set.delete(listener) || set.size > 0) return;
        listeners.delete(line);
        last?.();
      };
    },
    has: (line: string) => listeners.has(line),
  };
};
