/**
 * The only code that changes an actor: mailbox → snapshot → pure step → commit → what follows.
 *
 *   won              cache, timers, effects, facts, messages to other actors
 *   version_lost     another node was first: reload and step again, bounded
 *   reserve_denied   no slot was free, or the account's rate or a pause forbids it: nothing happened
 *   refused          what the database does not take three times in a row is poison, as a step that throws: parked
 *   soft step        nothing to commit (see change.ts): stays in memory until the next commit folds it in
 */
import { LRUCache } from "lru-cache";
import type { Registry } from "../../machines/registry.ts";
import type { Stamp } from "../../machines/stamp.ts";
import {
  BrokenSnapshot,
  createStep,
  type MachineEvent,
  nextStep,
  type Snapshot,
  type Step,
  wakeAt,
} from "../../machines/step.ts";
import type { Query } from "../db/queries.ts";
import { isRefusal } from "../db/sqlstate.ts";
import { Problem } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Clock, Draws, Fact } from "../ports.ts";
import { createChanges, reasonIn } from "./change.ts";
import type { Committer } from "./commit.ts";
import { createMailbox } from "./mailbox.ts";
import {
  type ActorChange,
  emptyUnit,
  type Identity,
  type Letter,
  type Rows,
  type Unit,
  type UnitOutcome,
} from "./unit.ts";
import type { Warm, Warmth } from "./warm.ts";

const RACES = 10;
const STEP_TRIES = 3;
/** How long an actor is left alone whose row takes no change at all, so that it cannot even be parked. */
const REST_MS = 60_000;
const MOST_RESTING = 1_000;

/** What a committed (or soft) change means to the rest of the node. */
export type Aftermath = {
  /** Called for every actor of a unit that won, in order, and for soft steps with `soft` true. */
  actor(change: ActorChange, soft: boolean): void;
  facts(facts: Fact[]): void;
};

/**
 * Wakes an actor: its due timers fire; with `mail`, its inbox is drained too. `claimed`: the sweep pushed
 * `wake_at` ahead, so the true one is written back when nothing was due. `interrupted`: whoever was executing
 * its effects is certainly gone, so its watchdogs are due.
 */
export type Wake = { type: "wake"; mail?: boolean; claimed?: boolean; interrupted?: boolean };

export type Sent = {
  outcome: "won" | "soft" | "unchanged" | "reserve_denied";
  snapshot: Snapshot;
  version: number;
};

export type Dispatch = {
  /**
   * Feeds one command. Rejects with `Problem`: not_found, conflict (parked), unavailable. `traceparent`: of the request
   * that it is for; what follows from it at once carries that, and not the trace of the request that made the actor.
   */
  send(id: string, event: MachineEvent | Wake, traceparent?: string | null): Promise<Sent>;
  /** A new actor, to be put into a unit. */
  create(identity: Identity, input: Record<string, unknown>): ActorChange;
  /** Commits a unit and does what follows. */
  submit(unit: Unit): Promise<UnitOutcome>;
  idle(): Promise<void>;
};

type InboxRow = Letter & { event: MachineEvent };

/** The trace that a letter brings along. */
const traceIn = (event: MachineEvent | undefined): string | null =>
  typeof event?.traceparent === "string" ? event.traceparent : null;

const outOfService = () => new Problem("conflict", "This was taken out of service for inspection");

