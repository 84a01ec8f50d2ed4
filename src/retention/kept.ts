import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Clock, Kept, Storage } from "../ports.ts";

const WAIT_MS = 250;
const TRIES = 20;

/**
 * Asks storage, after the object was taken off the list of the condemned. One that is being removed at this moment is
 * waited for; rejects with `unavailable` when that takes too long.
 */
export const createKept =
  ({ write, storage, clock }: { write: Query; storage: Pick<Storage, "stat">; clock: Pick<Clock, "after"> }): Kept =>
  async (key) => {
    for (let tries = 1; ; tries++) {
      const [row] = await write<{ doomed: boolean }>("rescueKey", [key]);
      if (!row?.doomed) return (await storage.stat(key)) !== null;
      if (tries === TRIES) throw new Problem("unavailable", "The object is being removed", { retryAfter: 5 });
      await new Promise<void>((resolve) => void clock.after(WAIT_MS, resolve));
    }
  };
