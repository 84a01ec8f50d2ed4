/**
 * The way to one provider, as one node sees it: is it worth sending something there?
 *
 *   state      entered when                                left when
 *   closed     created, or a submit was answered again     too many calls in a row failed
 *   open       the account pauses for the cool-down        coolDown
 *   halfOpen   it has cooled down                          a submit is answered, or fails
 *
 * A failure is a call without an answer that can be read: refused, reset, too late, 5xx. A refusal, a moderated or a
 * failed generation are answers. Polls are heard too, and go on whatever the state; but only a submit closes it.
 *
 * It lives in memory, as a plain XState actor. What it does to the world is the pause of the account's row: while
 * that lasts no node submits, and after it the row lets exactly one probe through, over all nodes.
 */
import { assign, setup } from "xstate";
import { backoff } from "./backoff.ts";
import type { BreakerCommand } from "./breaker.words.ts";

/** `failures`: submits in a row; polls are many, so four times as many of those. */
export type BreakerPolicy = { failures: number; coolDownMs: number };

const CHECKS_PER_SUBMIT = 4;
const LONGEST_MS = 300_000;

export type BreakerContext = {
  /** Calls that failed since the last one of their kind that did not. */
  submits: number;
  checks: number;
  /** How often it opened since it was last closed. */
  trips: number;
};

/** How long the breaker that opens for the `trips`-th time stays open. */
const coolDown = ({ coolDownMs }: BreakerPolicy, { trips }: BreakerContext) =>
  backoff({ minMs: coolDownMs, maxMs: Math.max(coolDownMs, LONGEST_MS), factor: 2, jitter: 0 }, trips - 1, 0.5);

/** Builds the machine for one policy. The host gives it `pauseAccount`. */
export const createBreakerMachine = (policy: BreakerPolicy) =>
  setup({
    types: { context: {} as BreakerContext, events: {} as BreakerCommand },
    actions: {
      // For the host.
      pauseAccount: (_, _params: { ms: number }) => {},
      // Bookkeeping.
      count: assign(({ context, event }) =>
        event.call === "submit" ? { submits: context.submits + 1 } : { checks: context.checks + 1 },
      ),
      forgive: assign(({ event }) => (event.call === "submit" ? { submits: 0 } : { checks: 0 })),
      trip: assign({ submits: 0, checks: 0, trips: ({ context }) => context.trips + 1 }),
      recover: assign({ submits: 0, checks: 0, trips: 0 }),
    },
    delays: { coolDown: ({ context }) => coolDown(policy, context) },
    guards: {
      lastStraw: ({ context, event }) =>
        event.call === "submit"
          ? context.submits + 1 >= policy.failures
          : context.checks + 1 >= policy.failures * CHECKS_PER_SUBMIT,
      ofSubmit: ({ event }) => event.call === "submit",
    },
  }).createMachine({
    id: "breaker",
    context: () => ({ submits: 0, checks: 0, trips: 0 }),
    initial: "closed",
    states: {
      closed: {
        on: {
          failed: [{ guard: "lastStraw", target: "open" }, { actions: "count" }],
          answered: { actions: "forgive" },
        },
      },
      open: {
        entry: ["trip", { type: "pauseAccount", params: ({ context }) => ({ ms: coolDown(policy, context) }) }],
        after: { coolDown: "halfOpen" },
      },
      halfOpen: {
        on: {
          answered: { guard: "ofSubmit", target: "closed", actions: "recover" },
          failed: { guard: "ofSubmit", target: "open" },
        },
      },
    },
  });

/** The machine with the default times, for drawing and for tests. */
export const breakerMachine = createBreakerMachine({ failures: 5, coolDownMs: 10_000 });
