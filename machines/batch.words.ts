import { type Static, Type } from "@sinclair/typebox";
import { JOB_STATUSES, JobStatus, literals, nullable } from "./job.words.ts";
import { Stamp } from "./stamp.ts";

/** A batch's words: its jobs' when all ended alike, PARTIAL when a success stands beside another end. */
export const BatchStatus = literals(...JOB_STATUSES, "PARTIAL");
export type BatchStatus = Static<typeof BatchStatus>;

export const BatchCommand = Type.Union([
  Type.Composite([
    Type.Object({
      type: Type.Literal("item", { description: "a job of the batch started or ended" }),
      index: Type.Integer(),
      status: JobStatus,
      instant: Type.Number({ description: "when, ms since the epoch" }),
    }),
    Stamp,
  ]),
  Type.Composite([Type.Object({ type: Type.Literal("cancel"), jobs: Type.Array(Type.String()) }), Stamp]),
]);
export type BatchCommand = Static<typeof BatchCommand>;

export const BatchInput = Type.Object({ count: Type.Integer({ minimum: 1 }) });
export type BatchInput = Static<typeof BatchInput>;

export type BatchFact =
  | "batch.created"
  | "batch.started"
  | "batch.progressed"
  | "batch.cancel_requested"
  | "batch.succeeded"
  | "batch.partially_succeeded"
  | "batch.failed"
  | "batch.timed_out"
  | "batch.canceled";

/** What the world may know of a batch. Instants in ms since the epoch, durations in ms. */
export const BatchView = Type.Object({
  status: BatchStatus,
  state: Type.String(),
  num_images: Type.Integer(),
  completed: Type.Integer(),
  failed: Type.Integer(),
  canceled: Type.Integer(),
  created_at: Type.Number(),
  started_at: nullable(Type.Number()),
  finished_at: nullable(Type.Number()),
  ttfi_ms: nullable(Type.Number({ description: "time to the first image" })),
  total_ms: nullable(Type.Number({ description: "creation to the end of the last job" })),
});
export type BatchView = Static<typeof BatchView>;
