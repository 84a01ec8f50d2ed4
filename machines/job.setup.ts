import { assign, setup } from "xstate";
import { backoff } from "./backoff.ts";
import type { Completion } from "./job.completion.ts";
import type { JobContext } from "./job.context.ts";
import type { JobCommand, JobError, JobFact, JobInput, Polled, RemoteOutput, StoredOutput } from "./job.words.ts";
import {
  CANCEL_TRIES,
  FINISH_TRIES,
  INGEST_LIMIT_MS,
  INGEST_TRIES,
  LOOK,
  NUDGE_GAP_MS,
  type Policy,
  RETRY,
  WATCHDOG_MARGIN_MS,
} from "./policy.ts";
import { mayTryElsewhere, pauseFor, verdictOn } from "./retries.ts";
import { scheduledWait } from "./schedule.ts";
import { type Stamp, stampOf } from "./stamp.ts";
import type { Report } from "./step.ts";

const at = (event: object) => stampOf(event).at;
const draw = (event: object) => stampOf(event).draw;
/** How long its account pauses after this error, ms. */
const pauseAfter = (context: JobContext, event: object, policy: Policy) =>
  pauseFor(context.error?.code ?? "", "afterMs" in event ? Number(event.afterMs) : 0, policy)?.ms ?? 0;
/** The best alternative, of those that are known to let something through if that is known. */
const pick = ({ alternatives }: JobContext, event: JobCommand) =>
  event.type === "stalled" ? alternatives.find(({ account }) => event.open.includes(account)) : alternatives[0];

