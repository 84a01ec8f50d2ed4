import type { CheckOutcome, RemoteOutput } from "../../ports.ts";
import { type Fields, fieldsOf } from "./refusal.ts";
import { failureOf } from "./status.ts";

type State = "queued" | "running" | "completed" | "failed" | "moderated" | "canceled";

const STATES: Record<string, State> = {
  queued: "queued",
  in_progress: "running",
  completed: "completed",
  failed: "failed",
  nsfw: "moderated",
  ip_detected: "moderated",
  canceled: "canceled",
  cancelled: "canceled",
};
const OVER: readonly State[] = ["completed", "failed", "moderated", "canceled"];

/** A job's `status` is optional: one with results is done, one with neither is under way. */
const stateOf = ({ status, results }: Fields): State =>
  (typeof status === "string" ? STATES[status] : undefined) ?? (fieldsOf(results) ? "completed" : "running");

/** The original; the smaller `min` is a preview of it. */
const outputOf = ({ results }: Fields): RemoteOutput[] => {
  const { raw, min } = fieldsOf(results) ?? {};
  const url = fieldsOf(raw)?.url ?? fieldsOf(min)?.url;
  return typeof url === "string" ? [{ url }] : [];
};

const count = (states: readonly State[], state: State) => states.filter((each) => each === state).length;

/**
 * What the jobs of a set are together. It is over when all of them are: what was completed counts, and a set of which
 * one picture was moderated still completes with the other three. Without any, all alike gives that end, else it failed.
 */
export const jobSetIn = (jobs: readonly unknown[]): CheckOutcome => {
  const all = jobs.map((job) => fieldsOf(job) ?? {});
  const states = all.map(stateOf);
  const over = states.filter((state) => OVER.includes(state)).length;
  if (states.length === 0) return { kind: "running" };
  if (states.every((state) => state === "queued")) return { kind: "queued" };
  if (over < states.length) return { kind: "running", ...(over > 0 && { progress: over / states.length }) };
  if (states.includes("completed")) {
    return { kind: "completed", outputs: all.filter((_, i) => states[i] === "completed").flatMap(outputOf) };
  }
  if (states.every((state) => state === "moderated")) return { kind: "moderated" };
  if (states.every((state) => state === "canceled")) return { kind: "canceled" };
  const said = all.find((job) => typeof job.error === "string")?.error;
  const parts = OVER.flatMap((state) => (states.includes(state) ? [`${count(states, state)} ${state}`] : []));
  return failureOf(said ?? (states.length > 1 ? `Of ${states.length} pictures, ${parts.join(", ")}` : undefined));
};
