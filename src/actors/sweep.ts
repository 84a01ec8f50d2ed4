/**
 * Once a second: what fell through. Timers that a dead node had set, messages whose hint was lost,
 * free slots nobody was told of; once a minute, what has outlived its use.
 *
 * A node alone arms its own heap with what is due within the next tick, so that after a crash every
 * timer fires on time. Several nodes leave a grace to whoever set the timer, then claim: twice a second, so
 * that the last one left takes over within a second after the grace.
 */
import type { Registry } from "../../machines/registry.ts";
import type { Query } from "../db/queries.ts";
import { isRefusal } from "../db/sqlstate.ts";
import type { Log } from "../log.ts";
import type { Clock } from "../ports.ts";
import type { Wake } from "./dispatch.ts";
import type { Timers } from "./timers.ts";
import type { ActorRow } from "./warm.ts";

const TICK_MS = 1_000;
const CLAIM_MS = 500;
const HOUSEKEEPING_MS = 60_000;
/** Longer than any provider delivers a webhook again. */
const HOOKS_MS = 24 * 3_600_000;
const CLAIMS = 500;
const ARMED = 5_000;
const FIRST_ID = "00000000-0000-0000-0000-000000000000";

export const createSweep = (deps: {
  query: Query;
  clock: Clock;
  timers: Timers;
  registry: Registry;
  alone: boolean;
  graceMs: number;
  idempotencyTtlMs: number;
  /** The longest that a watchdog waits, ms. */
  watchdogMs: number;
  wake(actor: string, wake: Wake): void;
  /** Told of each actor that was read, before it is woken. */
  offer(row: ActorRow): void;
  pinned(): string[];
  admit(): Promise<void>;
  log: Log;
}) => {
  const { query, clock, timers } = deps;
  const versions = Object.fromEntries(Object.entries(deps.registry).map(([kind, { version }]) => [kind, version]));
  let cancel = () => {};
  let closed = false;
  let housekept = 0;
  let covered = Number.NEGATIVE_INFINITY;
  let current: Promise<void> = Promise.resolve();
  let resuming: { horizon: Date; after: string } | null = null;

  const arm = async (now: number) => {
    const pinned = new Set(deps.pinned());
    const rows = await query<{ id: string; wake_at: number }>("dueSoon", [new Date(now + 1.5 * TICK_MS), ARMED]);
    for (const { id, wake_at } of rows) if (!timers.armed(id) && !pinned.has(id)) timers.set(id, wake_at);
  };

  /**
   * Nobody else can be executing anything: what was under way when the node before died is asked for again. What fails
   * goes on with the next tick, from where it was.
   */
  const resume = async () => {
    while (resuming !== null) {
      const rows = await query<{ id: string }>("interrupted", [resuming.horizon, resuming.after, CLAIMS]);
      for (const { id } of rows) deps.wake(id, { type: "wake", interrupted: true });
      const last = rows.at(-1);
      resuming = last && rows.length === CLAIMS ? { ...resuming, after: last.id } : null;
    }
  };

  /** One row among them takes no change at all. Two nodes may step the same actor then: one of them loses. */
  const wakeUnclaimed = async (overdue: Date) => {
    for (const { id } of await query<{ id: string }>("dueSoon", [overdue, CLAIMS])) deps.wake(id, { type: "wake" });
  };

  const claim = async (now: number) => {
    const overdue = new Date(now - deps.graceMs);
    const ahead = new Date(now + deps.graceMs);
    for (;;) {
      let rows: ActorRow[];
      try {
        rows = await query<ActorRow>("claimOverdue", [overdue, deps.pinned(), CLAIMS, ahead, versions]);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return wakeUnclaimed(overdue);
      }
      for (const row of rows) {
        deps.offer(row);
        deps.wake(row.id, { type: "wake", claimed: true });
      }
      if (rows.length < CLAIMS || closed) return;
    }
  };

  const mail = async (now: number) => {
    const age = deps.alone ? TICK_MS : deps.graceMs;
    for (const { target } of await query<{ target: string }>("overdueInbox", [new Date(now - age), CLAIMS])) {
      deps.wake(target, { type: "wake", mail: true });
    }
  };

  const housekeep = async (now: number) => {
    if (now - housekept < HOUSEKEEPING_MS) return;
    housekept = now;
    await query("sweepIdempotency", [new Date(now - deps.idempotencyTtlMs)]);
    await query("sweepCommits", [new Date(now - 3_600_000)]);
    await query("sweepHooks", [new Date(now - HOOKS_MS)]);
    await query("sweepTickets", [new Date(now)]);
    await query("ensurePartitions");
  };

  const tick = async () => {
    const now = clock.now();
    await resume();
    await (deps.alone ? arm(now) : claim(now));
    if (now - covered < TICK_MS) return;
    covered = now;
    await mail(now);
    await deps.admit();
    await housekeep(now);
  };

  const next = () => {
    if (closed) return;
    cancel = clock.after(deps.alone ? TICK_MS : CLAIM_MS, () => {
      current = run();
    });
  };
  const run = async () => {
    await tick().catch((error) => deps.log.warn({ err: error }, "sweep failed; the next one follows"));
    next();
  };

  return {
    /** The first sweep, then one a second. */
    start: async () => {
      if (deps.alone) resuming = { horizon: new Date(clock.now() + deps.watchdogMs), after: FIRST_ID };
      current = run();
      await current;
    },
    close: async () => {
      closed = true;
      cancel();
      await current;
    },
  };
};
