/**
 * Draws a machine from its own definition, as Mermaid text and a table. The pictures in README.md are
 * made by this (`npm run diagrams`), so they cannot tell another story than the code.
 */
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { eventLabel, stateName } from "./step.ts";

/** A transition as far as it is drawn. */
type Arrow = { eventType: string; target?: readonly AnyStateNode[]; guard?: unknown; actions: readonly unknown[] };
type HigherGuard = { name: string; guards?: unknown[]; stateValue?: Parameters<typeof stateName>[0] };

const childrenOf = (node: AnyStateNode): AnyStateNode[] => Object.values(node.states);
const within = (node: AnyStateNode): AnyStateNode[] => childrenOf(node).flatMap((child) => [child, ...within(child)]);
const leavesOf = (node: AnyStateNode): AnyStateNode[] => {
  const children = childrenOf(node);
  return children.length === 0 ? [node] : children.flatMap(leavesOf);
};
const isInside = (node: AnyStateNode, ancestor: AnyStateNode): boolean =>
  node === ancestor || (node.parent !== undefined && isInside(node.parent, ancestor));

/** `active.running.waiting`, as in snapshots. */
export const pathOf = (node: AnyStateNode): string => node.path.join(".");

/** Every state of a machine by its path, parents before their children. */
export const statePaths = (machine: AnyStateMachine): string[] => within(machine.root).map(pathOf);

/** A guard for people: `currentPoll and not cancelRequested`. */
const guardLabel = (guard: unknown): string => {
  if (typeof guard === "string") return guard;
  const { name, guards, stateValue } = guard as HigherGuard;
  if (stateValue !== undefined) return `in ${stateName(stateValue)}`;
  if (guards === undefined) return String((guard as { type?: string }).type);
  const labels = guards.map(guardLabel);
  return labels.length === 1 ? `${name} ${labels[0]}` : labels.join(` ${name} `);
};

const actionLabel = (action: unknown): string => {
  if (typeof action === "string") return action;
  const { type, event } = action as { type: string; event?: unknown };
  if (event === undefined) return type;
  return typeof event === "function" ? "emit" : `emit ${(event as { type: string }).type}`;
};

const arrowsOf = (node: AnyStateNode): Arrow[] => [...[...node.transitions.values()].flat(), ...(node.always ?? [])];

const label = ({ eventType, guard }: Pick<Arrow, "eventType" | "guard">): string =>
  [eventLabel(eventType), guard === undefined ? "" : `[${guardLabel(guard)}]`].filter(Boolean).join(" ");

/** A state's name where it is the only one of that name, else with its parent's. */
const namer = (machine: AnyStateMachine) => {
  const nodes = within(machine.root);
  return (node: AnyStateNode) =>
    nodes.some((other) => other !== node && other.key === node.key) ? `${node.parent?.key}_${node.key}` : node.key;
};

/**
 * Where an arrow starts. One from a box into itself says little, so a transition into an own child
 * starts at the leaves: at the one that its guard asks for, else at each.
 */
const startsOf = (node: AnyStateNode, arrow: Arrow, target: AnyStateNode): { start: AnyStateNode; text: string }[] => {
  const text = label(arrow);
  if (target === node || !isInside(target, node)) return [{ start: node, text }];
  const wanted = (arrow.guard as HigherGuard | undefined)?.stateValue;
  if (wanted === undefined) return leavesOf(node).map((start) => ({ start, text }));
  const asked = leavesOf(node).filter((leaf) => pathOf(leaf) === stateName(wanted));
  return asked.map((start) => ({ start, text: label({ eventType: arrow.eventType }) }));
};

/** A Mermaid `stateDiagram-v2`: nested states, events with [guards], `after <delay>`, final states. */
export const drawMachine = (machine: AnyStateMachine): string => {
  const name = namer(machine);
  const draw = (node: AnyStateNode, indent: string): string[] => [
    ...(name(node) === node.key ? [] : [`${indent}state "${node.key}" as ${name(node)}`]),
    ...(node.type === "compound"
      ? [`${indent}state ${name(node)} {`, ...drawInside(node, `${indent}  `), `${indent}}`]
      : name(node) === node.key
        ? [`${indent}${node.key}`]
        : []),
  ];
  const drawInside = (node: AnyStateNode, indent: string): string[] => [
    ...childrenOf(node).flatMap((child) => draw(child, indent)),
    ...node.initial.target.map((initial) => `${indent}[*] --> ${name(initial)}`),
  ];
  // Arrows come after all states: the first mention of a state decides in which box it stands.
  const labels = new Map<string, string[]>();
  for (const node of within(machine.root)) {
    for (const arrow of arrowsOf(node)) {
      for (const target of arrow.target ?? []) {
        for (const { start, text } of startsOf(node, arrow, target)) {
          const line = `${name(start)} --> ${name(target)}`;
          labels.set(line, [...(labels.get(line) ?? []), text]);
        }
      }
    }
  }
  const arrows = [...labels].map(([line, all]) => {
    const text = all.filter(Boolean).join("<br/>");
    return text === "" ? `  ${line}` : `  ${line}: ${text}`;
  });
  const ends = within(machine.root).filter(({ type }) => type === "final");
  return [
    "stateDiagram-v2",
    ...drawInside(machine.root, "  "),
    ...arrows,
    ...ends.map((node) => `  ${name(node)} --> [*]`),
  ].join("\n");
};

/** The transitions that do not leave their state, which no arrow shows: a Markdown table, or "". */
export const listInner = (machine: AnyStateMachine): string => {
  const rows = [machine.root as AnyStateNode, ...within(machine.root)].flatMap((node) =>
    arrowsOf(node)
      .filter(({ target }) => target === undefined)
      .map(
        (arrow) =>
          `| ${pathOf(node) || "any"} | ${label(arrow)} | ${arrow.actions.map(actionLabel).join(" · ") || "nothing"} |`,
      ),
  );
  return rows.length === 0 ? "" : ["| in | event | does |", "|---|---|---|", ...rows].join("\n");
};
