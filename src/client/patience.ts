import { isFailure } from "./failure.ts";

export type Patience = {
  /** How often something is tried before its failure counts. */
  tries: number;
  /** The first pause, ms; it doubles. */
  pauseMs: number;
  signal: AbortSignal;
};

const LONGEST_PAUSE_MS = 10_000;

/** Resolves after `ms`; rejects as soon as the signal aborts. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });

/** Tries until it succeeds, fails for good, or has been tried often enough; longer and longer pauses lie between. */
export const patiently = async <T>(attempt: () => Promise<T>, { tries, pauseMs, signal }: Patience): Promise<T> => {
  for (let tried = 1; ; tried++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error) || !error.retryable || tried >= tries) throw error;
      const wait = Math.min(LONGEST_PAUSE_MS, pauseMs * 2 ** (tried - 1)) * (0.5 + Math.random());
      await pause(Math.max(error.afterMs, wait), signal);
    }
  }
};
