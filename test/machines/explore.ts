import { type AnyMachineSnapshot, type AnyStateMachine, type AnyStateNode, getMicrosteps } from "xstate";
import { getAdjacencyMap } from "xstate/graph";

type Event = { type: string } & Record<string, unknown>;
type AdjacencyEdges = Record<string, { state: AnyMachineSnapshot }>;
type Transition = { eventType: string; source: AnyStateNode; target?: readonly AnyStateNode[] };

/** Every snapshot that a machine can come to, and how they follow from each other. */
export type Explored = {
  snapshots: AnyMachineSnapshot[];
  /** Indexes of the snapshots that follow from the one at that place. */
  follow: number[][];
  /** Transitions that were taken at least once. */
  taken: Set<unknown>;
};

export const nodesOf = (machine: AnyStateMachine): AnyStateNode[] => {
  const below = (node: AnyStateNode): AnyStateNode[] => [node, ...Object.values(node.states).flatMap(below)];
  return below(machine.root);
};

/** All transitions of a machine that an event can cause, delays included. */
export const transitionsOf = (machine: AnyStateMachine): Transition[] =>
  nodesOf(machine).flatMap((node) => [...node.transitions.values()].flat());

/** All transitions that are taken without an event, on the way through a state that nobody stays in. */
export const eventlessOf = (machine: AnyStateMachine): Transition[] =>
  nodesOf(machine).flatMap((node) => node.always ?? []);

type Guards = Record<string, (args: { context: unknown; event: Event }) => boolean>;

/**
 * Those among them that an event leads through: of a state's, the first that leads to where it went on and whose
 * guard, where it has a name, holds.
 */
const passed = (machine: AnyStateMachine, snapshot: AnyMachineSnapshot, event: Event): unknown[] => {
  const guards = machine.implementations.guards as unknown as Guards;
  const steps = getMicrosteps(machine, snapshot as never, event as never) as unknown as [AnyMachineSnapshot][];
  return steps.slice(1).flatMap(([after], n) => {
    const [before] = steps[n] ?? [after];
    return before._nodes.map(({ always = [] }) =>
      always.find(
        ({ target = [], guard }) =>
          target.some((node) => after._nodes.includes(node)) &&
          (typeof guard !== "string" || guards[guard]?.({ context: before.context, event })),
      ),
    );
  });
};

/**
 * Walks the whole graph of a machine. `events` are offered in every snapshot, with the delays of its
 * states; snapshots with the same state and `mark` count as one, so `mark` must be bounded.
 */
export const explore = (
  machine: AnyStateMachine,
  input: Record<string, unknown>,
  events: (snapshot: AnyMachineSnapshot) => Event[],
  mark: (context: Record<string, unknown>) => unknown,
): Explored => {
  const stamp = { at: 0, draw: 0.5, id: "id" };
  const taken = new Set<unknown>();
  const offered = (snapshot: AnyMachineSnapshot) => {
    const delays = snapshot._nodes.flatMap((node) => node.after.map(({ eventType }) => ({ type: eventType })));
    const all = [...delays, ...events(snapshot)].map((event) => ({ ...event, ...stamp }));
    for (const event of all) {
      for (const found of machine.getTransitionData(snapshot, event)) taken.add(found);
      for (const found of passed(machine, snapshot, event)) taken.add(found);
    }
    return all;
  };
  const map = getAdjacencyMap(machine, {
    input: { ...input, ...stamp },
    events: offered,
    serializeState: (snapshot) => JSON.stringify([snapshot.value, mark(snapshot.context)]),
    limit: 200_000,
  });
  const places = new Map(Object.keys(map).map((key, index) => [key, index]));
  const key = (snapshot: AnyMachineSnapshot) => JSON.stringify([snapshot.value, mark(snapshot.context)]);
  const vertices = Object.values(map) as { state: AnyMachineSnapshot; transitions: AdjacencyEdges }[];
  return {
    snapshots: vertices.map(({ state }) => state),
    follow: vertices.map(({ transitions }) =>
      Object.values(transitions).map(({ state }) => places.get(key(state)) ?? -1),
    ),
    taken,
  };
};
