import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Clock } from "../ports.ts";

/** Verification may take a while after the upload's end. */
const SLACK_MS = 3_600_000;
const LONGEST_WAIT_S = 60;

/**
 * Bounds how many uploads a user may have that are neither verified nor given up. `enter` counts one more until what it
 * answers is called, by when it is committed or not; throws `too_many_uploads`.
 */
export const createOpenUploads = ({
  query,
  clock,
  ttlMs,
  most,
}: {
  query: Query;
  clock: Clock;
  ttlMs: number;
  most: number;
}) => {
  /** By user: requests whose upload is not yet in the table, so that many at once do not all find room. */
  const entering = new Map<string, number>();
  const count = (userId: string, change: 1 | -1): number => {
    const now = (entering.get(userId) ?? 0) + change;
    if (now === 0) entering.delete(userId);
    else entering.set(userId, now);
    return now;
  };
  return {
    enter: async (userId: string): Promise<() => void> => {
      const leave = () => void count(userId, -1);
      const ahead = count(userId, 1) - 1;
      try {
        const since = new Date(clock.now() - ttlMs - SLACK_MS);
        const [row] = await query<{ open: number; next: number | null }>("openUploads", [userId, since]);
        if ((row?.open ?? 0) + ahead < most) return leave;
        const seconds = Math.ceil(((row?.next ?? 0) - clock.now()) / 1000);
        throw new Problem("too_many_uploads", `At most ${most} at a time`, {
          retryAfter: Math.min(LONGEST_WAIT_S, Math.max(1, seconds)),
        });
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
};
export type OpenUploads = ReturnType<typeof createOpenUploads>;
