import { createHash } from "node:crypto";
import type { Time } from "./time.ts";

/** All that happened, as one hash: two runs of one seed must come to the same. */
export type Trace = { note(what: string, node: number, more: unknown): void; hash(): string };

export const createTrace = (time: Time): Trace => {
  const hash = createHash("sha256");
  return {
    note: (what, node, more) => void hash.update(`${time.now()} ${node} ${what} ${more}\n`),
    hash: () => hash.copy().digest("hex"),
  };
};
