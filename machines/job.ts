/**
 * One generation, from the press to the stored picture.
 *
 *   state            entered when                             left when
 *   queued           created, rested, or its account pauses   start (a slot is free) · cancel · startDeadline · stalled
 *   active           started: it holds a slot                 as below; cancel and deadline are remembered
 *     submitting       the submit is on its way                 accepted · rejected · ambiguous · notSent · watchdog
 *     reconciling      the submit's outcome is not known        accepted · rejected · given up at the deadline
 *       settling         until a look makes sense                 settleDelay · nudge
 *       looking          the provider is asked for the attempt    accepted · rejected · unresolved · watchdog
 *     accepting        the provider took it                     at once: running, or canceling if not wanted any more
 *     running          the provider has it                      an end · cancel · deadline
 *       waiting          until pollAt                             pollDelay · nudge
 *       polling          one poll in flight (soft: no write)      polled · deferred · watchdog
 *     canceling        the provider is to stop                  cancelAnswered · it finished first
 *       asking           one cancel in flight                     cancelAnswered · watchdog
 *       pausing          the cancel's outcome is not known        pauseDelay
 *     unstoppable      the provider will not stop               at once: running, or timeout after the deadline
 *   failing          the attempt failed                       at once: queued, resting, moving, failed or canceled
 *   stopped          the provider stopped it                  at once: canceled if asked for, else timeout
 *   resting          a retryable failure                      retryDelay · cancel
 *   moving           another provider is to try              moveDelay, at once: in between it is in no queue · cancel
 *   ingesting        outputs are being stored                 ingested · ingestFailed for good · ingestLimit
 *     storing          one try in flight                        ingestFailed · watchdog
 *     pausing          until the next try                       pauseDelay
 *   succeeded · failed · timeout · canceled                   never
 *
 * Every state that waits for an answer has an `after`: a node that dies needs no other cleanup. The
 * deadline ends no job by itself: in `running` it asks for one last poll, elsewhere it is remembered
 * until the outcome is known, because an outage of ours must not throw away a paid picture.
 *
 * A nudge says that the provider has called: never what it said. It may come before the answer of the submit, or
 * instead of it; then the ref that a signed call proves is as good as that answer.
 */
import { and, emit, not, stateIn } from "xstate";
import { completionOf } from "./job.completion.ts";
import { type JobContext, jobContext, jobError, upstreamError } from "./job.context.ts";
import { jobSetup } from "./job.setup.ts";
import type { JobError, JobStatus, Polled } from "./job.words.ts";
import { defaultPolicy, type Policy } from "./policy.ts";
import { pauseFor } from "./retries.ts";
import { stampOf } from "./stamp.ts";
import type { Report } from "./step.ts";

const startTimeout = ({ waitingFor }: JobContext) =>
  jobError(
    "start_timeout",
    waitingFor === null ? "No slot became free in time" : `The provider account could not take it: ${waitingFor.code}`,
    true,
  );
const TIMED_OUT = jobError("timeout", "The provider did not finish in time", true);

// Typed readers of what an event carries.
const adoptedOf = ({ event }: { event: { ref: string; schedule?: number[] } }) => ({
  ref: event.ref,
  schedule: event.schedule ?? [],
});
const provenOf = ({ event }: { event: { ref?: string } }) => ({ ref: event.ref ?? "", schedule: [] });
const errorOf = ({ event }: { event: JobError }) => jobError(event.code, event.message, event.retryable);
const outcomeOf = ({ event }: { event: { outcome: Polled } }) => event.outcome;
const remoteOf = ({ event }: { event: { outcome: Polled } }) => ({
  outputs: event.outcome.kind === "completed" ? event.outcome.outputs : [],
});

/** A message to the job's batch, if it has one. */
const tellBatch = (status: JobStatus) => ({
  type: "tell" as const,
  params: ({ context, event }: { context: JobContext; event: object }) => ({
    to: context.batch === null ? [] : [context.batch],
    event: { type: "item", index: context.index, status, instant: stampOf(event).at },
  }),
});

