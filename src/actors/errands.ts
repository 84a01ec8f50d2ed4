/**
 * Does something for each key that it is told of: for one key one at a time, and once more when it was told again
 * meanwhile. What fails is left to whoever tells of it again, e.g. a sweep.
 */
export const createErrands = (deps: { run(key: string): Promise<void>; failed(error: unknown, key: string): void }) => {
  const running = new Map<string, Promise<void>>();
  const again = new Set<string>();
  let closed = false;

  const hint = (key: string): void => {
    if (closed) return;
    if (running.has(key)) {
      again.add(key);
      return;
    }
    const errand = deps
      .run(key)
      .catch((error) => deps.failed(error, key))
      .finally(() => {
        running.delete(key);
        if (again.delete(key)) hint(key);
      });
    running.set(key, errand);
  };

  return {
    hint,
    isClosed: () => closed,
    /** Resolves when nothing is running. */
    idle: async () => {
      while (running.size > 0) await Promise.all(running.values());
    },
    /** Begins nothing any more. */
    close: () => {
      closed = true;
      again.clear();
    },
  };
};
