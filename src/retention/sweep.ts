import type { Query } from "../db/queries.ts";
import type { Log } from "../log.ts";
import type { Clock, Storage } from "../ports.ts";
import { createCollector } from "./collect.ts";
import { createErasure } from "./erase.ts";
import { createExpiry, type Periods, type Removals } from "./expire.ts";
import { abortAbandoned } from "./parts.ts";
import { condemnUnnamed } from "./scan.ts";

const TICK_MS = 1_000;
const EXPIRY_MS = 60_000;
const SCAN_MS = 86_400_000;
const SCAN = "scan";

/**
 * What becomes of the deleted, on every node: once a second the rows of what has come to rest and the objects that
 * nothing names; once a minute what is past its time; once a day, on one node, objects that never had a name.
 */
export const createRetention = (deps: {
  query: Query;
  write: Query;
  storage: Storage;
  clock: Clock;
  log: Log;
  removals: Removals;
  periods: Periods;
  /** How long an object stays unnamed, ms. */
  graceMs: number;
  /** How old an upload in parts gets that nobody completes, ms. */
  partsAgeMs: number;
  /** Whether facts have to be published before they go. */
  durable: boolean;
  /** Whether this is the only node. */
  alone: boolean;
}) => {
  const { write, clock, log, storage, graceMs } = deps;
  const stop = new AbortController();
  const erase = createErasure({ ...deps, signal: stop.signal });
  const collect = createCollector(deps);
  const { expire, follow } = createExpiry(deps);
  let expired = Number.NEGATIVE_INFINITY;
  let cancel = () => {};
  let current: Promise<void> = Promise.resolve();
  let scanning: Promise<void> = Promise.resolve();

  /** One round after the other, until there is no more; what fails hinders nothing else. */
  const repeat = async (what: string, round: () => Promise<boolean>) => {
    try {
      while (!stop.signal.aborted && (await round()));
    } catch (error) {
      if (!stop.signal.aborted) log.warn({ err: error, what }, "retention failed; the next round goes on");
    }
  };

  const scan = async () => {
    const now = clock.now();
    const [mine] = await write("claimChore", [SCAN, new Date(now - SCAN_MS), new Date(now)]);
    if (!mine) return;
    const condemned = await condemnUnnamed({ write, storage, clock, graceMs, signal: stop.signal });
    if (condemned > 0) log.info({ condemned }, "objects that nothing names are going to be removed");
    const aborted = await abortAbandoned({ storage, clock, ageMs: deps.partsAgeMs, signal: stop.signal });
    if (aborted > 0) log.info({ aborted }, "aborted uploads in parts that nobody had completed");
  };

  const tick = async () => {
    await repeat("follow", follow);
    if (clock.now() - expired >= EXPIRY_MS) {
      await repeat("expire", expire);
      expired = clock.now();
      scanning = scanning
        .then(scan)
        .catch((error) => log.warn({ err: error }, "the bucket could not be looked through"));
    }
    await repeat("erase", erase);
    await repeat("collect", collect);
  };

  const run = async () => {
    await tick();
    if (stop.signal.aborted) return;
    cancel = clock.after(TICK_MS, () => {
      current = run();
    });
  };

  return {
    start: () => {
      current = run();
    },
    /** Begins nothing any more. Resolves when what was begun is done. */
    close: async () => {
      stop.abort();
      cancel();
      await current;
      await scanning;
    },
  };
};
