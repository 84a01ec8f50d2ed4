import { type Static, type TProperties, type TSchema, Type } from "@sinclair/typebox";
import { MOST_PLANNED } from "./schedule.ts";
import { Stamp } from "./stamp.ts";

/** A closed set of words. */
export const literals = <T extends string>(...words: T[]) =>
  Type.Unsafe<T>(Type.Union(words.map((word) => Type.Literal(word))));

/** Or null. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** The words of the public API. The finer state is in `state`. */
export const JOB_STATUSES = ["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "TIMEOUT", "CANCELED"] as const;
export const JobStatus = literals(...JOB_STATUSES);
export type JobStatus = Static<typeof JobStatus>;

/** How far a cancel got: asked for, confirmed, or impossible (it finished first or was refused; the cost stands). */
export const CancelState = literals("cancel_requested", "canceled_before_start", "canceled_upstream", "cancel_failed");
export type CancelState = Static<typeof CancelState>;

export const JobError = Type.Object({
  code: Type.String({ description: "stable, for programs" }),
  message: Type.String({ description: "for people" }),
  retryable: Type.Boolean({
    description: "whether the same request may succeed as a new job",
  }),
});
export type JobError = Static<typeof JobError>;

/** Why a queued job is not started though it is its turn: what its provider account waits for, and until when. */
export const WaitingFor = Type.Object({
  code: Type.String({ description: "e.g. rate_limited, queue_full, out_of_credit, breaker_open" }),
  until: Type.Number({ description: "when the account is tried next, ms since the epoch" }),
});
export type WaitingFor = Static<typeof WaitingFor>;

export const Thumbnail = Type.Object({
  key: Type.String(),
  width: Type.Integer(),
  height: Type.Integer(),
});

/** One stored output. Keys, not URLs: those are signed when an answer leaves. */
export const StoredOutput = Type.Object({
  id: Type.String(),
  sha256: Type.String(),
  mime: Type.String(),
  size_bytes: Type.Integer(),
  raw_key: Type.String(),
  min_key: Type.String(),
  thumbnails: Type.Array(Thumbnail),
});
export type StoredOutput = Static<typeof StoredOutput>;

export const RemoteOutput = Type.Object({
  url: Type.String(),
  mime: Type.Optional(Type.String()),
});
export type RemoteOutput = Static<typeof RemoteOutput>;

const command = <N extends string, P extends TProperties>(name: N, payload: P) =>
  Type.Composite([Type.Object({ type: Type.Literal(name) }), Type.Object(payload), Stamp]);

/** What a provider's poll can answer; see `CheckOutcome` in the ports. */
const Polled = Type.Union([
  Type.Object({
    kind: Type.Literal("queued"),
    position: Type.Optional(Type.Number()),
  }),
  Type.Object({
    kind: Type.Literal("running"),
    progress: Type.Optional(Type.Number()),
  }),
  Type.Object({
    kind: Type.Literal("completed"),
    outputs: Type.Array(RemoteOutput),
  }),
  Type.Object({
    kind: Type.Literal("failed"),
    code: Type.String(),
    message: Type.String(),
    retryable: Type.Boolean(),
  }),
  Type.Object({ kind: Type.Literal("moderated") }),
  Type.Object({ kind: Type.Literal("canceled") }),
  Type.Object({ kind: Type.Literal("gone") }),
  Type.Object({ kind: Type.Literal("unknown"), reason: Type.String() }),
]);
export type Polled = Static<typeof Polled>;

/** Commands that a job takes. Every one is stamped by the host. */
export const JobCommand = Type.Union([
  command("start", {}),
  command("stalled", {
    code: Type.String({ description: "why its account has let nothing through for long" }),
    open: Type.Array(Type.String({ description: "accounts that do" })),
  }),
  command("accepted", {
    attempt: Type.String(),
    ref: Type.String(),
    schedule: Type.Optional(
      Type.Array(Type.Integer(), { maxItems: MOST_PLANNED, description: "instants of its polls, ms since the submit" }),
    ),
  }),
  command("rejected", {
    attempt: Type.String(),
    code: Type.String(),
    message: Type.String(),
    retryable: Type.Boolean(),
    afterMs: Type.Number(),
  }),
  command("ambiguous", { attempt: Type.String(), reason: Type.String() }),
  command("notSent", { attempt: Type.String() }),
  command("unresolved", { attempt: Type.String() }),
  command("polled", { n: Type.Integer(), outcome: Polled }),
  command("deferred", {
    n: Type.Integer(),
    afterMs: Type.Number({ description: "until the account's rate allows the poll that was not sent" }),
  }),
  command("nudge", {
    attempt: Type.String(),
    ref: Type.Optional(Type.String({ description: "the provider's, when the delivery is signed and names it" })),
  }),
  command("cancel", {}),
  command("cancelAnswered", {
    outcome: literals("canceled", "refused", "already_finished", "unknown"),
  }),
  command("ingested", { outputs: Type.Array(StoredOutput) }),
  command("ingestFailed", {
    code: Type.String(),
    message: Type.String(),
    retryable: Type.Boolean(),
  }),
]);
export type JobCommand = Static<typeof JobCommand>;

/** Another provider's model that could make the same; what it gets is in the job's row, by its model. */
export const Alternative = Type.Object({
  account: Type.String(),
  model: Type.String(),
  timeoutMs: Type.Integer(),
  webhook: Type.Boolean(),
});
export type Alternative = Static<typeof Alternative>;

/** What a job is born with. */
export const JobInput = Type.Object({
  account: Type.String({ description: "provider account whose slots it uses" }),
  model: Type.Optional(Type.String({ description: "key of the model" })),
  alternatives: Type.Optional(Type.Array(Alternative, { description: "where it may move to, the best first" })),
  batch: Type.Union([Type.String(), Type.Null()]),
  index: Type.Integer({ description: "place in its batch" }),
  timeoutMs: Type.Integer({ description: "limit from start to result" }),
  webhook: Type.Boolean({ description: "the provider tells us when it is done, so polls are only the safety net" }),
});
export type JobInput = Static<typeof JobInput>;

export type JobFact =
  | "job.created"
  | "job.started"
  | "job.accepted"
  | "job.progressed"
  | "job.retried"
  | "job.waiting"
  | "job.moved"
  | "job.rendered"
  | "job.cancel_requested"
  | "job.cancel_failed"
  | "job.orphaned"
  | "job.succeeded"
  | "job.failed"
  | "job.timed_out"
  | "job.canceled";
