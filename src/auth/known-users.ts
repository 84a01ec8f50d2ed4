import { LRUCache } from "lru-cache";
import { Problem } from "../errors.ts";
import type { NewUser } from "../http/principal.ts";

const REMEMBERED = 50_000;
const LOOK_MS = 2_000;
/** A tombstone is as old as its request, and the clocks of two nodes differ. */
const OVERLAP_MS = 60_000;
/** How long a request waits for that look, should the database be slow. */
const PATIENCE_MS = 500;

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
  }: {
    remembered?: number;
    /** Who was deleted in the last `ms`. */
    deleted?: (ms: number) => Promise<readonly string[]>;
    now?: () => number;
  } = {},
) => {
  const known = new LRUCache<string, Promise<void>>({ max: remembered });
  /** Who is known to be gone. */
  const gone = new LRUCache<string, true>({ max: remembered });
  let looked = now();
  let covered = looked;
  let looking: Promise<void> | null = null;

  const look = async () => {
    try {
      const began = now();
      for (const id of await deleted(began - covered + OVERLAP_MS)) if (!gone.has(id)) known.delete(id);
      covered = began;
    } catch {
      // The database is away: whoever needs it will be told so.
    } finally {
      looked = now();
      looking = null;
    }
  };
  const patiently = (work: Promise<void>): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, PATIENCE_MS);
    return Promise.race([work, promise]).finally(() => clearTimeout(timer));
  };

  return async (user: NewUser): Promise<void> => {
    if (now() - looked > LOOK_MS) await patiently((looking ??= look()));
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
