import { Problem } from "../errors.ts";
import type { Query } from "./queries.ts";

/**
 * Lets as many statements through at a time as there are connections, so that none is sent down one on which another
 * is stuck. Who has not been let in after `patienceMs` is turned away, with `unavailable`, and has done nothing.
 */
export const createTurnstile = (
  query: Query,
  { atOnce, patienceMs }: { atOnce: number; patienceMs: number },
): Query => {
  const waiting = new Set<() => void>();
  let inside = 0;

  const enter = (): Promise<void> | void => {
    if (inside < atOnce) {
      inside++;
      return;
    }
    return new Promise((resolve, reject) => {
      const come = () => {
        clearTimeout(timer);
        waiting.delete(come);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(come);
        reject(new Problem("unavailable", "The database is busy; try again shortly", { retryAfter: 1 }));
      }, patienceMs);
      waiting.add(come);
    });
  };
  const leave = () => {
    const [next] = waiting;
    if (next) next();
    else inside--;
  };

  return async <Row extends object>(name: string, params?: readonly unknown[]) => {
    await enter();
    try {
      return await query<Row>(name, params);
    } finally {
      leave();
    }
  };
};
