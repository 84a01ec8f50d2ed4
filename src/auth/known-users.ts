import { LRUCache } from "lru-cache";
import { Problem } from "../errors.ts";
import type { NewUser } from "../http/principal.ts";

const REMEMBERED = 50_000;
const LOOK_MS = 2_000;

/** Thrown for a token of a user who was deleted: it is good, but there is nobody any more whom it could stand for. */
const isGone = (error: unknown) => error instanceof Problem && error.code === "unauthenticated";

/**
 * Calls `provision` once per user and process, however many requests ask at the same time. A failure is not
 * remembered: the next request tries again; but that a user is gone (`unauthenticated`) is final. Who was deleted
 * lately, on whichever node, is looked for every other second by whoever comes, and provisioned again: in vain.
 */
export const createKnownUsers = (
  provision: (user: NewUser) => Promise<void>,
  {
    remembered = REMEMBERED,
    deleted = async () => [],
    now = () => performance.now(),
  }: { remembered?: number; deleted?: () => Promise<readonly string[]>; now?: () => number } = {},
) => {
  const known = new LRUCache<string, Promise<void>>({ max: remembered });
  /** Who is known to be gone. */
  const gone = new LRUCache<string, true>({ max: remembered });
  let looked = now();
  let looking: Promise<void> | null = null;

  const look = async () => {
    try {
      for (const id of await deleted()) if (!gone.has(id)) known.delete(id);
      looked = now();
    } catch {
      // The database is away: whoever needs it will be told so. The next to come looks again.
    } finally {
      looking = null;
    }
  };

  return async (user: NewUser): Promise<void> => {
    if (now() - looked > LOOK_MS) await (looking ??= look());
    const pending = known.get(user.id);
    if (pending) return pending;
    const started = provision(user);
    known.set(user.id, started);
    started.catch((error) => {
      if (isGone(error)) gone.set(user.id, true);
      else if (known.peek(user.id) === started) known.delete(user.id);
    });
    return started;
  };
};
