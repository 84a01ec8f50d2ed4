import type { ActorChange } from "./unit.ts";

/** Lets a request wait for what an actor does next on this node. */
export const createWatch = () => {
  const watchers = new Map<string, Set<(change: ActorChange) => void>>();
  return {
    notify: (change: ActorChange) => {
      for (const watcher of watchers.get(change.id) ?? []) watcher(change);
    },
    /** `next` resolves with the first committed change that satisfies `wanted`; null after `ms` or `cancel`. */
    until: (id: string, wanted: (change: ActorChange) => boolean, ms: number) => {
      let cancel = () => {};
      const next = new Promise<ActorChange | null>((resolve) => {
        const set = watchers.get(id) ?? new Set();
        const done = (change: ActorChange | null) => {
          clearTimeout(timer);
          set.delete(watcher);
          if (set.size === 0) watchers.delete(id);
          resolve(change);
        };
        const watcher = (change: ActorChange) => {
          if (wanted(change)) done(change);
        };
        const timer = setTimeout(() => done(null), ms);
        cancel = () => done(null);
        watchers.set(id, set.add(watcher));
      });
      return { next, cancel };
    },
  };
};
export type Watch = ReturnType<typeof createWatch>;
