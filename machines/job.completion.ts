import type { JobContext } from "./job.context.ts";
import { NUDGE_GAP_MS } from "./policy.ts";

/** What `job.rendered` tells of a generation, besides the job: who noticed it, and when it must have been done. */
export type Completion = {
  noticed_by: "webhook" | "poll";
  /** ms since its submit, exclusive: it was still going on. */
  done_after_ms: number;
  /** ms since its submit: it was seen to be done. */
  done_by_ms: number;
};

/** A poll only brackets a completion; one that was brought on by the provider's call followed it closely. */
export const completionOf = ({ prompted, polledAt, goingAt, submittedAt }: JobContext, seenAt: number): Completion => ({
  noticed_by: prompted ? "webhook" : "poll",
  done_after_ms: Math.round((prompted ? Math.max(goingAt, polledAt - NUDGE_GAP_MS) : goingAt) - submittedAt),
  done_by_ms: Math.round(seenAt - submittedAt),
});
