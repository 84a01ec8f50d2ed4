import { type Static, Type } from "@sinclair/typebox";
import { BatchStatus } from "../../machines/batch.words.ts";
import { nullable } from "../../machines/job.words.ts";
import { Job } from "../jobs/words.ts";

/** A batch as every answer and event shows it. `job_id` is the batch's id: the contract's name. */
export const Batch = Type.Object({
  job_id: Type.String(),
  status: BatchStatus,
  num_images: Type.Integer(),
  completed: Type.Integer(),
  failed: Type.Integer(),
  canceled: Type.Integer(),
  created_at: Type.String(),
  started_at: nullable(Type.String()),
  finished_at: nullable(Type.String()),
  ttfi_ms: nullable(Type.Number({ description: "time to the first image, ms" })),
  total_ms: nullable(Type.Number({ description: "creation to the end of the last job, ms" })),
});
export type Batch = Static<typeof Batch>;

export const Item = Type.Object({
  index: Type.Integer(),
  url: nullable(Type.String({ description: "the original, once it is there" })),
  ...Job.properties,
});

/** A batch with its results so far. */
export const BatchDetail = Type.Object({
  ...Batch.properties,
  prompt: Type.String(),
  model_key: Type.String(),
  results: Type.Array(Item),
  cursor: Type.Integer({ description: "seq of its stream at this snapshot: resume from here" }),
});
export type BatchDetail = Static<typeof BatchDetail>;

export const BatchMetrics = Type.Object({
  job_id: Type.String(),
  status: BatchStatus,
  num_images: Type.Integer(),
  completed: Type.Integer(),
  ttfi_ms: nullable(Type.Number()),
  total_ms: nullable(Type.Number()),
  ttfi_seconds: nullable(Type.Number({ description: "time to the first image" })),
  total_duration_seconds: nullable(Type.Number({ description: "creation to the end of the last job" })),
});
