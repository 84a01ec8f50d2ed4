/** What comes from outside at the wrong time, in the wrong order, to the wrong node, and twice. */
import type { Cluster } from "./cluster.ts";
import type { Order } from "./customers.ts";
import type { World } from "./line.ts";
import type { Bill } from "./upstream.ts";

type Command = { type: string } & Record<string, unknown>;

export type Noise = {
  /** An order was taken: somebody may change their mind, or a message may come from nowhere. */
  ordered(order: Order): void;
  /** A provider calls. */
  called(bill: Bill): void;
  /** An effect was answered: the answer may come once more. */
  answered(job: string, command: Command): void;
};

const PROVIDER_CALLS_FOR_MS = 30_000;

export const createNoise = (world: World, cluster: () => Cluster): Noise => {
  const { time, weather, trace } = world;
  const random = world.random.fork("noise");

  /** To any node; what becomes of it is nobody's concern. */
  const say = (to: string, command: Command) => {
    trace.note("say", -1, `${to} ${command.type}`);
    cluster()
      .call((node) => node.dispatch.send(to, command))
      .catch(() => {});
  };
  const later = (mostMs: number, to: string, command: Command) =>
    void time.after(mostMs * random.next() ** 2, () => say(to, command));

  return {
    ordered: ({ jobs, batch }) => {
      if (batch !== null && random.chance(0.1)) later(120_000, batch, { type: "cancel", jobs });
      for (const job of jobs) {
        if (random.chance(0.12)) {
          const times = random.chance(0.3) ? 2 : 1;
          for (let n = 0; n < times; n++) later(150_000, job, { type: "cancel" });
        }
        if (random.chance(0.05)) later(60_000, job, { type: "start" });
        if (random.chance(0.05)) later(60_000, job, { type: "nudge", attempt: "of-nobody", ref: "ref-of-nobody" });
        if (random.chance(0.05)) later(60_000, job, { type: "wake", mail: true });
        if (random.chance(0.02)) later(60_000, job, { type: "polled", n: 1, outcome: { kind: "canceled" } });
      }
    },
    called: ({ job, attempt, ref, provider }) => {
      if (provider === "idempotent") return;
      const { lostMessages, doubledMessages } = weather.rates();
      const times = random.chance(doubledMessages) ? 2 : 1;
      for (let n = 0; n < times; n++) {
        if (random.chance(lostMessages / 2)) continue;
        // Only a signed call proves the ref.
        const signed = random.chance(0.5) ? { ref } : {};
        later(PROVIDER_CALLS_FOR_MS, job, { type: "nudge", attempt, ...signed });
      }
    },
    answered: (job, command) => {
      if (random.chance(weather.rates().doubledMessages / 10)) later(60_000, job, command);
    },
  };
};
