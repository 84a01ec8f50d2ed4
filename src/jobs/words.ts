import { type Static, Type } from "@sinclair/typebox";
import { CancelState, JobError, JobStatus, nullable } from "../../machines/job.words.ts";

const Instant = Type.String({ format: "date-time", description: "ISO 8601" });

const Link = Type.Object({ url: Type.String(), width: Type.Integer(), height: Type.Integer() });

/** One stored output as clients see it. URLs are signed and expire; the job's GET renews them. */
export const Result = Type.Object({
  min_url: Type.String({ description: "a web-sized WebP of an image; the original itself of a video or a sound" }),
  raw_url: Type.String({ description: "the original" }),
  mime: Type.String({ description: "of the original" }),
  size_bytes: Type.Integer({ description: "of the original" }),
  thumbnails: Type.Array(Link, {
    description: "still WebPs, the smallest first; a video's largest is its poster, and it may have none",
  }),
});
export type Result = Static<typeof Result>;

/** A job as every answer and event shows it. */
export const Job = Type.Object({
  job_id: Type.String(),
  status: JobStatus,
  state: Type.String({ description: "the machine's state, e.g. running.waiting" }),
  result: nullable(Result),
  error: nullable(JobError),
  waiting_for: nullable(
    Type.Object(
      {
        code: Type.String({ description: "rate_limited, queue_full, low_credit, out_of_credit, breaker_open, …" }),
        until: Type.String({ format: "date-time", description: "when the account is tried next" }),
      },
      { description: "why a queued job does not start: its provider account takes nothing now; costs no attempt" },
    ),
  ),
  retry_after_seconds: Type.Integer({ description: "until the next poll of the provider, rounded up" }),
  outputs: Type.Array(Result),
  progress: nullable(Type.Number({ description: "0 to 1, as the provider tells it" })),
  position: nullable(Type.Integer({ description: "place in the provider's queue" })),
  attempt: Type.Integer(),
  cancel: nullable(CancelState),
  chat_id: nullable(Type.String()),
  option_id: nullable(Type.String()),
  batch_id: nullable(Type.String()),
  batch_index: nullable(Type.Integer()),
  retry_of: nullable(Type.String()),
  tool_type: Type.String(),
  model_key: Type.String(),
  provider: Type.String({ description: "whose account it uses now" }),
  created_at: Instant,
  started_at: nullable(Instant),
  finished_at: nullable(Instant),
  timeout_at: nullable(Instant),
  next_poll_at: nullable(Instant),
});
export type Job = Static<typeof Job>;

/** Where a live job stands: computed when asked for, never stored. */
export const Outlook = Type.Object({
  queue_position: nullable(
    Type.Integer({
      description:
        "jobs that will be started before it, counted to about 1000; once it runs, the provider's word. Null: not queued",
    }),
  ),
  eta_seconds: nullable(
    Type.Object(
      { p50: Type.Integer(), p95: Type.Integer() },
      { description: "until half, and 95 %, of such generations are done; it counts down by itself. Null: not known" },
    ),
  ),
});
export type Outlook = Static<typeof Outlook>;

/** The data of `job.progress`, an event without an id that is not in the log. */
export const JobProgress = Type.Object({
  job_id: Type.String(),
  status: JobStatus,
  state: Job.properties.state,
  progress: Job.properties.progress,
  ...Outlook.properties,
});
export type JobProgress = Static<typeof JobProgress>;

/** A job as its own GET shows it. */
export const JobDetail = Type.Object({
  ...Job.properties,
  ...Outlook.properties,
  prompt: Type.String(),
  params: Type.Record(Type.String(), Type.Unknown()),
  cursor: Type.Integer({ description: "seq of its stream at this snapshot: resume from here" }),
  stream: Type.String({ description: "id of the stream that carries its events" }),
});
export type JobDetail = Static<typeof JobDetail>;

/** Of a request that makes a job. */
export const Failover = Type.Optional(
  Type.Boolean({
    description:
      "let another provider's model make it when this one's cannot: before it was accepted, or after it failed for certain",
  }),
);

export const Transition = Type.Object({
  version: Type.Integer(),
  at: Instant,
  event: Type.String(),
  from: nullable(Type.String()),
  to: Type.String(),
  effects: Type.Array(Type.String()),
  folded: Type.Array(Type.String({ description: "soft steps since the version before" })),
  reason: nullable(Type.String({ description: "the code or words that the event came with" })),
});
