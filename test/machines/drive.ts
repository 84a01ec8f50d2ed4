import type { AnyStateMachine } from "xstate";
import { createStep, type MachineEvent, nextStep, type Step, stateName, wakeAt } from "../../machines/step.ts";

/** Virtual time starts here, so that an instant cannot be mistaken for a duration. */
export const T0 = 1_000_000;

/** The id that events of an instant carry, e.g. that of an attempt that starts then. */
export const idAt = (now: number) => `id@${now - T0}`;

/** One actor in virtual time: `send` feeds an event now, `pass` lets time go by and fires what falls due. */
export const drive = (machine: AnyStateMachine, input: Record<string, unknown>) => {
  let now = T0;
  let draw = 0.5;
  const stamp = () => ({ at: now, draw, id: idAt(now) });
  let step: Step = createStep(machine, input, stamp());
  const facts = [...step.facts];
  const effects = [...step.effects];
  const tells = [...step.tells];
  const visited = [stateName(step.snapshot.value)];

  const feed = (events: MachineEvent[]): Step => {
    // Through JSON, as a row of the database.
    step = nextStep(machine, JSON.parse(JSON.stringify(step.snapshot)), events, stamp);
    facts.push(...step.facts);
    effects.push(...step.effects);
    tells.push(...step.tells);
    if (visited.at(-1) !== stateName(step.snapshot.value)) visited.push(stateName(step.snapshot.value));
    return step;
  };

  return {
    now: () => now,
    state: () => stateName(step.snapshot.value),
    context: () => step.snapshot.context as Record<string, unknown>,
    snapshot: () => step.snapshot,
    last: () => step,
    /** When it wants to be woken, ms from now; null: never. */
    wakesIn: () => {
      const at = wakeAt(step.snapshot.timers);
      return at === null ? null : at - now;
    },
    /** All that was said and asked for so far, in order. */
    facts: () => facts.map(({ type }) => type),
    effects: () => effects,
    tells: () => tells,
    /** States at the end of each step, without repetitions. */
    visited: () => visited,
    /** The uniform draw of the events to come; 0.5 is a jitter of nothing. */
    drawing: (value: number) => {
      draw = value;
    },
    send: (type: string, payload: Record<string, unknown> = {}) => feed([{ ...payload, type }]),
    sendAll: (events: MachineEvent[]) => feed(events),
    /** Time goes by; every timer fires at its own instant, as with a node that is alive. */
    pass: (ms: number) => {
      const until = now + ms;
      for (let next = wakeAt(step.snapshot.timers); next !== null && next <= until; ) {
        now = Math.max(now, next);
        feed([{ type: "wake" }]);
        next = wakeAt(step.snapshot.timers);
      }
      now = until;
    },
    /** Time goes by while every node is down: nothing fires until the next event. */
    sleep: (ms: number) => {
      now += ms;
    },
  };
};
export type Driven = ReturnType<typeof drive>;
