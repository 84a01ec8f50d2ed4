/**
 * The pure host of every machine: (snapshot, events) → (snapshot, what follows from it). It holds the
 * only `xstate.*` strings of the project. Nothing here reads a clock, draws a number or does I/O, so
 * a step can be repeated after a lost race and replayed in a simulation.
 *
 * What a machine's actions become:
 *   emit          → facts      (appended to the actor's stream in the same commit)
 *   after         → timers     (stored in the snapshot as absolute instants)
 *   tell          → messages   (rows in another actor's inbox)
 *   report        → the account's row, in the same commit: what was learned of it
 *   other actions → effects    (data until the commit, executed after it)
 */
import { type AnyStateMachine, initialTransition, type MachineSnapshot, type StateValue, transition } from "xstate";
import type { Stamp } from "./stamp.ts";

/** Event name → instant (ms) at which it is due. */
export type Timers = Record<string, number>;
export type Snapshot = {
  value: StateValue;
  context: Record<string, unknown>;
  timers: Timers;
};
export type MachineEvent = { type: string } & Record<string, unknown>;
export type Effect = { type: string; params: Record<string, unknown> };
export type Tell = { to: string; event: MachineEvent };
/** What a step learned of its provider account: it pauses, or it took what was sent. */
export type Report = { pause: Record<string, unknown> } | { opens: true };
export type Emitted = { type: string } & Record<string, unknown>;

export type Step = {
  snapshot: Snapshot;
  facts: Emitted[];
  effects: Effect[];
  tells: Tell[];
  report: Report | null;
  /** The events that were fed, timers' included, in order. */
  events: string[];
  tags: ReadonlySet<string>;
  done: boolean;
  /** False when no event was taken: there is nothing to commit. */
  changed: boolean;
};

type Running = MachineSnapshot<Record<string, unknown>, never, never, StateValue, string, never, never, never>;
type Action = { type: string; params: unknown };
type DelayedRaise = { event: { type: string }; delay?: number };

/** A snapshot that does not restore, or an action that threw: the actor must be parked, not written. */
export class BrokenSnapshot extends Error {
  override name = "BrokenSnapshot";
}

const checked = (snapshot: Running): Running => {
  if (snapshot.status === "error") throw new BrokenSnapshot(String(snapshot.error));
  return snapshot;
};

const restore = (machine: AnyStateMachine, { value, context }: Snapshot): Running => {
  try {
    if (typeof context !== "object" || context === null) throw new BrokenSnapshot("it has no context");
    const restored = checked(machine.resolveState({ value, context }) as unknown as Running);
    // A state that got children since would come back in the first of them, without that one's timers.
    if (stateName(restored.value) !== stateName(value))
      throw new BrokenSnapshot(`${stateName(value)} is no whole state`);
    return restored;
  } catch (error) {
    throw error instanceof BrokenSnapshot ? error : new BrokenSnapshot(String(error));
  }
};

const AFTER = "xstate.after.";

/** `xstate.after.pollDelay.job.running.waiting` → `after pollDelay`, for people. */
export const eventLabel = (type: string): string =>
  type.startsWith(AFTER) ? `after ${type.slice(AFTER.length).split(".")[0]}` : type;

/** `{running: "waiting"}` → `running.waiting`. */
export const stateName = (value: StateValue): string =>
  typeof value === "string"
    ? value
    : Object.entries(value)
        .map(([parent, child]) => (child === undefined ? parent : `${parent}.${stateName(child)}`))
        .join(",");

/** The earliest instant at which the actor wants to be woken, or null. */
export const wakeAt = (timers: Timers): number | null => {
  const instants = Object.values(timers);
  return instants.length === 0 ? null : Math.min(...instants);
};

/** Delays that wait for the answer of an effect are named so. */
const isWatchdog = (event: string): boolean => /Watchdog\./.test(event);

/** The node that was to execute this actor's effects is gone: its watchdogs need not wait any longer. */
const hasten = (timers: Timers, now: number) => {
  for (const [event, at] of Object.entries(timers)) if (isWatchdog(event)) timers[event] = Math.min(at, now);
};

const dueTimer = (timers: Timers, now: number): string | undefined =>
  Object.entries(timers)
    .filter(([, at]) => at <= now)
    .sort(([, a], [, b]) => a - b)[0]?.[0];

