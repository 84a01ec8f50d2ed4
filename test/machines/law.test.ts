import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { attachmentMachine } from "../../machines/attachment.ts";
import { AttachmentCommand } from "../../machines/attachment.words.ts";
import { batchMachine } from "../../machines/batch.ts";
import { BatchCommand } from "../../machines/batch.words.ts";
import { breakerMachine } from "../../machines/breaker.ts";
import { BreakerCommand } from "../../machines/breaker.words.ts";
import { deliveryMachine } from "../../machines/delivery.ts";
import { DeliveryCommand } from "../../machines/delivery.words.ts";
import { statePaths } from "../../machines/diagram.ts";
import { jobMachine } from "../../machines/job.ts";
import { JobCommand } from "../../machines/job.words.ts";
import { nodeMachine } from "../../machines/node.ts";
import { NodeCommand } from "../../machines/node.words.ts";
import { createStep, nextStep } from "../../machines/step.ts";
import { nodesOf } from "./explore.ts";

type Law = {
  machine: AnyStateMachine;
  commands: { anyOf: unknown[] };
  /** States that wait without an `after`, and why they may. */
  patient: Record<string, string>;
};

const LAWS: Record<string, Law> = {
  job: { machine: jobMachine, commands: JobCommand, patient: {} },
  batch: {
    machine: batchMachine,
    commands: BatchCommand,
    patient: {
      queued: "every job ends by its own deadlines and tells in the commit that ends it",
      running: "the same",
    },
  },
  attachment: { machine: attachmentMachine, commands: AttachmentCommand, patient: {} },
  delivery: {
    machine: deliveryMachine,
    commands: DeliveryCommand,
    patient: { pending: "whoever sees that there is room starts it, and a sweep looks for it once a second" },
  },
  breaker: {
    machine: breakerMachine,
    commands: BreakerCommand,
    patient: {
      closed: "nothing is under way that it asked for",
      halfOpen: "the next submit decides, whenever there is one",
    },
  },
  node: {
    machine: nodeMachine,
    commands: NodeCommand,
    patient: {
      starting: "whoever boots it says when it serves, or ends the process",
      ready: "until it is to stop",
    },
  },
};

const source = (file: string) => readFileSync(new URL(`../../machines/${file}`, import.meta.url), "utf8");

/** The states in the table at a file's head, by their path; two more spaces are one level down. */
const tableOf = (text: string): string[] => {
  const lines = text.slice(0, text.indexOf("*/")).split("\n");
  const first = lines.findIndex((line) => /^ \* +state +entered when/.test(line)) + 1;
  const parents: string[] = [];
  return lines.slice(first, lines.indexOf(" *", first)).flatMap((line) => {
    const [, indent = "", names = ""] = /^ \* {3}( *)(\w+(?: · \w+)*)/.exec(line) ?? [];
    parents.length = indent.length / 2;
    const paths = names.split(" · ").map((name) => [...parents, name].join("."));
    parents.push(names);
    return paths;
  });
};

const asArray = (value: unknown): unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);
type Used = { actions: unknown[]; guards: unknown[] };

/** Everything that a machine's configuration names: actions of entries, exits and transitions, and guards. */
const usedBy = (machine: AnyStateMachine): Used => {
  const used: Used = { actions: [], guards: [] };
  for (const { config, transitions, always } of nodesOf(machine)) {
    used.actions.push(...asArray(config.entry), ...asArray(config.exit));
    for (const transition of [...[...transitions.values()].flat(), ...(always ?? [])]) {
      used.actions.push(...transition.actions);
      if (transition.guard !== undefined) used.guards.push(transition.guard);
    }
  }
  return used;
};

const nameOf = (item: unknown): string | undefined =>
  typeof item === "string" ? item : typeof item === "object" ? (item as { type: string }).type : undefined;

