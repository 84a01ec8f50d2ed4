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
  /** Loses what it holds and keeps its name. */
  forget(): void;
};

export const createFakeBus = (): FakeBus => {
  let storage = new Map<string, Fact>();
  let generation = 1;
  let head = 0;
  /** The losses that were known before it forgot; null: it did not. */
  let forgot: number | "just now" | null = null;
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
        head = Math.max(head, target.size);
        taken++;
      }
      return taken;
    },
    storage: async (known) => {
      answer();
      const losses = known?.losses ?? 0;
      if (forgot === "just now") forgot = losses;
      if (forgot !== null && losses > forgot) forgot = null;
      return { name: String(generation), head, lost: forgot !== null };
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
      head = 0;
      generation++;
    },
    forget: () => {
      storage = new Map();
      head = 0;
      forgot = "just now";
    },
  };
  return bus;
};