/** Sorts a transition's actions into the accumulating step. */
const collect = (step: Step, actions: Action[], at: number) => {
  for (const { type, params } of actions) {
    if (type === "xstate.raise") {
      const { event, delay } = params as DelayedRaise;
      if (delay === undefined) continue;
      step.snapshot.timers[event.type] = at + Math.max(0, delay);
    } else if (type === "xstate.cancel") {
      delete step.snapshot.timers[(params as { sendId: string }).sendId];
    } else if (type === "xstate.emit") {
      step.facts.push((params as { event: Emitted }).event);
    } else if (type === "tell") {
      const { to, event } = params as { to: string[]; event: MachineEvent };
      step.tells.push(...to.map((target) => ({ to: target, event })));
    } else if (type === "report") {
      step.report = params as Report;
    } else if (type.startsWith("xstate.")) {
      throw new BrokenSnapshot(`machines may not use ${type}`);
    } else {
      step.effects.push({
        type,
        params: (params ?? {}) as Record<string, unknown>,
      });
    }
  }
};

const settle = (step: Step, machine: Running) => {
  step.snapshot = {
    ...step.snapshot,
    value: machine.value,
    context: machine.context,
  };
  step.tags = machine.tags;
  step.done = machine.status === "done";
  if (step.done) step.snapshot.timers = {};
};

const emptyStep = (snapshot: Snapshot): Step => ({
  snapshot: { ...snapshot, timers: { ...snapshot.timers } },
  facts: [],
  effects: [],
  tells: [],
  report: null,
  events: [],
  tags: new Set(),
  done: false,
  changed: false,
});

/** Creates an actor. `input` reaches the context factory; the stamp dates the first delays. */
export const createStep = (machine: AnyStateMachine, input: Record<string, unknown>, stamp: Stamp): Step => {
  const [next, actions] = initialTransition(machine, { ...input, ...stamp });
  const step = emptyStep({ value: {}, context: {}, timers: {} });
  collect(step, actions as Action[], stamp.at);
  settle(step, checked(next as unknown as Running));
  step.events.push("create");
  step.changed = true;
  return step;
};

/**
 * Feeds the timers that are due (oldest first), then `events` in order, to a stored snapshot. Every
 * event gets its own stamp from `stamps`. The event `wake` stands for the timers alone; with `interrupted`
 * the watchdogs in the snapshot are due at once. Throws `BrokenSnapshot` when the snapshot does not restore.
 */
export const nextStep = (
  machine: AnyStateMachine,
  stored: Snapshot,
  events: readonly MachineEvent[],
  stamps: () => Stamp,
): Step => {
  const step = emptyStep(stored);
  let current = restore(machine, stored);
  const feed = (event: MachineEvent, stamp: Stamp) => {
    const [next, actions] = transition(machine, current as never, { ...event, ...stamp } as never);
    const taken = (next as unknown) !== current || actions.length > 0;
    current = checked(next as unknown as Running);
    collect(step, actions as Action[], stamp.at);
    if (!taken) return;
    step.events.push(event.type);
    step.changed = true;
  };
  for (const event of events) {
    if (event.type === "wake" && event.interrupted) hasten(step.snapshot.timers, stamps().at);
    for (let fired = 0; current.status !== "done"; fired++) {
      const stamp = stamps();
      const due = dueTimer(step.snapshot.timers, stamp.at);
      if (due === undefined) break;
      if (fired === 100) throw new BrokenSnapshot(`timers of state ${stateName(current.value)} fire without end`);
      delete step.snapshot.timers[due];
      feed({ type: due }, stamp);
      step.changed = true;
    }
    if (event.type !== "wake") feed(event, stamps());
  }
  settle(step, current);
  return step;
};

/** `running.waiting` → `{running: "waiting"}`. */
const stateValue = (name: string): StateValue => {
  const [head = "", ...rest] = name.split(".");
  return rest.length === 0 ? head : { [head]: stateValue(rest.join(".")) };
};

/** The tags of a state by its name; none when the machine does not have it. */
export const tagsOf = (machine: AnyStateMachine, state: string): ReadonlySet<string> => {
  try {
    return checked(machine.resolveState({ value: stateValue(state) } as never) as unknown as Running).tags;
  } catch {
    return new Set();
  }
};
