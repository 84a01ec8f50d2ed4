import { type TSchema, Type } from "@sinclair/typebox";
import { Completion } from "../../machines/job.completion.ts";
import { JobView } from "../../machines/job.view.ts";
import { type JobFact, nullable } from "../../machines/job.words.ts";
import { type AsideDescription, Cursored, type FactDescription, type StreamDescription } from "../streams/describe.ts";
import { Aside } from "../streams/envelope.ts";
import { JOB_SUCCEEDED } from "./example.ts";
import { Job, JobDetail, JobProgress } from "./words.ts";

/** A job's fact as it is kept and published: keys instead of URLs, instants in ms. */
const JobData = Type.Object({
  job_id: Type.String(),
  chat_id: nullable(Type.String()),
  option_id: nullable(Type.String()),
  retry_of: nullable(Type.String()),
  tool_type: Type.String(),
  ...JobView.properties,
});

const SUMMARIES: Record<JobFact, string> = {
  "job.created": "It waits for a slot of its provider account",
  "job.started": "It is being submitted",
  "job.accepted": "The provider has taken it",
  "job.progressed": "Its status changed, or its progress moved by 5 %",
  "job.retried": "This attempt failed; another follows",
  "job.waiting": "The provider account takes nothing now; that costs no attempt",
  "job.moved": "Another provider's model makes it from now on",
  "job.rendered": "The provider is done; its outputs are being stored",
  "job.cancel_requested": "Somebody wants it to stop",
  "job.cancel_failed": "It cannot be stopped any more; the cost stands",
  "job.orphaned": "An attempt that was given up has been accepted after all, and is canceled upstream",
  "job.succeeded": "Its outputs are stored",
  "job.failed": "It has no outputs; `error` says why",
  "job.timed_out": "Its time has run out",
  "job.canceled": "It was stopped",
};

const MORE: Partial<Record<JobFact, TSchema>> = {
  "job.rendered": Completion,
  "job.orphaned": Type.Object({ ref: Type.Optional(Type.String({ description: "the provider's name for it" })) }),
};

/** All that is ever told of a deleted job. */
const DELETED = { name: "DeletedJob", schema: Type.Object({ job_id: Type.String() }, { additionalProperties: false }) };

/** Everything that jobs tell. */
export const jobFacts: FactDescription[] = [
  ...(Object.keys(SUMMARIES) as JobFact[]).map((type) => ({
    type,
    summary: SUMMARIES[type],
    kept: { name: "JobFact", schema: JobData, more: MORE[type] },
    shown: { name: "Job", schema: Job },
    left: DELETED,
    example: type === "job.succeeded" ? JOB_SUCCEEDED : undefined,
  })),
  { type: "job.deleted", summary: "It is gone, and canceled if it was live", kept: DELETED, shown: DELETED },
];

/** What goes out about live jobs beside the log. */
export const jobProgress: AsideDescription = {
  event: "job.progress",
  summary: "Where a live job stands: place in the queue, expected end, fine progress; at most every 3 s",
  schema: Type.Object({ ...Aside.properties, type: Type.Literal("darkroom.job.progress"), data: JobProgress }),
};

export const jobStreamDescription: StreamDescription = {
  name: "jobEvents",
  address: "/jobs/{id}/stream",
  transport: "sse",
  summary: "One job, live; ends with it",
  parameters: { id: "id of the job" },
  kinds: ["job"],
  ends: ["chat.deleted", "batch.deleted"],
  aside: [jobProgress],
  snapshot: { schema: Cursored(JobDetail), greets: true },
};
