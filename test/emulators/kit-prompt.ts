import type { Ending } from "./kit-runs.ts";

/** How a prompt says that its run shall end, for people who try things out: `a cat [fail]`. */
const ENDINGS: readonly [RegExp, Ending][] = [
  [/\[fail\]/i, { kind: "failed", message: "The model failed" }],
  [/\[timeout\]/i, { kind: "failed", message: "The model timed out" }],
  [/\[silent\]/i, { kind: "failed" }],
  [/\[moderate\]|\bnsfw\b/i, { kind: "moderated" }],
  [/\[empty\]/i, { kind: "completed", outputs: [] }],
  [/\[expired\]/i, { kind: "expired" }],
];

/** Completed, unless the prompt asks for another end: [fail] [timeout] [silent] [moderate] [empty] [expired]. */
export const endingIn = (prompt: unknown): Ending =>
  ENDINGS.find(([pattern]) => typeof prompt === "string" && pattern.test(prompt))?.[1] ?? { kind: "completed" };
