import type { Query } from "../db/queries.ts";
import type { Clock } from "../ports.ts";

const MEASURE_EVERY_MS = 60_000;
const MAX_DRIFT_MS = 2_000;
const SAMPLES = 4;
/** What a native timer can hold; longer waits are cut and looked at again. */
const LONGEST_MS = 2 ** 31 - 1;

export type DatabaseClock = Clock & {
  /** Rejects when the offset moved by more than 2 s since boot: the host's clock is not to be trusted. */
  check(): Promise<void>;
  close(): void;
};

/**
 * Half the round trip is taken as the way to the server, as in NTP: of a few, the shortest one errs least. On a busy
 * machine a single one was seen to err by 100 ms.
 */
const measure = async (query: Query): Promise<number> => {
  let best = { roundTrip: Number.POSITIVE_INFINITY, offset: 0 };
  for (let sample = 0; sample < SAMPLES; sample++) {
    const before = performance.now();
    const [row] = await query<{ now: number }>("databaseNow");
    if (!row) throw new Error("the database did not tell the time");
    const after = performance.now();
    if (after - before < best.roundTrip) best = { roundTrip: after - before, offset: row.now - (before + after) / 2 };
  }
  return best.offset;
};

/**
 * `now()` = monotonic clock + offset to PostgreSQL's clock, measured at boot and every minute. Small
 * corrections are applied forward only, so that it never goes back.
 */
export const createDatabaseClock = async (query: Query): Promise<DatabaseClock> => {
  const first = await measure(query);
  let offset = first;
  let drift = 0;
  let latest = 0;
  const timer = setInterval(() => {
    measure(query).then(
      (value) => {
        drift = Math.abs(value - first);
        offset = value;
      },
      () => {},
    );
  }, MEASURE_EVERY_MS);
  timer.unref?.();
  return {
    now: () => {
      latest = Math.max(latest, performance.now() + offset);
      return Math.round(latest);
    },
    after: (ms, fire) => {
      const handle = setTimeout(fire, Math.min(ms, LONGEST_MS));
      return () => clearTimeout(handle);
    },
    check: async () => {
      if (drift > MAX_DRIFT_MS)
        throw new Error(`this host's clock drifted ${Math.round(drift)} ms from the database's`);
    },
    close: () => clearInterval(timer),
  };
};
