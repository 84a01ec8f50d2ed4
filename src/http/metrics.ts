import { Elysia } from "elysia";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { describe } from "./describe.ts";

const CACHE_MS = 5000;
const LIMIT_MS = 2000;
const LATENCIES_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Finest where a node takes over from another, just after the default grace. */
const LATENESS_S = [0.01, 0.05, 0.25, 1, 2.5, 5, 6, 6.25, 6.5, 6.75, 7, 8, 10, 15, 30, 60];

export type Metrics = ReturnType<typeof createMetrics>;

/** Reads a value for a scrape: at most every 5 s, one read at a time; `unknown` when it fails or takes 2 s. */
const cached = <T>(read: () => Promise<T>, unknown: T) => {
  let value: Promise<T> = Promise.resolve(unknown as Awaited<T>);
  let readAt = Number.NEGATIVE_INFINITY;
  const limited = async (): Promise<T> => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<T>((resolve) => {
      timer = setTimeout(resolve, LIMIT_MS, unknown);
    });
    try {
      return await Promise.race([read(), late]);
    } catch {
      return unknown;
    } finally {
      clearTimeout(timer);
    }
  };
  return () => {
    if (performance.now() - readAt >= CACHE_MS) {
      readAt = performance.now();
      value = limited();
    }
    return value;
  };
};

/**
 * Every metric of this process, in its own registry. The first five names are the contract of the
 * service that Darkroom replaces. What `deps` can tell is asked when scraped.
 */
export const createMetrics = (deps: {
  queueDepth: () => Promise<number>;
  parkedActors?: () => Promise<number>;
  pausedAccounts?: () => Promise<{ reason: string; accounts: number }[]>;
  relayLag?: () => Promise<{ facts: number; seconds: number }>;
}) => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter<L>({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], labelNames: L[] = []) =>
    new Histogram<L>({ name, help, buckets, labelNames, registers });
  const asked = (name: string, help: string, read: () => Promise<number>) => {
    const value = cached(read, Number.NaN);
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(await value());
      },
    });
  };
  asked("queue_depth", "Jobs that are pending or running", deps.queueDepth);
  if (deps.parkedActors) asked("darkroom_parked_actors", "Actors set aside because a step fails", deps.parkedActors);
  if (deps.pausedAccounts) {
    const paused = cached(deps.pausedAccounts, []);
    new Gauge({
      name: "darkroom_paused_accounts",
      help: "Provider accounts to which nothing is submitted, by why",
      labelNames: ["reason"],
      registers,
      async collect() {
        this.reset();
        for (const { reason, accounts } of await paused()) this.set({ reason }, accounts);
      },
    });
  }
  if (deps.relayLag) {
    const lag = cached(deps.relayLag, { facts: Number.NaN, seconds: Number.NaN });
    const read = async () => (await lag()).facts;
    asked("darkroom_relay_lag_facts", "Facts of all nodes that are committed, but not published yet", read);
    asked("darkroom_relay_lag_seconds", "Age of the oldest of them", async () => (await lag()).seconds);
  }
  const model = ["tool_type", "model_key"] as const;
  return {
    registry,
    jobsCreated: counter("jobs_created_total", "Jobs created", [...model]),
    jobsSucceeded: counter("jobs_succeeded_total", "Jobs that ended well", [...model]),
    jobsFailed: counter("jobs_failed_total", "Jobs that ended otherwise", [...model, "error_code"]),
    providerPolls: counter("provider_polls_total", "Polls of providers"),
    completions: counter(
      "darkroom_completions_total",
      "Finished generations by what found out: a nudge of the provider, or polling alone",
      [...model, "noticed_by"],
    ),
    commitSeconds: histogram("darkroom_commit_seconds", "Time of one group commit", LATENCIES_S),
    commitUnits: histogram("darkroom_commit_units", "Units in one group commit", [1, 2, 4, 8, 16, 32, 64, 128, 256]),
    units: counter("darkroom_units_total", "Units by the answer of their commit", ["outcome"]),
    effectSeconds: histogram("darkroom_effect_seconds", "Time of one effect", LATENCIES_S, ["effect", "outcome"]),
    timerSeconds: histogram("darkroom_timer_lateness_seconds", "How late a timer fired, and who fired it", LATENESS_S, [
      "by",
    ]),
    breakerState: new Gauge({
      name: "darkroom_breaker_state",
      help: "A provider's breaker on this node: 0 closed, 1 half open, 2 open",
      labelNames: ["provider"],
      registers,
    }),
    pollsDeferred: counter("darkroom_polls_deferred_total", "Polls put off by a provider's rate", ["provider"]),
    published: counter("darkroom_relay_published_total", "Facts that NATS has taken from this node"),
    streamsOpen: new Gauge({
      name: "darkroom_streams_open",
      help: "Clients that are watching",
      labelNames: ["transport"],
      registers,
    }),
    httpSeconds: histogram("http_request_duration_seconds", "Time to the head of an answer", LATENCIES_S, [
      "method",
      "route",
      "status",
    ]),
  };
};

/** `GET /metrics` in the Prometheus text format. */
export const createMetricsRoute = ({ registry }: Pick<Metrics, "registry">) =>
  new Elysia({ name: "metrics" }).get(
    "/metrics",
    async () => new Response(await registry.metrics(), { headers: { "content-type": registry.contentType } }),
    { detail: describe({ tag: "operations", summary: "Prometheus metrics" }) },
  );
