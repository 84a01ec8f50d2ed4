import { createActor, waitFor } from "xstate";
import { createNodeMachine, type NodePolicy } from "../../machines/node.ts";
import { stateName } from "../../machines/step.ts";
import type { Log } from "../log.ts";
import type { Clock } from "../ports.ts";
import { machineClock } from "./machine-clock.ts";

/** The life of this node: whether it is ready, and how it comes to an orderly end. */
export type Life = {
  started(): void;
  ready(): boolean;
  /** Leaves, then finishes its work. Resolves when it has stopped; the same for every call. */
  drain(): Promise<void>;
};

/**
 * Runs the machine of a node. `finishWork` begins nothing new and resolves when what was begun is done; it is waited
 * for up to the policy's limit. `observe` is told of every state, by its path, e.g. `draining.leaving`.
 */
export const createLife = (deps: {
  policy: NodePolicy;
  clock: Clock;
  finishWork(): Promise<void>;
  observe(state: string): void;
  log: Log;
}): Life => {
  const { policy, clock, log } = deps;
  const finish = () =>
    deps
      .finishWork()
      .catch((error) => log.warn({ err: error }, "not everything could be finished; other nodes take it over"))
      .finally(() => actor.send({ type: "finished" }));
  const machine = createNodeMachine(policy).provide({ actions: { finishWork: () => void finish() } });
  const actor = createActor(machine, { clock: machineClock(clock) });
  actor.subscribe(({ value }) => deps.observe(stateName(value)));
  actor.start();
  const stopped = waitFor(actor, ({ status }) => status === "done").then(() => undefined);
  return {
    started: () => actor.send({ type: "started" }),
    ready: () => actor.getSnapshot().matches("ready"),
    drain: () => {
      actor.send({ type: "stop" });
      return stopped;
    },
  };
};