export const createDispatch = (deps: {
  registry: Registry;
  query: Query;
  committer: Committer;
  warmth: Warmth;
  clock: Clock;
  draws: Draws;
  log: Log;
  /** How long a command may wait for those before it, ms. */
  patienceMs: number;
  /** Time that no correction of a clock moves, ms. */
  monotonic(): number;
  aftermath: Aftermath;
  /** Rows of the slices that belong into the same commit as a step, e.g. a job's outputs. */
  rows(change: ActorChange): Rows;
  /** Told of each timer that a wake fires: whether the sweep claimed it, and how late it is, s. */
  observe(claimed: boolean, seconds: number): void;
}): Dispatch => {
  const { registry, warmth, clock, draws } = deps;
  const mailbox = createMailbox(deps);
  const resting = new LRUCache<string, true>({ max: MOST_RESTING, ttl: REST_MS, perf: { now: deps.monotonic } });
  const stamps = (): Stamp => ({ at: clock.now(), draw: draws.random(), id: draws.id() });

  const changes = createChanges(deps);

  const remember = (before: Warm | null, c: ActorChange, step: Step | null, soft: boolean) => {
    const { id, kind, owner, stream, account, labels, traceparent } = c;
    warmth.keep({
      identity: { id, kind, owner, stream, account, labels, traceparent },
      version: soft ? c.expect : c.expect + 1,
      snapshot: c.snapshot,
      tags: step?.tags ?? new Set(),
      folded: soft ? [...c.folded, c.event] : [],
      committedState: soft ? (before?.committedState ?? c.state) : c.state,
      committedStatus: soft ? (before?.committedStatus ?? c.status) : c.status,
      done: c.done,
    });
  };

  const factsOf = (unit: Unit, seqs: { seq: number; ownerSeq: number }[]): Fact[] => {
    const own = unit.actors.flatMap(({ id, kind, owner, stream, at, facts }) =>
      facts.map((fact) => ({ ...fact, stream, owner, at, actorKind: kind as string, actorId: id })),
    );
    const slices = unit.facts.map((fact) => ({ ...fact, traceparent: unit.traceparent }));
    return [...own, ...slices].map((fact, n) => ({ ...fact, ...(seqs[n] as { seq: number; ownerSeq: number }) }));
  };

  const follow = (unit: Unit, outcome: UnitOutcome) => {
    if (outcome.kind !== "won") return;
    const facts = factsOf(unit, outcome.seqs);
    if (facts.length > 0) deps.aftermath.facts(facts);
    for (const actor of unit.actors) deps.aftermath.actor(actor, false);
    const targets = new Set([...unit.actors.flatMap(({ tells }) => tells), ...unit.tells].map(({ to }) => to));
    for (const to of targets) hint(to, { type: "wake", mail: true });
  };

  const submit = async (unit: Unit): Promise<UnitOutcome> => {
    for (const actor of unit.actors) mergeRows(unit.rows, deps.rows(actor));
    const outcome = await deps.committer.commit(unit);
    // Created actors are not kept warm: most wait for a slot first.
    follow(unit, outcome);
    return outcome;
  };

  const commitStep = async (before: Warm, c: ActorChange, step: Step | null): Promise<UnitOutcome["kind"]> => {
    const unit = { ...emptyUnit(draws.id()), actors: [c], rows: deps.rows(c) };
    let outcome: UnitOutcome;
    try {
      outcome = await deps.committer.commit(unit);
    } catch (error) {
      // Whether it was committed is not known here; the table is.
      warmth.forget(c.id);
      throw error;
    }
    if (outcome.kind === "won") {
      if (c.parkedReason === null) remember(before, c, step, false);
      else warmth.forget(c.id);
      follow(unit, outcome);
    } else if (outcome.kind !== "reserve_denied") warmth.forget(c.id);
    return outcome.kind;
  };

  const park = async (actor: Warm, error: unknown, event: string): Promise<void> => {
    const reason = error instanceof Error ? error.message.slice(0, 500) : "the step threw";
    deps.log.error({ err: error, actor_id: actor.identity.id, actor_kind: actor.identity.kind }, "actor parked");
    const parked: ActorChange = {
      ...changes.of(
        actor.identity,
        actor,
        {
          snapshot: { ...actor.snapshot, timers: {} },
          facts: [],
          effects: [],
          tells: [],
          report: null,
          events: [event],
          // What it held goes back; whoever puts it into service again asks anew.
          tags: new Set(),
          done: false,
          changed: true,
        },
        clock.now(),
      ),
      // What is stored may not tell.
      state: actor.committedState,
      status: actor.committedStatus,
      parkedReason: reason || "the step threw",
    };
    try {
      await commitStep(actor, parked, null);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      deps.log.error({ err: error, actor_id: actor.identity.id }, "actor cannot even be parked; it is left alone");
      resting.set(actor.identity.id, true);
    }
  };

  /** A pure step may fail on a draw; three failures in a row mean that the snapshot is poison. */
  const step = (actor: Warm, events: MachineEvent[]): Step => {
    for (let tries = 1; ; tries++) {
      try {
        return nextStep(registry[actor.identity.kind].machine, actor.snapshot, events, stamps);
      } catch (error) {
        if (error instanceof BrokenSnapshot || tries === STEP_TRIES) throw error;
      }
    }
  };

  const process = async (id: string, event: MachineEvent | Wake, traceparent: string | null): Promise<Sent> => {
    if (event.type === "wake" && resting.has(id)) throw outOfService();
    let refusals = 0;
    for (let race = 0; race < RACES; race++) {
      const actor = await warmth.find(id);
      const letters =
        event.type === "wake" && (event as Wake).mail ? await deps.query<InboxRow>("loadInbox", [id]) : [];
      const events = letters.length > 0 ? letters.map((letter) => letter.event) : [event as MachineEvent];
      let due: number | null;
      let next: Step;
      try {
        due = event.type === "wake" ? wakeAt(actor.snapshot.timers) : null;
        next = step(actor, events);
      } catch (error) {
        await park(actor, error, event.type);
        throw outOfService();
      }
      const answer = (outcome: Sent["outcome"], version: number): Sent => ({
        outcome,
        snapshot: next.snapshot,
        version,
      });
      if (!next.changed) {
        if (letters.length > 0) await dropLetters(id, letters);
        if ((event as Wake).claimed) await restoreWakeAt(actor);
        warmth.keep(actor);
        deps.aftermath.actor({ ...changes.of(actor.identity, actor, next, clock.now()), effects: [] }, true);
        return answer("unchanged", actor.version);
      }
      if (due !== null && due <= clock.now())
        deps.observe((event as Wake).claimed ?? false, (clock.now() - due) / 1000);
      const drains = letters.map(({ source, source_version, n }) => ({ source, source_version, n }));
      const cause = traceparent ?? traceIn(events.at(-1));
      const c = {
        ...changes.of(actor.identity, actor, next, clock.now(), drains, cause),
        reason: reasonIn(events.at(-1)),
      };
      if (changes.isSoft(c)) {
        remember(actor, c, next, true);
        deps.aftermath.actor(c, true);
        return answer("soft", actor.version);
      }
      let outcome: UnitOutcome["kind"];
      try {
        outcome = await commitStep(actor, c, next);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        if (++refusals < STEP_TRIES) continue;
        await park(await warmth.find(id), error, event.type);
        throw outOfService();
      }
      if (outcome === "won") return answer("won", c.expect + 1);
      if (outcome === "reserve_denied") return { outcome, snapshot: actor.snapshot, version: actor.version };
    }
    throw new Problem("unavailable", "Too many changes at once; try again", { retryAfter: 1 });
  };

  const dropLetters = (id: string, letters: InboxRow[]) =>
    deps.query("dropLetters", [
      id,
      letters.map(({ source }) => source),
      letters.map(({ source_version }) => source_version),
      letters.map(({ n }) => n),
    ]);

  const restoreWakeAt = async ({ identity, snapshot, version }: Warm) => {
    const at = wakeAt(snapshot.timers);
    await deps.query("fixWakeAt", [identity.id, at === null ? null : new Date(at), version]);
  };

  const send = (id: string, event: MachineEvent | Wake, traceparent: string | null = null) =>
    mailbox.post(id, event, () => process(id, event, traceparent));

  /** A wake whose loss costs latency only: the sweep finds what it missed. */
  const hint = (id: string, wake: Wake) => {
    send(id, wake).catch((error) => {
      if (!(error instanceof Problem)) deps.log.warn({ err: error, actor_id: id }, "wake failed");
    });
  };

  return {
    send,
    create: (identity, input) => {
      const stamp = stamps();
      const made = createStep(registry[identity.kind].machine, input, stamp);
      return changes.of(identity, null, made, stamp.at);
    },
    submit,
    idle: () => mailbox.idle(),
  };
};

const mergeRows = (into: Rows, from: Rows) => {
  for (const [table, rows] of Object.entries(from) as [keyof Rows, Rows[keyof Rows]][]) {
    into[table] = [...(into[table] ?? []), ...(rows ?? [])];
  }
};
