import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";

/** Waits for a condition, looking again and again. Fails the test after `ms`. */
export const until = async (condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> => {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) assert.fail(`not so within ${ms} ms: ${condition}`);
    await wait(2);
  }
};
