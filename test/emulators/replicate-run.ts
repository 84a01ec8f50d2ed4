/** A prediction inside the emulator, and how it looks on the wire at an instant. */
import type { Ending, Phase, Run } from "./kit-runs.ts";

export const EVENTS = ["start", "output", "logs", "completed"] as const;
export type Event = (typeof EVENTS)[number];

/** What the emulator keeps of a prediction. */
export type Kept = {
  model: string;
  version: string;
  deployment: string | null;
  input: Record<string, unknown>;
  webhook: string | null;
  events: Event[] | null;
  /** Milliseconds since the epoch, from `Cancel-After`. */
  deadline: number | null;
  logs: string;
  /** Set once it has succeeded: any JSON. */
  output?: unknown;
  /** Reads that still show `processing` after a cancel. */
  lingers: number;
};

export type PredictionRun = Run<Kept>;

export type Status = "starting" | "processing" | "succeeded" | "failed" | "canceled" | "aborted";

export const NSFW = "NSFW content detected. Try running it again, or try a different prompt.";
/** Files, inputs and logs of predictions made by API go this long after they have completed. */
export const RETENTION_MS = 3_600_000;

const ENDED: Record<Ending["kind"], Status> = {
  completed: "succeeded",
  expired: "succeeded",
  failed: "failed",
  moderated: "failed",
  canceled: "canceled",
};

/** Its status, and since when it is final. */
export const stateOf = (
  run: PredictionRun,
  phase: Phase,
  at: number,
): { status: Status; completedAt: number | null } => {
  const { deadline } = run.data;
  if (deadline !== null && at >= deadline && deadline < run.endsAt) {
    return { status: run.startsAt >= deadline ? "aborted" : "canceled", completedAt: deadline };
  }
  if (phase === "ended") return { status: ENDED[run.ending.kind], completedAt: run.endsAt };
  return { status: phase === "running" ? "processing" : "starting", completedAt: null };
};

const errorOf = ({ ending }: PredictionRun): string | null => {
  if (ending.kind === "moderated") return ending.message ?? NSFW;
  if (ending.kind !== "failed") return null;
  return [ending.code, ending.message].filter(Boolean).join(": ") || null;
};

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString().replace("Z", "000Z"));

export const removed = (run: PredictionRun, completedAt: number | null, at: number) =>
  completedAt !== null && (run.ending.kind === "expired" || at >= completedAt + RETENTION_MS);

/** The prediction object, the same in create, get, cancel and webhooks. `base` ends in `/v1`. */
export const predictionAt = (run: PredictionRun, phase: Phase, at: number, base: string) => {
  const { id, data } = run;
  const { status, completedAt } = stateOf(run, phase, at);
  const gone = removed(run, completedAt, at);
  const started = status === "starting" || status === "aborted" ? null : run.startsAt;
  const spent = started === null ? null : Math.max(0, (completedAt ?? at) - started) / 1000;
  const total = (completedAt ?? at) - run.createdAt;
  return {
    id,
    model: data.model,
    version: data.version,
    deployment: data.deployment,
    input: gone ? {} : data.input,
    output: status === "succeeded" && !gone ? (data.output ?? null) : null,
    logs: gone ? "" : data.logs,
    error: status === "failed" ? errorOf(run) : null,
    status,
    source: "api",
    data_removed: gone,
    created_at: iso(run.createdAt),
    started_at: iso(started),
    completed_at: iso(completedAt),
    deadline: iso(data.deadline),
    metrics:
      completedAt === null ? {} : { ...(spent === null ? {} : { predict_time: spent }), total_time: total / 1000 },
    webhook: data.webhook,
    webhook_events_filter: data.events,
    urls: {
      get: `${base}/predictions/${id}`,
      cancel: `${base}/predictions/${id}/cancel`,
      web: `https://replicate.com/p/${id}`,
    },
  };
};

export type WirePrediction = ReturnType<typeof predictionAt>;
