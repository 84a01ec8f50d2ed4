import { Problem } from "../errors.ts";

/**
 * Lets `width` tasks run at a time and `waiting` more wait their turn; the next one is refused with
 * `unavailable`. Every task ends, so every wait does.
 */
export const createGate = ({ width, waiting }: { width: number; waiting: number }) => {
  let running = 0;
  const queue: (() => void)[] = [];
  return async <T>(task: () => Promise<T>): Promise<T> => {
    if (running >= width) {
      if (queue.length >= waiting) throw new Problem("unavailable", "Too many logins at once", { retryAfter: 2 });
      // Whoever leaves hands over its place, so `running` stays as it is.
      await new Promise<void>((resolve) => queue.push(resolve));
    } else running++;
    try {
      return await task();
    } finally {
      const next = queue.shift();
      if (next) next();
      else running--;
    }
  };
};
