import { Elysia } from "elysia";
import type { Log } from "../log.ts";
import { loggable } from "./classify.ts";
import { describe } from "./describe.ts";

/** Rejects when the dependency cannot be used. */
export type Check = () => Promise<void>;
export type Health = {
  /** `degraded`: something is down that requests can do without. */
  status: "ok" | "degraded" | "down";
  checks: Record<string, { status: "ok" | "down"; ms: number }>;
};

const withLimit = async (check: Check, limitMs: number): Promise<void> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([check(), late]);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Readiness at `/health` and `/healthz`: every check side by side, each at most `limitMs`, the report
 * kept for `cacheMs` so that probes cannot load a weak dependency; 503 when one is down, except for the `spared`:
 * were all nodes unready for what none of them needs to answer, nobody would be served. Why one is
 * down goes to the log only. Liveness at `/livez` asks nothing but this process.
 */
export const createHealth = (deps: {
  checks: Record<string, Check>;
  /** Names of checks. */
  spared?: readonly string[];
  log: Log;
  limitMs?: number;
  cacheMs?: number;
}) => {
  const { checks, spared = [], log, limitMs = 2000, cacheMs = 1000 } = deps;
  let takenAt = Number.NEGATIVE_INFINITY;
  let report: Promise<Health>;

  const run = async (name: string, check: Check) => {
    const from = performance.now();
    const status = await withLimit(check, limitMs).then(
      () => "ok" as const,
      (error) => {
        log.warn({ check: name, err: loggable(error) }, "a health check failed");
        return "down" as const;
      },
    );
    return [name, { status, ms: Math.round(performance.now() - from) }] as const;
  };
  const take = async (): Promise<Health> => {
    const results = await Promise.all(Object.entries(checks).map(([name, check]) => run(name, check)));
    const down = results.filter(([, result]) => result.status === "down").map(([name]) => name);
    const needed = down.some((name) => !spared.includes(name));
    const status = needed ? "down" : down.length > 0 ? "degraded" : "ok";
    return { status, checks: Object.fromEntries(results) };
  };
  const readiness = async (): Promise<Response> => {
    if (performance.now() - takenAt >= cacheMs) {
      takenAt = performance.now();
      report = take();
    }
    const health = await report;
    const down = health.status === "down";
    return Response.json(health, down ? { status: 503, headers: { "retry-after": "1" } } : { status: 200 });
  };

  const example = (status: "ok" | "down") => ({ status, checks: { postgres: { status, ms: 1 } } });
  const detail = describe({
    tag: "operations",
    summary: "Readiness, with each dependency",
    answers: {
      200: {
        description: "Everything that is needed answers; `degraded` when the bus does not",
        example: example("ok"),
      },
      503: { description: "Something does not", example: example("down") },
    },
  });
  return new Elysia({ name: "health" })
    .get("/health", () => readiness(), { detail })
    .get("/healthz", () => readiness(), { detail })
    .get("/livez", () => ({ status: "ok" }), {
      detail: describe({ tag: "operations", summary: "Liveness of this process" }),
    });
};
