import { type Static, Type } from "@sinclair/typebox";
import type { JobContext } from "./job.context.ts";
import { literals } from "./job.words.ts";
import { NUDGE_GAP_MS } from "./policy.ts";

/** What `job.rendered` tells of a generation, besides the job: who noticed it, and when it must have been done. */
export const Completion = Type.Object({
  noticed_by: literals("webhook", "poll"),
  done_after_ms: Type.Number({ description: "ms since its submit, exclusive: it was still going on" }),
  done_by_ms: Type.Number({ description: "ms since its submit: it was seen to be done" }),
});
export type Completion = Static<typeof Completion>;

/** A poll only brackets a completion; one that was brought on by the provider's call followed it closely. */
export const completionOf = ({ prompted, polledAt, goingAt, submittedAt }: JobContext, seenAt: number): Completion => ({
  noticed_by: prompted ? "webhook" : "poll",
  done_after_ms: Math.round((prompted ? Math.max(goingAt, polledAt - NUDGE_GAP_MS) : goingAt) - submittedAt),
  done_by_ms: Math.round(seenAt - submittedAt),
});
