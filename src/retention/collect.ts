/**
 * Removes the objects that no row names any more.
 *
 *   condemned ──after the grace, still unnamed──▶ doomed ──removed from storage──▶ gone
 *       │  ▲ rescued by who is about to name it (kept.ts), or spared because a row names it
 *
 * While an object is doomed nobody writes under its key. A node that dies, or stands still, between dooming and the end
 * leaves it doomed: after the lease another one removes it again. Nothing is sent once the lease may have been taken
 * over: by then somebody may have written there anew.
 */
import type { Query } from "../db/queries.ts";
import type { Clock, Storage } from "../ports.ts";

const PAGE = 200;
/** Nothing is sent later than this after the dooming. */
const SEND_MS = 5_000;
/** Longer than that, and the removal with its own limit. */
const LEASE_MS = 60_000;

/** `alone`: nobody else can be removing anything. */
export const createCollector = (deps: {
  write: Query;
  storage: Pick<Storage, "remove">;
  clock: Clock;
  monotonic?(): number;
  graceMs: number;
  alone: boolean;
}) => {
  const { write, storage, clock, graceMs, monotonic = () => performance.now() } = deps;
  const leaseMs = deps.alone ? 0 : LEASE_MS;

  /** One round. Resolves to whether there may be more. */
  return async (): Promise<boolean> => {
    const now = clock.now();
    const began = monotonic();
    const instants = [now - graceMs, now - leaseMs, now].map((ms) => new Date(ms));
    const keys = (await write<{ key: string }>("doomObjects", [...instants, PAGE])).map(({ key }) => key);
    if (keys.length === 0 || monotonic() - began > SEND_MS) return false;
    await storage.remove(keys);
    await write("buryObjects", [keys]);
    return keys.length === PAGE;
  };
};
