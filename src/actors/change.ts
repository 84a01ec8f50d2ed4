/** What a step changes: the actor's row and all that is committed with it. */
import type { Kind, Registry } from "../../machines/registry.ts";
import { eventLabel, type MachineEvent, type Snapshot, type Step, stateName, wakeAt } from "../../machines/step.ts";
import type { Draws } from "../ports.ts";
import type { ActorChange, Identity, Letter } from "./unit.ts";
import type { Warm } from "./warm.ts";

const REASON_LENGTH = 200;

/** Empty for a snapshot so broken that it has none: it can still be parked. */
const stateOf = ({ value }: Snapshot): string => (value ? stateName(value) : "");

/** Null, the same. */
const statusOf = (kind: Kind, snapshot: Snapshot): string | null => {
  try {
    return kind.status(snapshot);
  } catch {
    return null;
  }
};

/** Why, in the words of whoever sent the event: its code, else its reason. */
export const reasonIn = (event: MachineEvent | undefined): string | null => {
  const said = { ...event, ...((event?.outcome ?? {}) as Record<string, unknown>) };
  const words = said.code ?? said.reason;
  return typeof words === "string" ? words.slice(0, REASON_LENGTH) : null;
};

export type Changes = {
  /**
   * The change that takes an actor from what it was (null: nothing) to what a step made of it. `cause`: the trace of
   * what the step is for, if that is not the request which made the actor.
   */
  of(
    identity: Identity,
    before: Warm | null,
    step: Step,
    at: number,
    drains?: Letter[],
    cause?: string | null,
  ): ActorChange;
  /** No fact, no message, no change of reserves, and effects that may be executed twice: not worth a write. */
  isSoft(change: ActorChange): boolean;
};

export const createChanges = ({ registry, draws }: { registry: Registry; draws: Draws }): Changes => {
  const change = (
    identity: Identity,
    before: Warm | null,
    step: Step,
    at: number,
    drains: Letter[] = [],
    cause: string | null = null,
  ): ActorChange => {
    const kind = registry[identity.kind];
    const view = step.facts.length > 0 ? kind.view(step.snapshot) : {};
    // A job may have moved. The step that takes it there holds nothing yet, so what changes is the new account's.
    const account = kind.account?.(step.snapshot) ?? identity.account;
    const delta = (tag: string) =>
      ((step.tags.has(tag) && !step.done ? 1 : 0) - (before?.tags.has(tag) ? 1 : 0)) as -1 | 0 | 1;
    return {
      ...identity,
      account,
      expect: before?.version ?? 0,
      machineVersion: kind.version,
      snapshot: step.snapshot,
      state: stateOf(step.snapshot),
      fromState: before?.committedState ?? null,
      status: statusOf(kind, step.snapshot),
      wakeAt: wakeAt(step.snapshot.timers),
      done: step.done,
      parkedReason: null,
      at,
      event: step.events.map(eventLabel).at(-1) ?? "drain",
      folded: [...(before?.folded ?? []), ...step.events.map(eventLabel).slice(0, -1)],
      reason: null,
      effects: step.effects,
      facts: step.facts.map(({ type, ...extra }) => ({
        id: draws.id(),
        type,
        data: { [`${identity.kind}_id`]: identity.id, ...identity.labels, ...view, ...extra },
        traceparent: cause ?? identity.traceparent,
      })),
      drains,
      tells:
        cause === null
          ? step.tells
          : step.tells.map(({ to, event }) => ({ to, event: { ...event, traceparent: cause } })),
      slots: account === null ? 0 : delta("slot"),
      turns: account === null ? 0 : delta("turn"),
      report: step.report,
    };
  };

  const isSoft = (c: ActorChange) =>
    c.facts.length + c.tells.length + c.drains.length === 0 &&
    c.slots === 0 &&
    c.turns === 0 &&
    c.report === null &&
    !c.done &&
    c.effects.length > 0 &&
    c.effects.every(({ type }) => registry[c.kind].repeatable.includes(type));

  return { of: change, isSoft };
};
