import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from "xstate";
import { getAdjacencyMap } from "xstate/graph";

type Event = { type: string } & Record<string, unknown>;
type AdjacencyEdges = Record<string, { state: AnyMachineSnapshot }>;
type Transition = { eventType: string; source: AnyStateNode };

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
    for (const event of all) for (const found of machine.getTransitionData(snapshot, event)) taken.add(found);
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
