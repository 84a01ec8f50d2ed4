import { LRUCache } from "lru-cache";
import type { NewUser } from "../http/principal.ts";

const REMEMBERED = 50_000;

/**
 * Calls `provision` once per user and process, however many requests ask at the same time. A failure
 * is not remembered: the next request tries again.
 */
export const createKnownUsers = (provision: (user: NewUser) => Promise<void>, remembered = REMEMBERED) => {
  const known = new LRUCache<string, Promise<void>>({ max: remembered });
  return (user: NewUser): Promise<void> => {
    const pending = known.get(user.id);
    if (pending) return pending;
    const started = provision(user);
    known.set(user.id, started);
    started.catch(() => {
      if (known.peek(user.id) === started) known.delete(user.id);
    });
    return started;
  };
};
