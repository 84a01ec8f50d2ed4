import type { CheckOutcome } from "../../ports.ts";
import { drawOf } from "./drawing/random.ts";
import { isVideo, type Plan } from "./plan.ts";

const FLAKE_MS = 700;
/** Where the progress of a run that never ends comes to rest. */
const STUCK_AT = 0.62;

const round = (share: number) => Math.round(share * 100) / 100;

/** Outputs are named by the ref that can draw them. */
export const outputUrl = (ref: string, index: number): string => `simulated:${ref}#${index}`;

/** The ref and the index inside an output's URL, or null. */
export const parseOutputUrl = (url: string): { ref: string; index: number } | null => {
  const [, ref, index] = url.match(/^simulated:([\w.-]+)#([0-3])$/) ?? [];
  return ref ? { ref, index: Number(index) } : null;
};

/** Whether the run of `plan` is over at `now`, however it ended. */
export const isOver = (plan: Plan, now: number): boolean =>
  plan.ending !== "stuck" && now >= plan.at + plan.queueMs + plan.runMs;

const progressOf = (plan: Plan, ran: number): number => {
  const share = plan.runMs > 0 ? ran / plan.runMs : 1;
  return round(plan.ending === "stuck" ? STUCK_AT * (1 - Math.exp(-2 * share)) : Math.min(share, 0.99));
};

const ended = (plan: Plan, ref: string): CheckOutcome => {
  switch (plan.ending) {
    case "moderated":
      return { kind: "moderated" };
    case "failed":
    case "failed_retryable":
      return {
        kind: "failed",
        code: "generation_failed",
        message: "The simulated generation failed",
        retryable: plan.ending === "failed_retryable",
      };
    case "empty":
      return { kind: "completed", outputs: [] };
    default: {
      const mime = isVideo(plan.tool) ? "image/webp" : "image/jpeg";
      return {
        kind: "completed",
        outputs: Array.from({ length: plan.count }, (_, index) => ({ url: outputUrl(ref, index), mime })),
      };
    }
  }
};

/**
 * What a check at `now` (ms since the epoch) answers, from the plan alone:
 * `queued → running → its ending`, or `gone` throughout. Cancels are the ledger's business.
 */
export const answerAt = (plan: Plan, ref: string, now: number): CheckOutcome => {
  if (plan.ending === "gone") return { kind: "gone" };
  const elapsed = Math.max(0, now - plan.at);
  if (plan.flaky && drawOf(`${plan.seed}/${Math.floor(elapsed / FLAKE_MS)}`) < 0.5) {
    return { kind: "unknown", reason: "simulated outage" };
  }
  if (isOver(plan, now)) return ended(plan, ref);
  if (elapsed < plan.queueMs) {
    const line = 2 + (plan.seed % 6);
    return { kind: "queued", position: Math.ceil(line * (1 - elapsed / plan.queueMs)) };
  }
  return { kind: "running", progress: progressOf(plan, elapsed - plan.queueMs) };
};
