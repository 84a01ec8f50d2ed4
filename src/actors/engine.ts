/**
 * Everything that lets actors live on this node, wired together. The order in which it ends matters: nothing new is
 * started (sweep, admission, timers) and what runs is waited for; then effects are given up, then the last commits.
 */
import { type Policy, WATCHDOG_MARGIN_MS } from "../../machines/policy.ts";
import { createRegistry } from "../../machines/registry.ts";
import type { MachineEvent } from "../../machines/step.ts";
import type { Config } from "../config.ts";
import { isPassing } from "../db/passing.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Clock, Draws, Fact } from "../ports.ts";
import { createAdmission } from "./admission.ts";
import { createCommitter } from "./commit.ts";
import { createDispatch } from "./dispatch.ts";
import { createEffects, type EffectHandler } from "./effects.ts";
import { createStalled } from "./stalled.ts";
import { createSweep } from "./sweep.ts";
import { createTimers } from "./timers.ts";
import type { ActorChange, Rows, UnitOutcome } from "./unit.ts";
import { createWarmth } from "./warm.ts";
import { createWatch } from "./watch.ts";

const PATIENCE_MS = 4_000;
/** An effect's answer is brought home for this long; then the state's watchdog asks again. */
const ANSWER_MS = 60_000;
const ANSWER_PAUSE_MS = 500;
const RETRY_WAKE_MS = 1_000;
const LAST_COMMITS_MS = 5_000;

/** The machines' times, from the settings. */
export const policyOf = (c: Config): Policy => ({
  poll: { minMs: c.POLL_MIN_MS, maxMs: c.POLL_MAX_MS, factor: c.POLL_FACTOR, jitter: c.POLL_JITTER },
  safetyNet: {
    minMs: Math.max(15_000, c.POLL_MIN_MS),
    maxMs: Math.max(60_000, c.POLL_MAX_MS),
    factor: 2,
    jitter: c.POLL_JITTER,
  },
  startTimeoutMs: c.START_TIMEOUT_MS,
  notAfterMs: c.NOT_AFTER_MS,
  submitTimeoutMs: c.SUBMIT_TIMEOUT_MS,
  pollTimeoutMs: c.POLL_TIMEOUT_MS,
  cancelTimeoutMs: c.CANCEL_TIMEOUT_MS,
  ingestTimeoutMs: c.INGEST_TIMEOUT_MS,
  retryLimit: c.RETRY_LIMIT,
  pause: { minMs: c.PAUSE_MIN_MS, maxMs: c.PAUSE_MAX_MS },
  failoverAfterMs: c.FAILOVER_AFTER_MS,
  uploadTtlMs: c.UPLOAD_TTL_S * 1000,
  verifyTimeoutMs: 60_000,
  delivery: { minMs: c.WEBHOOK_RETRY_MIN_MS, maxMs: c.WEBHOOK_RETRY_MAX_MS, factor: 4, jitter: 0.2 },
  deliveryRetries: c.WEBHOOK_RETRY_LIMIT,
  deliverTimeoutMs: c.WEBHOOK_TIMEOUT_MS,
});

export type EngineDeps = {
  config: Config;
  /** Reads, and the one pool that writes. */
  query: Query;
  write: Query;
  clock: Clock;
  /** Time that no correction of a clock moves, ms. */
  monotonic?(): number;
  draws: Draws;
  log: Log;
  /** Whether this is the only node. */
  alone: boolean;
  /** What the slices put into the commit of a step. */
  rows(change: ActorChange): Rows;
  /** Facts that were just committed here. */
  announce(facts: Fact[]): void;
  /** An actor has just been changed here. */
  changed?(change: ActorChange): void;
  observe: {
    commit(seconds: number, outcomes: readonly UnitOutcome["kind"][]): void;
    /** Units were given up, for now, or refused by the database. */
    failed(how: "unavailable" | "refused", units: number): void;
    effect(effect: string, outcome: string, seconds: number): void;
    /** A timer has fired so much after its instant; `takenOver`: by the sweep, for a node that did not. */
    timer(takenOver: boolean, seconds: number): void;
  };
};

