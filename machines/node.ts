/**
 * The life of one node, from its boot to an orderly end.
 *
 *   state          entered when            left when
 *   starting       created                 it serves, or is to stop already
 *   ready          it serves               it is to stop
 *   draining       it is to stop           nothing is under way any more
 *     leaving      from then on            drainDelay: load balancers have noticed that it is not ready
 *     finishing    nobody new comes        what it had begun is done, or finishLimit
 *   stopped        nothing is under way    (final)
 *
 * It lives in memory, as a plain XState actor. While it leaves, it serves and works as ever, only its readiness fails.
 * While it finishes, it begins nothing by itself: timers, sweep and admission rest, streams end and come back
 * elsewhere, and what was sent to providers is waited for. What is not done then, other nodes find overdue.
 */
import { setup } from "xstate";
import type { NodeCommand } from "./node.words.ts";

export type NodePolicy = { drainDelayMs: number; finishLimitMs: number };

/** Builds the machine for one policy. The host gives it `finishWork`, and says `finished` when that is done. */
export const createNodeMachine = (policy: NodePolicy) =>
  setup({
    types: { events: {} as NodeCommand },
    actions: {
      // For the host.
      finishWork: () => {},
    },
    delays: { drainDelay: () => policy.drainDelayMs, finishLimit: () => policy.finishLimitMs },
  }).createMachine({
    id: "node",
    initial: "starting",
    states: {
      starting: { on: { started: "ready", stop: "draining" } },
      ready: { on: { stop: "draining" } },
      draining: {
        initial: "leaving",
        states: {
          leaving: { after: { drainDelay: "finishing" } },
          finishing: {
            entry: "finishWork",
            on: { finished: "#node.stopped" },
            after: { finishLimit: "#node.stopped" },
          },
        },
      },
      stopped: { type: "final" },
    },
  });

/** The machine with the default times, for drawing and for tests. */
export const nodeMachine = createNodeMachine({ drainDelayMs: 0, finishLimitMs: 11_000 });
