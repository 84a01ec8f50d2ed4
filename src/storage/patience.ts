const PAUSE_MS = 200;

/** Asks again until the answer is good or `ms` have passed; the last answer is the answer. */
export const patiently = async <T>(ask: () => Promise<T>, isGood: (answer: T) => boolean, ms: number): Promise<T> => {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (isGood(answer) || performance.now() + PAUSE_MS > end) return answer;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
};
