/**
 * What comes before the durable bus gets new storage, because the old one was lost: all watermarks go back to the
 * start, while nothing can be published. Were the storage made first, whoever has not noticed yet would put its newest
 * facts before the older ones.
 */
import type { Query } from "../db/queries.ts";
import type { Clock } from "../ports.ts";

/** How long a claim on a stream holds. */
export const CLAIM_MS = 10_000;
const PAGE = 1_000;
const LOOK_MS = 50;

/** Puts all watermarks back to the start. */
export const rewind = async (query: Query): Promise<void> => {
  while ((await query("rewindPublished", [PAGE])).length === PAGE);
};

/**
 * Rewinds so that every page which anybody is still about to publish begins at the start. Nothing is acknowledged
 * meanwhile, so a claim taken after the first wait moves no watermark, and one taken after the second reads the start.
 */
export const createRenewal = ({ query, clock }: { query: Query; clock: Clock }) => {
  /** Resolves when all claims that there are have been given back, or have lapsed. */
  const claimsEnd = async () => {
    const lapsed = new Date(clock.now() + CLAIM_MS);
    for (;;) {
      const [row] = await query<{ claims: number }>("countClaims", [new Date(clock.now()), lapsed]);
      if (row?.claims === 0) return;
      await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve));
    }
  };
  return async (): Promise<void> => {
    await claimsEnd();
    await rewind(query);
    await claimsEnd();
  };
};
