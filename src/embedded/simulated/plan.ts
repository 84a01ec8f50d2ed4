import { type Static, Type } from "@sinclair/typebox";
import type { Generation } from "../../ports.ts";
import { drawOf, hashOf } from "./drawing/random.ts";
import { type Fault, faultsIn, withoutFaults } from "./faults.ts";
import { sizeOf } from "./size.ts";

/** How a run ends once its time is over. */
const Ending = Type.Union(
  (["completed", "empty", "expired", "failed", "failed_retryable", "moderated", "gone", "stuck"] as const).map((end) =>
    Type.Literal(end),
  ),
);

/**
 * Everything that will ever be answered about one submit, fixed when it is accepted. It travels inside
 * the ref, so no node has to remember it. Instants and durations in ms, sizes in pixels.
 */
export const Plan = Type.Object({
  attempt: Type.String(),
  at: Type.Number(),
  queueMs: Type.Integer({ minimum: 0 }),
  runMs: Type.Integer({ minimum: 0 }),
  ending: Ending,
  flaky: Type.Boolean(),
  cancelable: Type.Boolean(),
  findable: Type.Boolean(),
  tool: Type.String(),
  model: Type.String(),
  prompt: Type.String(),
  seed: Type.Integer({ minimum: 0 }),
  width: Type.Integer({ minimum: 1, maximum: 4096 }),
  height: Type.Integer({ minimum: 1, maximum: 4096 }),
  count: Type.Integer({ minimum: 1, maximum: 4 }),
});
export type Plan = Static<typeof Plan>;

/** Typical times in ms, and the share of runs that fail. */
export type Temper = { latencyMs: number; queueMs: number; failureRate: number };

const PROMPT_LIMIT = 200;
const VIDEO_FACTOR = 4;
const FLOOR_MS = 10_000;

export const isVideo = (tool: string): boolean => /video|animat/i.test(tool);

const endingOf = (faults: Set<Fault>, fails: boolean): Plan["ending"] => {
  if (faults.has("stuck")) return "stuck";
  if (faults.has("gone")) return "gone";
  if (faults.has("fail")) return "failed";
  if (faults.has("moderate")) return "moderated";
  if (fails) return "failed_retryable";
  if (faults.has("empty")) return "empty";
  return faults.has("expired") ? "expired" : "completed";
};

/** Trimmed by code points, so that an emoji is never cut in half. */
const promptOf = (prompt: string): string => {
  const clean = withoutFaults(prompt).replace(/\s+/g, " ").trim();
  return clean.length <= PROMPT_LIMIT ? clean : [...clean.slice(0, PROMPT_LIMIT * 2)].slice(0, PROMPT_LIMIT).join("");
};

/** A user's own seed makes a picture repeatable; otherwise every attempt draws another one. */
const seedOf = ({ attempt, prompt, params }: Generation): number =>
  hashOf(`${prompt}/${typeof params.seed === "number" ? params.seed : attempt}`);

/**
 * Decides the course of one submit from its own words and from draws that belong to its attempt:
 * the same attempt always gets the same plan. `failsFirst` tells that `[fail-twice]` still has to fail.
 */
export const planOf = (generation: Generation, at: number, temper: Temper, failsFirst: boolean): Plan => {
  const { attempt, tool, model, prompt } = generation;
  const faults = faultsIn(prompt);
  const usual = temper.latencyMs * (0.6 + drawOf(`${attempt}/run`)) * (isVideo(tool) ? VIDEO_FACTOR : 1);
  const wait = temper.queueMs * (0.5 + drawOf(`${attempt}/queue`));
  return {
    attempt,
    at: Math.round(at),
    queueMs: Math.round(faults.has("queue") ? Math.max(wait * 8, FLOOR_MS) : wait),
    runMs: Math.round(faults.has("slow") ? Math.max(usual * 5, FLOOR_MS) : usual),
    ending: endingOf(faults, failsFirst || drawOf(`${attempt}/failure`) < temper.failureRate),
    flaky: faults.has("flaky"),
    cancelable: !faults.has("uncancelable"),
    findable: !faults.has("vanish"),
    tool,
    model,
    prompt: promptOf(prompt),
    seed: seedOf(generation),
    ...sizeOf(generation.params, isVideo(tool)),
  };
};
