import { Type } from "@sinclair/typebox";
import { type BatchFact, BatchView } from "../../machines/batch.words.ts";
import { jobProgress } from "../jobs/facts.ts";
import { Cursored, type FactDescription, type StreamDescription } from "../streams/describe.ts";
import { Batch, BatchDetail } from "./words.ts";

const SUMMARIES: Record<BatchFact, string> = {
  "batch.created": "Its jobs are queued",
  "batch.started": "The first of its jobs has started",
  "batch.progressed": "One of its jobs has ended",
  "batch.cancel_requested": "Somebody wants what has not ended to stop",
  "batch.succeeded": "All of its jobs succeeded",
  "batch.partially_succeeded": "Some of its jobs succeeded",
  "batch.failed": "None of its jobs succeeded",
  "batch.timed_out": "All of its jobs ran out of time",
  "batch.canceled": "All of its jobs were stopped",
};

/** Everything that batches tell. */
export const batchFacts: FactDescription[] = [
  ...(Object.keys(SUMMARIES) as BatchFact[]).map((type) => ({
    type,
    summary: SUMMARIES[type],
    kept: { name: "BatchFact", schema: Type.Object({ batch_id: Type.String(), ...BatchView.properties }) },
    shown: { name: "Batch", schema: Batch },
  })),
  {
    type: "batch.deleted",
    summary: "It is gone with its jobs, and those that were live are canceled",
    kept: { name: "DeletedBatch", schema: Type.Object({ batch_id: Type.String() }) },
    shown: { name: "DeletedRequest", schema: Type.Object({ job_id: Type.String() }) },
  },
];

const shared = {
  parameters: { job_id: "id of the batch" },
  kinds: ["batch", "job"],
  aside: [jobProgress],
  snapshot: { schema: Cursored(BatchDetail), greets: true },
};

/** The streams of a batch. */
export const batchStreamDescriptions: StreamDescription[] = [
  {
    ...shared,
    name: "batchEvents",
    address: "/api/generate/{job_id}/stream",
    transport: "sse",
    summary: "The images of one request, live; ends with it",
  },
  {
    ...shared,
    name: "batchSocket",
    address: "/api/generate/{job_id}",
    transport: "websocket",
    summary: "The same by WebSocket, one message a frame; the access token in `?token=`",
  },
];
