import type { Clock, Storage } from "../ports.ts";
import { UPLOADS } from "../storage/keys.ts";

/**
 * Aborts uploads in parts that were begun over `ageMs` ago. An attachment aborts its own; these are of nodes that died
 * between beginning one and committing it. Resolves to how many there were.
 */
export const abortAbandoned = async ({
  storage,
  clock,
  ageMs,
  signal,
}: {
  storage: Pick<Storage, "multipart">;
  clock: Clock;
  ageMs: number;
  signal?: AbortSignal;
}): Promise<number> => {
  let aborted = 0;
  for await (const { key, uploadId, begunAt } of storage.multipart.open(UPLOADS)) {
    if (signal?.aborted) break;
    if (clock.now() - begunAt < ageMs) continue;
    await storage.multipart.abort(key, uploadId);
    aborted += 1;
  }
  return aborted;
};
