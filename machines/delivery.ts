/**
 * One event on its way to one endpoint of a user, until the receiver has taken it.
 *
 *   state      entered when                                      left when
 *   pending    created · a wait is over · it was not sent        it is its turn · a late answer says that it has arrived
 *   sending    it is its turn                                    answered · unanswered · not sent · dropped · watchdog
 *   judging    a try ended                                       at once: by its outcome, and by how many there were
 *   waiting    the try failed                                    after backoff · redeliver · a late answer as above
 *   succeeded  the receiver answered 2xx                         never
 *   failed     it answered 410, or the last try failed           never
 *   canceled   there is nothing to send any more                 never
 *
 * A try whose outcome is not known is made again: the receiver knows what it has had by the event's id.
 */
import { assign, emit, or, setup } from "xstate";
import { backoff } from "./backoff.ts";
import type {
  Delivered,
  DeliveryCommand,
  DeliveryFact,
  DeliveryInput,
  DeliveryStatus,
  DeliveryView,
  Try,
} from "./delivery.words.ts";
import { defaultPolicy, type Policy, WATCHDOG_MARGIN_MS } from "./policy.ts";
import { type Stamp, stampOf } from "./stamp.ts";

const GONE = 410;

export type DeliveryContext = {
  event: Delivered;
  redeliveryOf: string | null;
  createdAt: number;
  /** How often it was started; an answer to another start is stale. */
  starts: number;
  startedAt: number;
  /** Those that were sent, or may have been. */
  tries: Try[];
  /** The receiver wants to be left alone for so long. */
  askedMs: number;
  /** When the next try is due. */
  dueAt: number | null;
  error: string | null;
  finishedAt: number | null;
};

const NOTHING: Delivered = { id: "", type: "", stream: "", seq: null };
const isTaken = (status: number | null | undefined) => Math.floor((status ?? 0) / 100) === 2;

/** How a try ended. When nobody says so, the node that made it is gone: all that is known is when it began. */
const tryOf = ({ startedAt }: DeliveryContext, event: DeliveryCommand): Try => {
  const { at } = stampOf(event);
  if (event.type === "answered")
    return { at: at - event.ms, ms: event.ms, status: event.status, code: null, response: event.response };
  if (event.type === "unanswered")
    return { at: at - event.ms, ms: event.ms, status: null, code: event.code, response: null };
  return { at: startedAt, ms: at - startedAt, status: null, code: "interrupted", response: null };
};

/** Builds the machine for one policy; `deliveryMachine` has the defaults. */
export const createDeliveryMachine = (policy: Policy) =>
  setup({
    types: {
      context: {} as DeliveryContext,
      input: {} as DeliveryInput & Stamp,
      events: {} as DeliveryCommand,
      emitted: {} as { type: DeliveryFact },
    },
    actions: {
      deliver: (_, _params: { n: number; event: Delivered }) => {},
      begin: assign({
        starts: ({ context }) => context.starts + 1,
        startedAt: ({ event }) => stampOf(event).at,
      }),
      note: assign({
        tries: ({ context, event }) => [...context.tries, tryOf(context, event)],
        askedMs: ({ event }) => (event.type === "answered" ? event.afterMs : 0),
      }),
      plan: assign({
        dueAt: ({ context, event }) => {
          const { at, draw } = stampOf(event);
          return at + Math.max(context.askedMs, backoff(policy.delivery, context.tries.length - 1, draw));
        },
      }),
      forgetPlan: assign({ dueAt: null }),
      giveUp: assign({ error: (_, params: { code: string }) => params.code }),
      finish: assign({ finishedAt: ({ event }) => stampOf(event).at }),
    },
    guards: {
      isCurrent: ({ context, event }) => "n" in event && event.n === context.starts,
      isAnswered2xx: ({ event }) => event.type === "answered" && isTaken(event.status),
      wasTaken: ({ context }) => isTaken(context.tries.at(-1)?.status),
      isGone: ({ context }) => context.tries.at(-1)?.status === GONE,
      isLast: ({ context }) => context.tries.length > policy.deliveryRetries,
    },
    delays: {
      backoff: ({ context, event }) => (context.dueAt ?? 0) - stampOf(event).at,
      deliverWatchdog: () => policy.notAfterMs + policy.deliverTimeoutMs + WATCHDOG_MARGIN_MS,
    },
  }).createMachine({
    id: "delivery",
    context: ({ input }) => ({
      event: input?.event ?? NOTHING,
      redeliveryOf: input?.redeliveryOf ?? null,
      createdAt: input?.at ?? 0,
      starts: 0,
      startedAt: 0,
      tries: [],
      askedMs: 0,
      dueAt: null,
      error: null,
      finishedAt: null,
    }),
    initial: "pending",
    states: {
      pending: {
        on: {
          start: "sending",
          answered: {
            guard: "isAnswered2xx",
            target: "judging",
            actions: "note",
          },
        },
      },
      sending: {
        entry: ["begin", { type: "deliver", params: ({ context }) => ({ n: context.starts, event: context.event }) }],
        after: { deliverWatchdog: { target: "judging", actions: "note" } },
        on: {
          answered: {
            guard: or(["isCurrent", "isAnswered2xx"]),
            target: "judging",
            actions: "note",
          },
          unanswered: {
            guard: "isCurrent",
            target: "judging",
            actions: "note",
          },
          notSent: { guard: "isCurrent", target: "pending" },
          dropped: { target: "canceled", actions: { type: "giveUp", params: ({ event }) => ({ code: event.code }) } },
        },
      },
      // Passed through at once.
      judging: {
        always: [
          { guard: "wasTaken", target: "succeeded" },
          { guard: "isGone", target: "failed", actions: { type: "giveUp", params: { code: "gone" } } },
          { guard: "isLast", target: "failed", actions: { type: "giveUp", params: { code: "exhausted" } } },
          { target: "waiting" },
        ],
      },
      waiting: {
        entry: "plan",
        exit: "forgetPlan",
        after: { backoff: "pending" },
        on: {
          redeliver: "pending",
          answered: {
            guard: "isAnswered2xx",
            target: "judging",
            actions: "note",
          },
        },
      },
      succeeded: { type: "final", entry: "finish" },
      failed: { type: "final", entry: ["finish", emit({ type: "delivery.failed" })] },
      canceled: { type: "final", entry: "finish" },
    },
  });

/** The machine with default times, for drawing and for tests. */
export const deliveryMachine = createDeliveryMachine(defaultPolicy);

const WORDS: Record<string, DeliveryStatus> = { succeeded: "SUCCEEDED", failed: "FAILED", canceled: "CANCELED" };

export const deliveryView = (state: string, context: DeliveryContext): DeliveryView => ({
  status: WORDS[state] ?? (context.tries.length > 0 ? "RETRYING" : "PENDING"),
  state,
  event: context.event,
  redelivery_of: context.redeliveryOf,
  tries: context.tries.length,
  response_status: context.tries.at(-1)?.status ?? null,
  error: context.error,
  created_at: context.createdAt,
  next_try_at: context.dueAt,
  finished_at: context.finishedAt,
});
