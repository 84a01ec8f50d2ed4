import type { Log } from "../log.ts";
import type { Clock, Storage } from "../ports.ts";
import { UPLOADS } from "../storage/keys.ts";

const EVERY_MS = 3_600_000;

/**
 * Once an hour: aborts uploads in parts that were begun over `ageMs` ago. An attachment aborts its own; these are of
 * nodes that died between beginning one and committing it. All nodes may do it at the same time.
 */
export const createPartsSweep = (deps: { storage: Storage; clock: Clock; log: Log; ageMs: number }) => {
  const { storage, clock, log, ageMs } = deps;
  let cancel = () => {};
  let closed = false;
  let current: Promise<void> = Promise.resolve();

  const sweep = async () => {
    try {
      let aborted = 0;
      for await (const { key, uploadId, begunAt } of storage.multipart.open(UPLOADS)) {
        if (closed) return;
        if (clock.now() - begunAt < ageMs) continue;
        await storage.multipart.abort(key, uploadId);
        aborted += 1;
      }
      if (aborted > 0) log.info({ aborted }, "aborted uploads in parts that nobody had completed");
    } catch (error) {
      log.warn({ err: error }, "abandoned uploads in parts were not looked for; they will be in an hour");
    }
  };
  const run = () => {
    current = sweep().then(() => {
      if (!closed) cancel = clock.after(EVERY_MS, run);
    });
  };
  return {
    start: run,
    /** Resolves when it rests. */
    close: async () => {
      closed = true;
      cancel();
      await current;
    },
  };
};
