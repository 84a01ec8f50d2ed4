/** Runs at most `width` jobs at once. */
export type Turns = <T>(job: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/**
 * A bounded queue for work that needs the processor: `width` at once, `waiting` in line, first come
 * first served. Rejects with the signal's reason when `signal` aborts in line, at once when the line is
 * full. A job that has begun is not interrupted here; it gets to see the signal by itself.
 */
export const createTurns = (width: number, waiting: number): Turns => {
  let free = width;
  const line: (() => void)[] = [];

  const enter = (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (free > 0) {
      free--;
      return Promise.resolve();
    }
    if (line.length >= waiting) throw new Error("too many renders are waiting");
    return new Promise((resolve, reject) => {
      const leave = () => {
        line.splice(line.indexOf(go), 1);
        reject(signal.reason);
      };
      const go = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      signal.addEventListener("abort", leave, { once: true });
      line.push(go);
    });
  };

  return async (job, signal) => {
    await enter(signal);
    try {
      return await job();
    } finally {
      const next = line.shift();
      if (next) next();
      else free++;
    }
  };
};