/** What the job's chart is written with: its types, effects, bookkeeping, delays and guards. */
export const jobSetup = (policy: Policy) =>
  setup({
    types: {
      context: {} as JobContext,
      input: {} as JobInput & Stamp,
      events: {} as JobCommand,
      emitted: {} as { type: JobFact; ref?: string } & Partial<Completion>,
      tags: {} as "turn" | "slot",
    },
    actions: {
      // Effects: data until the commit, executed by actors/effects after it.
      submit: (_, _params: { attempt: string; deadline: number; submittedAt: number; model: string }) => {},
      look: (_, _params: { attempt: string; deadline: number; submittedAt: number; model: string }) => {},
      poll: (_, _params: { ref: string; n: number }) => {},
      cancelUpstream: (_, _params: { ref: string }) => {},
      abandon: (_, _params: { ref: string }) => {},
      ingest: (_, _params: { outputs: RemoteOutput[] }) => {},
      tell: (
        _,
        _params: {
          to: string[];
          event: { type: string } & Record<string, unknown>;
        },
      ) => {},
      report: (_, _params: Report) => {},
      // Bookkeeping.
      beginAttempt: assign({
        attempts: ({ context }) => context.attempts + 1,
        attempt: ({ event }) => stampOf(event).id,
        submittedAt: ({ event }) => at(event),
        goingAt: ({ event }) => at(event),
        schedule: [],
        startedAt: ({ context, event }) => context.startedAt ?? at(event),
        timeoutAt: ({ context, event }) => at(event) + context.timeoutMs,
        expired: false,
        ref: null,
        nudged: false,
        prompted: false,
        error: null,
        waitingFor: null,
      }),
      adopt: assign({
        ref: (_, params: { ref: string; schedule: number[] }) => params.ref,
        schedule: (_, params) => params.schedule,
        pollsBefore: ({ context }) => context.polls,
        tries: 0,
      }),
      planPoll: assign({
        // What is planned stays planned; a nudge only brings it forward.
        pollAt: ({ context, event }) => {
          const pace = context.webhook ? policy.safetyNet : policy.poll;
          const wait =
            context.webhook || context.schedule.length === 0
              ? backoff(pace, context.polls - context.pollsBefore, draw(event))
              : scheduledWait(context.schedule, pace, at(event) - context.submittedAt, draw(event));
          const planned = context.pollAt ?? at(event) + wait;
          return context.nudged ? Math.min(planned, Math.max(at(event), context.polledAt + NUDGE_GAP_MS)) : planned;
        },
        prompted: ({ context }) => context.nudged,
        nudged: false,
      }),
      forgetPoll: assign({ pollAt: null, nudged: false }),
      rememberNudge: assign({ nudged: true }),
      beginPoll: assign({
        polls: ({ context }) => context.polls + 1,
        polledAt: ({ event }) => at(event),
        // The last one before the deadline, or after a cancel, was not planned.
        prompted: ({ context }) => context.pollAt !== null && context.prompted,
        pollAt: null,
      }),
      /** It was not sent, so it counts for nothing. */
      postponePoll: assign({
        pollAt: ({ event }) => at(event) + ("afterMs" in event ? event.afterMs : 0),
        pollsBefore: ({ context }) => context.pollsBefore + 1,
      }),
      noteOutcome: assign({
        goingAt: ({ context }, outcome: Polled) => (outcome.kind === "unknown" ? context.goingAt : context.polledAt),
        phase: ({ context }, outcome: Polled) => (outcome.kind === "running" ? "running" : context.phase),
        position: (_, outcome: Polled) => (outcome.kind === "queued" ? (outcome.position ?? null) : null),
        progress: ({ context }, outcome: Polled) =>
          outcome.kind === "running" ? (outcome.progress ?? context.progress) : context.progress,
      }),
      noteTold: assign({ told: ({ context }) => context.progress ?? 0 }),
      resetTries: assign({ tries: 0 }),
      countTry: assign({ tries: ({ context }) => context.tries + 1 }),
      /** Beyond what answers that got lost can come to: from then on those, too, have all the tries that there are. */
      countFinish: assign({ tries: ({ context }) => Math.max(context.tries, CANCEL_TRIES - 1) + 1 }),
      waitToLook: assign({
        until: ({ context, event }) => at(event) + backoff(LOOK, context.tries, draw(event)),
      }),
      lookNow: assign({ until: ({ event }) => at(event), tries: 0 }),
      pause: assign({
        until: ({ context, event }) => at(event) + backoff(RETRY, context.tries, draw(event)),
      }),
      rest: assign({
        until: ({ context, event }) =>
          at(event) +
          Math.max(
            "afterMs" in event ? event.afterMs : 0,
            backoff(RETRY, context.attempts - context.attemptsBefore - 1, draw(event)),
          ),
        phase: "queued",
        position: null,
        progress: null,
        told: 0,
      }),
      /** Back into the queue with all of its tries, and with what is left of the time to start. */
      yieldTurn: assign({
        attempts: ({ context }) => context.attempts - 1,
        timeoutAt: null,
        expired: false,
        waitingFor: ({ context, event }) => ({
          code: context.error?.code ?? "",
          until: at(event) + pauseAfter(context, event, policy),
        }),
        error: null,
      }),
      /** On the way to another provider; what was accepted at this one has had its time, the next gets its own. */
      leave: assign({
        next: ({ context, event }) => pick(context, event) ?? null,
        alternatives: ({ context, event }) => context.alternatives.filter((each) => each !== pick(context, event)),
        startBy: ({ context, event }) => (context.ref === null ? context.startBy : at(event) + policy.startTimeoutMs),
        until: ({ event }) => at(event),
        attemptsBefore: ({ context }) => context.attempts,
        timeoutAt: null,
        expired: false,
        phase: "queued",
        position: null,
        progress: null,
        told: 0,
      }),
      arrive: assign(({ context: { next } }) =>
        next === null
          ? {}
          : {
              account: next.account,
              model: next.model,
              timeoutMs: next.timeoutMs,
              webhook: next.webhook,
              next: null,
              waitingFor: null,
            },
      ),
      queueAgain: assign({
        startBy: ({ event }) => at(event) + policy.startTimeoutMs,
        timeoutAt: null,
      }),
      expire: assign({ expired: true, tries: 0 }),
      requestCancel: assign({ cancel: "cancel_requested", tries: 0 }),
      cancelBeforeStart: assign({ cancel: "canceled_before_start" }),
      /** Without a ref nothing ever started upstream. */
      confirmCancel: assign({
        cancel: ({ context }) => (context.ref === null ? "canceled_before_start" : "canceled_upstream"),
      }),
      failCancel: assign({ cancel: "cancel_failed" }),
      /** It ended otherwise before a requested cancel could reach it. */
      outrunCancel: assign({
        cancel: ({ context }) => (context.cancel === "cancel_requested" ? "cancel_failed" : context.cancel),
      }),
      recordError: assign({ error: (_, params: JobError) => params }),
      rememberRemote: assign({
        remote: (_, params: { outputs: RemoteOutput[] }) => params.outputs,
        progress: 1,
        ingestBy: ({ event }) => at(event) + INGEST_LIMIT_MS,
        tries: 0,
      }),
      keepOutputs: assign({
        outputs: (_, params: { outputs: StoredOutput[] }) => params.outputs,
        remote: [],
      }),
      finish: assign({ finishedAt: ({ event }) => at(event) }),
    },
    delays: {
      startDeadline: ({ context, event }) => context.startBy - at(event),
      deadline: ({ context, event }) => (context.timeoutAt ?? 0) - at(event),
      pollDelay: ({ context, event }) => (context.pollAt ?? 0) - at(event),
      settleDelay: ({ context, event }) => context.until - at(event),
      retryDelay: ({ context, event }) => context.until - at(event),
      pauseDelay: ({ context, event }) => context.until - at(event),
      moveDelay: ({ context, event }) => context.until - at(event),
      // Fixed watchdogs count from the entry, whose instant is in the event: still absolute once stored.
      submitWatchdog: () => policy.notAfterMs + policy.submitTimeoutMs + WATCHDOG_MARGIN_MS,
      lookWatchdog: () => policy.notAfterMs + policy.submitTimeoutMs + WATCHDOG_MARGIN_MS,
      pollWatchdog: () => policy.notAfterMs + policy.pollTimeoutMs + WATCHDOG_MARGIN_MS,
      cancelWatchdog: () => policy.notAfterMs + policy.cancelTimeoutMs + WATCHDOG_MARGIN_MS,
      ingestLimit: ({ context, event }) => context.ingestBy - at(event),
      ingestWatchdog: () => policy.notAfterMs + policy.ingestTimeoutMs + WATCHDOG_MARGIN_MS,
    },
    guards: {
      currentAttempt: ({ context, event }) => "attempt" in event && event.attempt === context.attempt,
      refusesForGood: ({ event }) => event.type === "rejected" && verdictOn(event) === "fail",
      /** In `settling`: every look that came to nothing was counted. */
      notLooked: ({ context }) => context.tries === 0,
      /** Of the current attempt, and the provider's word for what it calls it. */
      proven: ({ context, event }) =>
        event.type === "nudge" && event.attempt === context.attempt && event.ref !== undefined,
      nudged: ({ context }) => context.nudged,
      prompted: ({ context }) => context.prompted,
      /** Heard of before. The attempt alone would not do: it stays the current one after it was given up. */
      adopted: ({ context, event }) => "ref" in event && event.ref === context.ref,
      currentPoll: ({ context, event }) => "n" in event && event.n === context.polls,
      cancelRequested: ({ context }) => context.cancel === "cancel_requested",
      cancelFailed: ({ context }) => context.cancel === "cancel_failed",
      expired: ({ context }) => context.expired,
      unwanted: ({ context }) => context.expired || context.cancel === "cancel_requested",
      worthRetrying: ({ context }) =>
        context.error !== null &&
        verdictOn(context.error) === "retry" &&
        context.attempts - context.attemptsBefore <= policy.retryLimit &&
        !context.expired,
      /** Its account has let nothing through for long, and another one does. */
      mayMoveOn: ({ context, event }) => pick(context, event) !== undefined,
      /** Nothing was accepted here, and nothing will be for long: no use waiting. */
      movesAtOnce: ({ context, event }) =>
        context.error !== null &&
        context.ref === null &&
        context.alternatives.length > 0 &&
        mayTryElsewhere(context.error) &&
        (verdictOn(context.error) === "fail" ||
          (verdictOn(context.error) === "wait" && pauseAfter(context, event, policy) >= policy.failoverAfterMs)),
      /** Has failed here for certain, as often as it may. */
      movesInTheEnd: ({ context }) =>
        context.error !== null &&
        context.alternatives.length > 0 &&
        !context.expired &&
        mayTryElsewhere(context.error) &&
        verdictOn(context.error) !== "wait",
      /** The account could not take it. What was once accepted may have been billed, so that does not just wait. */
      mustWait: ({ context }) => context.error !== null && context.ref === null && verdictOn(context.error) === "wait",
      retryable: ({ event }) => "retryable" in event && event.retryable,
      answeredCanceled: ({ event }) => event.type === "cancelAnswered" && event.outcome === "canceled",
      answeredFinished: ({ event }) => event.type === "cancelAnswered" && event.outcome === "already_finished",
      answeredUnknown: ({ event }) => event.type === "cancelAnswered" && event.outcome === "unknown",
      hasOutputs: ({ event }) =>
        event.type === "polled" && event.outcome.kind === "completed" && event.outcome.outputs.length > 0,
      stopped: ({ event }) => event.type === "polled" && event.outcome.kind === "canceled",
      stillGoing: ({ event }) =>
        event.type === "polled" && ["queued", "running", "unknown"].includes(event.outcome.kind),
      moved: ({ context, event }) =>
        event.type === "polled" &&
        event.outcome.kind === "running" &&
        (context.phase !== "running" || Math.round(((event.outcome.progress ?? 0) - context.told) * 1000) >= 50),
      cancelTriesLeft: ({ context }) => context.tries + 1 < CANCEL_TRIES,
      toldFinished: ({ context }) => context.tries >= CANCEL_TRIES,
      /** Who says that it has finished has a picture to show: worth more tries, though not all there are. */
      finishTriesLeft: ({ context }) => context.tries + 1 < CANCEL_TRIES - 1 + FINISH_TRIES,
      ingestTriesLeft: ({ context }) => context.tries + 1 < INGEST_TRIES,
    },
  });