/** A guard's own name, or those of the guards that it is made of. */
const guardNames = (guard: unknown): (string | undefined)[] => {
  const { guards, stateValue } = guard as { guards?: unknown[]; stateValue?: unknown };
  if (guards !== undefined) return guards.flatMap(guardNames);
  return stateValue !== undefined ? [] : [nameOf(guard)];
};

const isBuiltIn = (action: unknown): boolean =>
  typeof action === "function" && ["xstate.assign", "xstate.emit"].includes((action as { type?: string }).type ?? "");

const waits = (node: AnyStateNode) => node.type === "atomic" && node.always === undefined;

for (const [name, { machine, commands, patient }] of Object.entries(LAWS)) {
  const { actions, guards, delays, actors } = machine.implementations;
  const nodes = nodesOf(machine);
  const used = usedBy(machine);
  const delaysUsed = nodes.flatMap(({ config }) => Object.keys(config.after ?? {}));

  describe(`the ${name} machine, by law`, () => {
    it("delays by name only, and every name is known: a misspelt one would fire at once", () => {
      assert.deepEqual(
        delaysUsed.filter((delay) => !(delay in delays)),
        [],
      );
    });

    it("names its actions, or has them built: others can neither be stored nor replayed", () => {
      for (const action of used.actions)
        assert.ok(isBuiltIn(action) || (nameOf(action) ?? "") in actions, `${nameOf(action) ?? action}`);
    });

    it("names its guards, or makes them of named ones", () => {
      for (const guard of used.guards.flatMap(guardNames)) assert.ok((guard ?? "") in guards, `${guard}`);
    });

    it("implements nothing in vain", () => {
      const names = [...used.actions.map(nameOf), ...used.guards.flatMap(guardNames), ...delaysUsed];
      assert.deepEqual(
        [actions, guards, delays].flatMap(Object.keys).filter((implemented) => !names.includes(implemented)),
        [],
      );
    });

    it("invokes nobody, spawns nobody and remembers no history", () => {
      assert.deepEqual(Object.keys(actors), []);
      for (const { id, config, type } of nodes) {
        assert.equal(config.invoke, undefined, id);
        assert.notEqual(type, "history", id);
      }
    });

    it("says what happens when no answer comes, wherever it waits", () => {
      const endless = nodes.filter((node) => waits(node) && node.after.length === 0);
      assert.deepEqual(
        endless.map(({ path }) => path.join(".")),
        Object.keys(patient),
      );
    });

    it("stands in the table at its file's head as it is", () => {
      assert.deepEqual(tableOf(source(`${name}.ts`)), statePaths(machine));
    });

    it("takes the commands of its words, and no others", () => {
      const words = commands.anyOf.map(
        (command) => (command as { properties: { type: { const: string } } }).properties.type.const,
      );
      const taken = nodes.flatMap(({ config }) => Object.keys(config.on ?? {}));
      assert.deepEqual([...new Set(taken)].sort(), [...words].sort());
    });

    it("says the facts of its words, and no others", () => {
      const factsIn = (text: string) => [...new Set(text.match(new RegExp(`"${name}\\.[a-z_]+"`, "g")) ?? [])].sort();
      assert.deepEqual(factsIn(source(`${name}.ts`)), factsIn(source(`${name}.words.ts`)));
    });

    it("builds its context from nothing, too: the library asks for it without an input", () => {
      const build = (machine.config.context ?? (() => ({}))) as (args: object) => object;
      const context = build({ input: undefined });
      assert.deepEqual(JSON.parse(JSON.stringify(context)), context, "and it survives being stored");
    });

    it("comes back from its own snapshot", () => {
      const { snapshot } = createStep(machine, {}, { at: 0, draw: 0.5, id: "id" });
      const stored = JSON.parse(JSON.stringify(snapshot));
      assert.deepEqual(nextStep(machine, stored, [], () => ({ at: 0, draw: 0.5, id: "id" })).snapshot, snapshot);
    });
  });
}
