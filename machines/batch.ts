/**
 * The jobs of one request. It hears of them by tells and folds all that wait in its inbox in one step.
 *
 *   state     entered when            left when
 *   queued    created                 a job starts or ends
 *   running   a job started           a job ends
 *   judging   a job ended             at once: running, or the word that fits when all ended
 *   succeeded · partial · failed · timeout · canceled    never
 *
 * It needs no watchdog: every job ends by its own deadlines and tells in the commit that ends it.
 */
import { and, assign, emit, not, setup } from "xstate";
import type { BatchCommand, BatchFact, BatchInput, BatchView } from "./batch.words.ts";
import { type Stamp, stampOf } from "./stamp.ts";

const ENDS = ["SUCCEEDED", "FAILED", "TIMEOUT", "CANCELED"] as const;
type End = (typeof ENDS)[number];

export type BatchContext = {
  count: number;
  createdAt: number;
  startedAt: number | null;
  /** When the first job succeeded: the end of the time to first item. */
  firstItemAt: number | null;
  finishedAt: number | null;
  cancelRequested: boolean;
  /** How each job ended, by index; a doubled tell changes nothing. */
  ends: Record<number, End>;
};

/** Counts of the jobs that ended, by word. */
export const tally = (ends: Record<number, End>): Record<End, number> => {
  const counts = { SUCCEEDED: 0, FAILED: 0, TIMEOUT: 0, CANCELED: 0 };
  for (const end of Object.values(ends)) counts[end]++;
  return counts;
};

const isEnd = (status: string): status is End => (ENDS as readonly string[]).includes(status);
const allAre = (context: BatchContext, end: End) => tally(context.ends)[end] === context.count;

export const batchMachine = setup({
  types: {
    context: {} as BatchContext,
    input: {} as BatchInput & Stamp,
    events: {} as BatchCommand,
    emitted: {} as { type: BatchFact },
  },
  actions: {
    tell: (_, _params: { to: string[]; event: { type: string } }) => {},
    start: assign({ startedAt: ({ context, event }) => context.startedAt ?? stampOf(event).at }),
    note: assign({
      ends: ({ context, event }) =>
        event.type === "item" && isEnd(event.status) ? { ...context.ends, [event.index]: event.status } : context.ends,
      firstItemAt: ({ context, event }) =>
        event.type === "item" && event.status === "SUCCEEDED"
          ? Math.min(context.firstItemAt ?? Infinity, event.instant)
          : context.firstItemAt,
    }),
    requestCancel: assign({ cancelRequested: true }),
    finish: assign({ finishedAt: ({ event }) => stampOf(event).at }),
  },
  guards: {
    known: ({ context, event }) =>
      event.type === "item" && (isEnd(event.status) ? event.index in context.ends : context.startedAt !== null),
    cancelRequested: ({ context }) => context.cancelRequested,
    allEnded: ({ context }) => Object.keys(context.ends).length >= context.count,
    allSucceeded: ({ context }) => allAre(context, "SUCCEEDED"),
    allCanceled: ({ context }) => allAre(context, "CANCELED"),
    allTimedOut: ({ context }) => allAre(context, "TIMEOUT"),
    someSucceeded: ({ context }) => tally(context.ends).SUCCEEDED > 0,
    isEnd: ({ event }) => event.type === "item" && isEnd(event.status),
  },
}).createMachine({
  id: "batch",
  context: ({ input }) => ({
    count: input?.count ?? 0,
    createdAt: input?.at ?? 0,
    startedAt: null,
    firstItemAt: null,
    finishedAt: null,
    cancelRequested: false,
    ends: {},
  }),
  entry: emit({ type: "batch.created" }),
  on: {
    cancel: {
      // A root transition is taken in final states, too.
      guard: and([not("cancelRequested"), not("allEnded")]),
      actions: [
        "requestCancel",
        emit({ type: "batch.cancel_requested" }),
        { type: "tell", params: ({ event }) => ({ to: event.jobs, event: { type: "cancel" } }) },
      ],
    },
  },
  initial: "queued",
  states: {
    queued: {
      on: {
        item: [
          { guard: "isEnd", target: "judging", actions: "note" },
          { target: "running", actions: ["start", emit({ type: "batch.started" })] },
        ],
      },
    },
    running: { on: { item: [{ guard: "known" }, { target: "judging", actions: "note" }] } },
    // Passed through at once: is anything left, and if not, which word fits?
    judging: {
      always: [
        { guard: not("allEnded"), target: "running", actions: ["start", emit({ type: "batch.progressed" })] },
        { guard: "allSucceeded", target: "succeeded" },
        { guard: "someSucceeded", target: "partial" },
        { guard: "allCanceled", target: "canceled" },
        { guard: "allTimedOut", target: "timeout" },
        { target: "failed" },
      ],
    },
    succeeded: { type: "final", entry: ["finish", emit({ type: "batch.succeeded" })] },
    partial: { type: "final", entry: ["finish", emit({ type: "batch.partially_succeeded" })] },
    failed: { type: "final", entry: ["finish", emit({ type: "batch.failed" })] },
    timeout: { type: "final", entry: ["finish", emit({ type: "batch.timed_out" })] },
    canceled: { type: "final", entry: ["finish", emit({ type: "batch.canceled" })] },
  },
});

const WORDS: Record<string, import("./batch.words.ts").BatchStatus> = {
  queued: "QUEUED",
  running: "RUNNING",
  succeeded: "SUCCEEDED",
  partial: "PARTIAL",
  failed: "FAILED",
  timeout: "TIMEOUT",
  canceled: "CANCELED",
};

export const batchView = (state: string, context: BatchContext): BatchView => {
  const counts = tally(context.ends);
  return {
    status: WORDS[state] ?? "RUNNING",
    state,
    num_images: context.count,
    completed: counts.SUCCEEDED,
    failed: counts.FAILED + counts.TIMEOUT,
    canceled: counts.CANCELED,
    created_at: context.createdAt,
    started_at: context.startedAt,
    finished_at: context.finishedAt,
    ttfi_ms: context.firstItemAt === null ? null : context.firstItemAt - context.createdAt,
    total_ms: context.finishedAt === null ? null : context.finishedAt - context.createdAt,
  };
};

/** Whether there is a batch to be seen in what is stored: a row that was damaged has none. */
export const isBatchSnapshot = (stored: unknown): boolean => {
  const { value, context } = (stored ?? {}) as { value?: unknown; context?: Partial<BatchContext> | null };
  const { count, createdAt, ends } = context ?? {};
  return (
    typeof value === "string" &&
    [count, createdAt].every((number) => typeof number === "number") &&
    typeof ends === "object" &&
    ends !== null
  );
};
