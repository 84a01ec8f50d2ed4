import type { StateValue } from "xstate";
import { mean, quantile } from "../../machines/distribution.ts";
import type { JobContext } from "../../machines/job.context.ts";
import { jobView } from "../../machines/job.view.ts";
import type { Snapshot } from "../../machines/step.ts";
import type { Clock } from "../ports.ts";
import type { History, Known } from "./history.ts";
import type { Outlook } from "./words.ts";

/** What an outlook is told from. `queue_position` as `queue_position()` counts it; null when not queued. */
export type Standing = { model_key: string; tool_type: string; snapshot: Snapshot; queue_position?: number | null };

/** At the provider, or on the way there. */
const UNDER_WAY = /^(submitting|reconciling|accepting|running)\b/;

/** Where a job stands in line and when its outputs are to be expected, as of now: never stored, never logged. */
export const createOutlook = (deps: { history: Pick<History, "peek">; clock: Clock; slots: number }) => {
  /** ms until it is submitted: whoever is before it takes the mean time, on as many slots as there are. */
  const waitFor = (state: string, { until }: JobContext, place: number | null, { took }: Known): number | null => {
    if (state === "resting") return Math.max(0, until - deps.clock.now());
    return place === null ? null : ((place + 1) * mean(took)) / deps.slots;
  };

  const remaining = (state: string, context: JobContext, place: number | null, known: Known, share: number) => {
    if (UNDER_WAY.test(state)) {
      const elapsed = deps.clock.now() - context.submittedAt;
      const at = quantile(known.took, share, elapsed);
      return at === null ? null : at - elapsed;
    }
    const wait = waitFor(state, context, place, known);
    const took = quantile(known.took, share);
    return wait === null || took === null ? null : wait + took;
  };

  return ({ model_key, tool_type, snapshot, queue_position = null }: Standing): Outlook => {
    const context = snapshot.context as unknown as JobContext;
    const { state, status, cancel, position, model_key: moved } = jobView(snapshot.value as StateValue, context);
    const known = cancel === "cancel_requested" ? null : deps.history.peek(moved ?? model_key, tool_type);
    const [p50, p95] = [0.5, 0.95].map((share) =>
      known === null ? null : remaining(state, context, queue_position, known, share),
    );
    const seconds = (ms: number) => Math.max(0, Math.ceil(ms / 1000));
    return {
      queue_position: status === "QUEUED" ? queue_position : position,
      eta_seconds: p50 == null || p95 == null ? null : { p50: seconds(p50), p95: seconds(p95) },
    };
  };
};
export type OutlookOf = ReturnType<typeof createOutlook>;
