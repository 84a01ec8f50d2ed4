import type { Bus } from "../ports.ts";
import { createLocalSubscriptions } from "./local.ts";

/** The bus of a node alone: everyone who listens is in this process. */
export const createMemoryBus = (): Bus => {
  const local = createLocalSubscriptions();
  return {
    durable: false,
    announce: (facts) => facts.forEach(local.deliver),
    publish: async (facts) => facts.length,
    subscribe: (line, listener) => local.add(line, listener),
    exhibit: () => {},
    storage: async () => ({ name: "memory", head: 0, lost: false }),
    check: async () => {},
    close: async () => {},
  };
};
