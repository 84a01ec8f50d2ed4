/** The durable bus between the nodes: it keeps what it took, once, and tells every node of it, mostly. */
import { createLocalSubscriptions } from "../../src/bus/local.ts";
import type { Bus, Fact } from "../../src/ports.ts";
import type { Gate } from "./gate.ts";
import { ask, type World } from "./line.ts";

export type Broker = {
  /** The seqs that were taken, by stream, in the order in which they came. */
  taken: ReadonlyMap<string, ReadonlySet<number>>;
  /** The bus as a node has it. */
  connect(gate: Gate): Bus;
};

type Listener = (fact: Fact) => void;

export const createBroker = (world: World): Broker => {
  const { time, random, weather, trace } = world;
  const taken = new Map<string, Set<number>>();
  const listeners = new Set<Listener>();

  /** Each node hears of it in its own time, perhaps twice, perhaps never, perhaps after what came later. */
  const tell = (fact: Fact) => {
    for (const listener of listeners) {
      const { lostMessages, doubledMessages } = weather.rates();
      if (random.chance(lostMessages)) continue;
      const times = random.chance(doubledMessages) ? 2 : 1;
      for (let n = 0; n < times; n++) time.after(300 * random.next() ** 4, () => listener(fact));
    }
  };

  const take = (fact: Fact) => {
    const seqs = taken.get(fact.stream) ?? new Set();
    taken.set(fact.stream, seqs);
    trace.note("published", -1, `${fact.stream} ${fact.seq}`);
    // By its message id.
    seqs.add(fact.seq);
    tell(fact);
    return 1;
  };

  return {
    taken,
    connect: (gate) => {
      const local = createLocalSubscriptions();
      const listen: Listener = (fact) => gate.deliver(() => local.deliver(fact));
      listeners.add(listen);
      gate.onCrash(() => listeners.delete(listen));
      return {
        durable: true,
        announce: (facts) => facts.forEach(local.deliver),
        publish: async ([fact]) => {
          if (!fact) return 0;
          const mishap = () => {
            const lost = random.chance(weather.rates().lostAnswers);
            return lost ? { [random.chance(0.5) ? "before" : "after"]: new Error("no acknowledgement") } : {};
          };
          const happen = () => take(fact);
          return ask(world, gate, { name: "publish", happen, mishap }).catch(() => 0);
        },
        subscribe: (stream, listener) => local.add(stream, listener),
        storage: async () => ({ name: "the first", head: 0, lost: false }),
        exhibit: () => {},
        check: async () => {},
        close: async () => {},
      };
    },
  };
};
