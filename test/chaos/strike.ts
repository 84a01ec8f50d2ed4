/** Carries out the faults of a schedule, and counts what was really done. */
import { setTimeout as wait } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";
import type { Way } from "./proxy.ts";
import type { Cut, Fault, Planned } from "./schedule.ts";

export type Struck = { kills: number; pauses: number; cuts: number; restarts: number; lostAnswers: number };

/** Of a cut of so many ms: each passage takes a twentieth of it longer. */
const SLOW_SHARE = 1 / 20;

const cutOff = (way: Way, cut: Cut, ms: number) => {
  switch (cut.how) {
    case "slow":
      return way.slow(ms * SLOW_SHARE);
    case "reset":
      return way.reset();
    case "shut":
      return way.shut();
    case "forget":
      return way.forget();
    case "swallow":
      return way.swallow(cut.direction);
  }
};

export const createStrikes = (cluster: Cluster) => {
  const struck: Struck = { kills: 0, pauses: 0, cuts: 0, restarts: 0, lostAnswers: 0 };
  const underWay: Promise<unknown>[] = [];
  /** Cuts of one way may overlap: it heals after the last. */
  const cuts = new Map<Way, number>();

  const cut = async (way: Way, { cut, ms }: { cut: Cut; ms: number }) => {
    cuts.set(way, (cuts.get(way) ?? 0) + 1);
    cutOff(way, cut, ms);
    await wait(ms);
    const left = (cuts.get(way) ?? 1) - 1;
    cuts.set(way, left);
    if (left === 0) way.heal();
  };

  const strike = async (fault: Fault): Promise<unknown> => {
    const node = "node" in fault ? cluster.nodes[fault.node] : undefined;
    switch (fault.kind) {
      case "kill":
        if (await node?.kill()) struck.kills++;
        return;
      case "pause":
        struck.pauses++;
        return node?.pause(fault.ms);
      case "stop":
        struck.restarts++;
        return node?.stop();
      case "cut":
        struck.cuts++;
        return node && cut(node.ways[fault.way], fault);
      case "postgres":
        struck.restarts++;
        return fault.how === "crash" ? cluster.crashPostgres() : cluster.stopPostgres(fault.ms);
      case "nats":
        struck.restarts++;
        return fault.how === "wipe" ? cluster.wipeNats() : cluster.killNats(fault.ms);
      case "answers": {
        struck.lostAnswers += fault.count;
        const { provider, on, how, count: times } = fault;
        return cluster.targets[provider]?.emulator.faults.add({ on, how, times });
      }
    }
  };

  return {
    struck,
    /** Lets it all happen at its time. Resolves when the last fault has begun. */
    run: async (plan: readonly Planned[]) => {
      const began = performance.now();
      for (const fault of plan) {
        await wait(Math.max(0, began + fault.at - performance.now()));
        underWay.push(strike(fault));
      }
    },
    /** Resolves when nothing is broken any more. */
    heal: async () => {
      await Promise.all(underWay);
      for (const { emulator } of cluster.targets) emulator.faults.clear();
      for (const { ways } of cluster.nodes) for (const way of Object.values(ways)) way.heal();
    },
  };
};