export const createEngine = (deps: EngineDeps) => {
  const { config, query, write, clock, draws, log, monotonic = () => performance.now() } = deps;
  const policy = policyOf(config);
  const registry = createRegistry(policy);
  const watch = createWatch();
  const warmth = createWarmth({ query, registry, size: config.CACHE_ACTORS });
  const pause = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
  const handlers: Record<string, EffectHandler> = {};
  let draining = false;
  let closing = false;

  const committer = createCommitter({
    query: write,
    log,
    id: draws.id,
    patienceMs: PATIENCE_MS,
    pause,
    monotonic,
    observe: deps.observe.commit,
    failed: deps.observe.failed,
  });

  const dispatch = createDispatch({
    registry,
    query,
    committer,
    warmth,
    clock,
    draws,
    log,
    patienceMs: PATIENCE_MS,
    monotonic,
    rows: deps.rows,
    observe: deps.observe.timer,
    aftermath: {
      actor: (change, soft) => {
        timers.set(change.id, draining ? null : change.wakeAt);
        if (change.done) effects.forget(change.id);
        // Counted from the step, as its watchdogs are: this node may have stood still before it heard of the commit.
        const committedAt = monotonic() - (clock.now() - change.at);
        for (const { type, params } of change.effects) effects.execute(change, type, params, committedAt);
        if (change.account !== null && (change.slots < 0 || change.turns > 0 || change.report !== null))
          admission.hint(change.account);
        if (soft) return;
        watch.notify(change);
        deps.changed?.(change);
      },
      facts: deps.announce,
    },
  });

  const timers = createTimers(clock, (id) => {
    dispatch.send(id, { type: "wake" }).catch((error) => {
      // The table still has its wake_at; try again soon, and leave it to the sweep if this node dies.
      if (isPassing(error)) timers.set(id, clock.now() + RETRY_WAKE_MS);
      else if (!(error instanceof Problem)) log.error({ err: error, actor_id: id }, "timer failed");
    });
  });

  const answer = async (actor: string, command: MachineEvent): Promise<void> => {
    const until = clock.now() + ANSWER_MS;
    for (;;) {
      try {
        await dispatch.send(actor, command);
        return;
      } catch (error) {
        if (!isPassing(error) || clock.now() > until || closing) throw error;
        await pause(ANSWER_PAUSE_MS);
      }
    }
  };
  const effects = createEffects({
    handlers,
    notAfterMs: config.NOT_AFTER_MS,
    monotonic,
    after: clock.after,
    answer,
    observe: deps.observe.effect,
    log,
  });
  const admission = createAdmission({ query, clock, start: (job) => dispatch.send(job, { type: "start" }), log });
  const stalled = createStalled({ query, afterMs: config.FAILOVER_AFTER_MS, send: dispatch.send, log });
  const sweep = createSweep({
    query,
    clock,
    timers,
    registry,
    alone: deps.alone,
    graceMs: config.TAKEOVER_GRACE_MS,
    watchdogMs:
      policy.notAfterMs +
      Math.max(policy.ingestTimeoutMs, policy.submitTimeoutMs, policy.verifyTimeoutMs, policy.deliverTimeoutMs) +
      2 * WATCHDOG_MARGIN_MS,
    idempotencyTtlMs: config.IDEMPOTENCY_TTL_S * 1000,
    wake: (id, wake) => {
      dispatch.send(id, wake).catch((error) => {
        if (!(error instanceof Problem)) log.warn({ err: error, actor_id: id }, "wake failed");
      });
    },
    offer: warmth.offer,
    pinned: warmth.pinned,
    admit: async () => {
      await admission.sweep();
      await stalled.sweep();
    },
    log,
  });

  const quiet = async () => {
    await effects.idle();
    await admission.idle();
    await dispatch.idle();
    await committer.idle();
  };
  const beginNothing = async () => {
    draining = true;
    admission.close();
    timers.close();
    await sweep.close();
  };

  return {
    dispatch,
    watch,
    registry,
    /** Adds what executes some effects. Before `start`. */
    handle: (more: Record<string, EffectHandler>) => Object.assign(handlers, more),
    start: () => sweep.start(),
    pendingUnits: committer.depth,
    /** Resolves when nothing is running: effects, admission, mailboxes, commits. Timers may be set. */
    settle: async () => {
      for (let calm = 0; calm < 2; calm++) await quiet();
    },
    /** Begins nothing by itself any more; commands are still taken. Resolves when what was begun is done. */
    drain: async () => {
      await beginNothing();
      await quiet();
    },
    /** Gives up what still runs; its answers are dropped. Waits for the last commits. */
    close: async () => {
      closing = true;
      await beginNothing();
      effects.close();
      await Promise.race([quiet(), pause(LAST_COMMITS_MS)]);
    },
  };
};