/** What a rejection tells of the account: that it pauses, or that it is well enough to judge a request. */
const reportOf =
  (policy: Policy) =>
  ({ event }: { event: { code: string; afterMs: number } }): Report => {
    const pause = pauseFor(event.code, event.afterMs, policy);
    return pause === null ? { opens: true } : { pause };
  };

const refused = (policy: Policy) =>
  ({
    target: "#job.failing",
    actions: [
      { type: "recordError", params: errorOf },
      { type: "report", params: reportOf(policy) },
    ],
  }) as const;

/** What a submit, and a look for a lost one, can be answered with. */
const submitAnswers = (policy: Policy) =>
  ({
    accepted: { guard: "currentAttempt", target: "accepting", actions: { type: "adopt", params: adoptedOf } },
    rejected: { guard: "currentAttempt", ...refused(policy) },
    nudge: [
      { guard: "proven", target: "accepting", actions: [{ type: "adopt", params: provenOf }, "rememberNudge"] },
      { guard: and(["currentAttempt", not("nudged")]), actions: "rememberNudge" },
    ],
  }) as const;

/** Builds the machine for one policy; `jobMachine` has the defaults. */
export const createJobMachine = (policy: Policy) =>
  jobSetup(policy).createMachine({
    id: "job",
    context: ({ input }) => jobContext(policy, input),
    entry: emit({ type: "job.created" }),
    on: {
      // An acceptance for an attempt already given up: stop it upstream and say so.
      accepted: {
        guard: not("adopted"),
        actions: [
          { type: "abandon", params: ({ event }) => ({ ref: event.ref }) },
          emit(({ event }) => ({ type: "job.orphaned", ref: event.ref })),
        ],
      },
    },
    initial: "queued",
    states: {
      queued: {
        tags: "turn",
        after: {
          startDeadline: {
            target: "timeout",
            actions: {
              type: "recordError",
              params: ({ context }) => startTimeout(context),
            },
          },
        },
        on: {
          start: "active",
          stalled: { guard: "mayMoveOn", target: "moving", actions: "leave" },
          cancel: { target: "canceled", actions: "cancelBeforeStart" },
        },
      },

      active: {
        tags: "slot",
        entry: ["beginAttempt", emit({ type: "job.started" }), tellBatch("RUNNING")],
        after: {
          deadline: [
            {
              guard: stateIn({ active: { running: "waiting" } }),
              target: ".running.polling",
              actions: "expire",
            },
            { actions: "expire" },
          ],
        },
        // Remembered; acted on when the outcome of the submit is known.
        on: {
          cancel: {
            guard: not("cancelRequested"),
            actions: ["requestCancel", emit({ type: "job.cancel_requested" })],
          },
        },
        initial: "submitting",
        states: {
          submitting: {
            entry: {
              type: "submit",
              params: ({ context }) => ({
                attempt: context.attempt ?? "",
                deadline: context.timeoutAt ?? 0,
                submittedAt: context.submittedAt,
                model: context.model,
              }),
            },
            after: { submitWatchdog: { target: "reconciling", actions: "lookNow" } },
            on: {
              ...submitAnswers(policy),
              ambiguous: [
                { guard: and(["currentAttempt", "nudged"]), target: "reconciling.looking", actions: "resetTries" },
                { guard: "currentAttempt", target: "reconciling", actions: ["resetTries", "waitToLook"] },
              ],
              notSent: {
                guard: "currentAttempt",
                target: "#job.failing",
                actions: {
                  type: "recordError",
                  params: jobError("not_sent", "The submit was not sent in time", true),
                },
              },
            },
          },

          reconciling: {
            on: {
              ...submitAnswers(policy),
              // A look at an idempotent provider submits once more under the same key. After one, a late answer of the
              // submit itself that it may be tried again says nothing: the look's may be billed.
              rejected: [
                { guard: and(["currentAttempt", "refusesForGood"]), ...refused(policy) },
                {
                  guard: and(["currentAttempt", "notLooked", stateIn({ active: { reconciling: "settling" } })]),
                  ...refused(policy),
                },
              ],
              unresolved: [
                {
                  guard: and(["currentAttempt", "expired"]),
                  target: "#job.failed",
                  actions: {
                    type: "recordError",
                    params: jobError("submit_unknown", "Whether the provider took this could not be found out", false),
                  },
                },
                { guard: "currentAttempt", target: ".settling", actions: ["countTry", "waitToLook"] },
              ],
            },
            initial: "settling",
            states: {
              settling: {
                after: { settleDelay: "looking" },
                on: {
                  nudge: {
                    guard: and(["currentAttempt", not("proven")]),
                    target: "looking",
                    actions: ["rememberNudge", "resetTries"],
                  },
                },
              },
              looking: {
                entry: {
                  type: "look",
                  params: ({ context }) => ({
                    attempt: context.attempt ?? "",
                    deadline: context.timeoutAt ?? 0,
                    submittedAt: context.submittedAt,
                    model: context.model,
                  }),
                },
                after: {
                  lookWatchdog: {
                    target: "settling",
                    actions: ["countTry", "waitToLook"],
                  },
                },
              },
            },
          },

          // Passed through at once.
          accepting: {
            entry: [emit({ type: "job.accepted" }), { type: "report", params: { opens: true } }],
            always: [
              { guard: "cancelRequested", target: "canceling" },
              // The deadline has passed while nobody knew of it: it may be done. One last poll decides.
              { guard: "expired", target: "running.polling" },
              { target: "running" },
            ],
          },

          running: {
            exit: "forgetPoll",
            on: {
              // The account's rate did not allow it.
              deferred: { guard: "currentPoll", target: ".waiting", actions: "postponePoll" },
              polled: [
                {
                  guard: and(["currentPoll", "hasOutputs"]),
                  target: "#job.ingesting",
                  actions: [{ type: "rememberRemote", params: remoteOf }, "outrunCancel"],
                },
                { guard: and(["currentPoll", "unwanted", "stopped"]), target: "#job.stopped" },
                {
                  guard: and(["currentPoll", "unwanted", "stillGoing"]),
                  target: "canceling",
                  actions: { type: "noteOutcome", params: outcomeOf },
                },
                {
                  guard: and(["currentPoll", "moved"]),
                  target: ".waiting",
                  actions: [{ type: "noteOutcome", params: outcomeOf }, "noteTold", emit({ type: "job.progressed" })],
                },
                {
                  guard: and(["currentPoll", "stillGoing"]),
                  target: ".waiting",
                  actions: { type: "noteOutcome", params: outcomeOf },
                },
                {
                  guard: "currentPoll",
                  target: "#job.failing",
                  actions: {
                    type: "recordError",
                    params: ({ event }) => upstreamError(event.outcome),
                  },
                },
              ],
              cancel: {
                guard: not("cancelRequested"),
                target: "canceling",
                actions: ["requestCancel", emit({ type: "job.cancel_requested" })],
              },
            },
            initial: "waiting",
            states: {
              waiting: {
                entry: "planPoll",
                after: { pollDelay: "polling" },
                on: {
                  nudge: {
                    guard: and(["currentAttempt", not("prompted")]),
                    target: "waiting",
                    reenter: true,
                    actions: "rememberNudge",
                  },
                },
              },
              polling: {
                entry: [
                  "beginPoll",
                  {
                    type: "poll",
                    params: ({ context }) => ({
                      ref: context.ref ?? "",
                      n: context.polls,
                    }),
                  },
                ],
                after: { pollWatchdog: "waiting" },
                on: { nudge: { guard: and(["currentAttempt", not("nudged")]), actions: "rememberNudge" } },
              },
            },
          },

          canceling: {
            on: {
              cancelAnswered: [
                {
                  guard: "answeredCanceled",
                  target: "#job.stopped",
                },
                {
                  guard: and(["finishTriesLeft", "answeredFinished"]),
                  target: "running.polling",
                  actions: "countFinish",
                },
                { guard: and(["cancelTriesLeft", "answeredUnknown"]), target: ".pausing", actions: "countTry" },
                {
                  guard: and(["toldFinished", "finishTriesLeft", "answeredUnknown"]),
                  target: ".pausing",
                  actions: "countTry",
                },
                { target: "unstoppable" },
              ],
              // The answer of a poll that was in flight: it finished first.
              polled: {
                guard: and(["currentPoll", "hasOutputs"]),
                target: "#job.ingesting",
                actions: [{ type: "rememberRemote", params: remoteOf }, "outrunCancel"],
              },
            },
            initial: "asking",
            states: {
              asking: {
                entry: { type: "cancelUpstream", params: ({ context }) => ({ ref: context.ref ?? "" }) },
                // Whoever asked is gone: nobody answered, so it is no try.
                after: { cancelWatchdog: "pausing" },
              },
              pausing: { entry: "pause", after: { pauseDelay: "asking" } },
            },
          },

          // Passed through at once: the provider will not stop; the cost stands.
          unstoppable: {
            always: [
              {
                guard: "expired",
                target: "#job.timeout",
                actions: { type: "recordError", params: TIMED_OUT },
              },
              { target: "running", actions: ["failCancel", emit({ type: "job.cancel_failed" })] },
            ],
          },
        },
      },

      // Passed through at once.
      failing: {
        always: [
          {
            guard: "cancelRequested",
            target: "canceled",
            actions: "confirmCancel",
          },
          { guard: "movesAtOnce", target: "moving", actions: "leave" },
          { guard: "mustWait", target: "queued", actions: ["yieldTurn", emit({ type: "job.waiting" })] },
          { guard: "worthRetrying", target: "resting", actions: "rest" },
          { guard: "movesInTheEnd", target: "moving", actions: "leave" },
          { target: "failed" },
        ],
      },
      stopped: {
        always: [
          {
            guard: "cancelRequested",
            target: "canceled",
            actions: "confirmCancel",
          },
          { target: "timeout", actions: { type: "recordError", params: TIMED_OUT } },
        ],
      },

      resting: {
        entry: emit({ type: "job.retried" }),
        after: { retryDelay: { target: "queued", actions: "queueAgain" } },
        on: { cancel: { target: "canceled", actions: "cancelBeforeStart" } },
      },

      // A commit of its own, so that each account's row changes by itself: the slot or turn there, the turn here.
      moving: {
        after: { moveDelay: { target: "queued", actions: ["arrive", emit({ type: "job.moved" })] } },
        on: { cancel: { target: "canceled", actions: "cancelBeforeStart" } },
      },

      ingesting: {
        entry: emit(({ context, event }) => ({ type: "job.rendered", ...completionOf(context, stampOf(event).at) })),
        on: {
          // Also after the watchdog: what is stored is stored.
          ingested: {
            target: "succeeded",
            actions: {
              type: "keepOutputs",
              params: ({ event }) => ({ outputs: event.outputs }),
            },
          },
          cancel: { guard: not("cancelFailed"), actions: ["failCancel", emit({ type: "job.cancel_failed" })] },
        },
        after: {
          ingestLimit: {
            target: "failed",
            actions: {
              type: "recordError",
              params: jobError("ingest_failed", "The outputs could not be stored in time", false),
            },
          },
        },
        initial: "storing",
        states: {
          storing: {
            entry: { type: "ingest", params: ({ context }) => ({ outputs: context.remote }) },
            after: { ingestWatchdog: "pausing" },
            on: {
              ingestFailed: [
                { guard: and(["retryable", "ingestTriesLeft"]), target: "pausing", actions: "countTry" },
                { target: "#job.failed", actions: { type: "recordError", params: errorOf } },
              ],
            },
          },
          pausing: { entry: "pause", after: { pauseDelay: "storing" } },
        },
      },

      succeeded: { type: "final", entry: ["finish", emit({ type: "job.succeeded" }), tellBatch("SUCCEEDED")] },
      failed: { type: "final", entry: ["finish", "outrunCancel", emit({ type: "job.failed" }), tellBatch("FAILED")] },
      timeout: {
        type: "final",
        entry: ["finish", "outrunCancel", emit({ type: "job.timed_out" }), tellBatch("TIMEOUT")],
      },
      canceled: { type: "final", entry: ["finish", emit({ type: "job.canceled" }), tellBatch("CANCELED")] },
    },
  });

/** The machine with default times, for drawing and for tests. */
export const jobMachine = createJobMachine(defaultPolicy);
