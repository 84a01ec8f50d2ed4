import type { Bus, Fact } from "../../src/ports.ts";

/** A durable bus in the test's hands: it refuses, holds back, and loses its storage when told to. */
export type FakeBus = Bus & {
  /** What its storage holds, in order; a fact that is published again is held once. */
  stored(): readonly Fact[];
  /** Everything that was sent, also again. */
  sent: Fact[];
  /** Seqs of one stream in the storage, in order. */
  seqs(stream: string): number[];
  refuse: (fact: Fact) => boolean;
  /** Stands before each publish. */
  hold: (fact: Fact) => Promise<void> | void;
  away: boolean;
  wipe(): void;
};

export const createFakeBus = (): FakeBus => {
  let storage = new Map<string, Fact>();
  let generation = 1;
  const answer = () => {
    if (bus.away) throw new Error("the bus is away");
  };
  const bus: FakeBus = {
    durable: true,
    announce: () => {},
    subscribe: () => () => {},
    publish: async (facts) => {
      let taken = 0;
      for (const fact of facts) {
        bus.sent.push(fact);
        // It answers for the storage that it was sent to.
        const target = storage;
        await bus.hold(fact);
        if (bus.away || bus.refuse(fact)) break;
        const id = `${fact.stream}:${fact.seq}`;
        if (!target.has(id)) target.set(id, fact);
        taken++;
      }
      return taken;
    },
    incarnation: async () => {
      answer();
      return String(generation);
    },
    exhibit: () => {},
    check: async () => answer(),
    close: async () => {},
    stored: () => [...storage.values()],
    sent: [],
    seqs: (stream) => [...storage.values()].filter((fact) => fact.stream === stream).map(({ seq }) => seq),
    refuse: () => false,
    hold: () => {},
    away: false,
    wipe: () => {
      storage = new Map();
      generation++;
    },
  };
  return bus;
};
