import { type Static, Type } from "@sinclair/typebox";
import { JOB_STATUSES, JobStatus, literals } from "./job.words.ts";
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
