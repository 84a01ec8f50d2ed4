/**
 * Snapshots as each version wrote them. A row outlives the code that wrote it, so these are never
 * changed again once their version was released; `UPDATE_GOLDEN=1 npm test -- test/machines` writes those
 * of the current versions.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { statePaths } from "../../machines/diagram.ts";
import { defaultPolicy } from "../../machines/policy.ts";
import { type ActorKind, createRegistry, type Kind } from "../../machines/registry.ts";
import { createStep, nextStep, stateName } from "../../machines/step.ts";
import { nodesOf } from "./explore.ts";
import { type Case, goldenCases } from "./golden-cases.ts";

type Kept = Case & { state: string; leadsTo: { state: string; status: string | null } };
/** What a stored snapshot depends on. */
type Shape = { states: string[]; timers: string[]; context: string[] };
type Golden = { shape: Shape; snapshots: Record<string, Kept> };

const DIRECTORY = new URL("./golden/", import.meta.url);
const registry = createRegistry(defaultPolicy);
const kinds = Object.entries(registry) as [ActorKind, Kind][];
const STAMP = { at: 0, draw: 0.5, id: "id" };

const shapeOf = ({ machine }: Kind): Shape => ({
  states: statePaths(machine).sort(),
  timers: [...new Set(nodesOf(machine).flatMap(({ after }) => after.map(({ eventType }) => eventType)))].sort(),
  context: Object.keys(createStep(machine, {}, STAMP).snapshot.context).sort(),
});

/** Restores a snapshot of `version` as the dispatcher does, and lets happen what happens next. */
const play = (kind: Kind, version: number, { snapshot, event, at }: Case) =>
  nextStep(kind.machine, kind.migrate(structuredClone(snapshot), version), [event], () => ({ ...STAMP, at }));

const record = (kind: Kind, found: Case): Kept => {
  const step = play(kind, kind.version, found);
  return {
    ...found,
    state: stateName(found.snapshot.value),
    leadsTo: { state: stateName(step.snapshot.value), status: kind.status(step.snapshot) },
  };
};

if (process.env.UPDATE_GOLDEN) {
  for (const [name, kind] of kinds) {
    const cases = Object.entries(goldenCases[name]());
    const golden: Golden = {
      shape: shapeOf(kind),
      snapshots: Object.fromEntries(cases.map(([title, found]) => [title, record(kind, found)])),
    };
    const file = new URL(`${name}.v${kind.version}.json`, DIRECTORY);
    writeFileSync(file, `${JSON.stringify(golden, null, 2)}\n`);
  }
}

const read = (file: string) => JSON.parse(readFileSync(new URL(file, DIRECTORY), "utf8")) as Golden;
const files = readdirSync(DIRECTORY).filter((file) => file.endsWith(".json"));

for (const [name, kind] of kinds) {
  describe(`stored snapshots of kind ${name}`, () => {
    it("have the shape of their version", () => {
      const file = `${name}.v${kind.version}.json`;
      assert.ok(
        files.includes(file),
        `there are no golden snapshots of version ${kind.version}: see the head of this test`,
      );
      assert.deepEqual(
        shapeOf(kind),
        read(file).shape,
        `the states, timers or context of ${name} have changed. Snapshots of version ${kind.version} are stored: raise ` +
          `its version in machines/registry.ts, teach migrate() to bring them over, and write golden snapshots of the ` +
          `new version (see the head of this test). Only a version that was never released may be rewritten.`,
      );
    });

    it("are kept of every version up to the current one", () => {
      const versions = files.flatMap((file) =>
        file.startsWith(`${name}.v`) ? [Number(file.slice(name.length + 2, -5))] : [],
      );
      assert.deepEqual(
        versions.sort((a, b) => a - b),
        Array.from({ length: kind.version }, (_, n) => n + 1),
      );
    });

    for (const file of files.filter((found) => found.startsWith(`${name}.v`))) {
      const version = Number(file.slice(name.length + 2, -5));
      for (const [title, kept] of Object.entries(read(file).snapshots)) {
        it(`go on from version ${version}, ${title}`, () => {
          const step = play(kind, version, kept);
          assert.equal(stateName(step.snapshot.value), kept.leadsTo.state);
          assert.equal(kind.status(step.snapshot), kept.leadsTo.status);
          const restored = kind.migrate(kept.snapshot, version);
          assert.doesNotThrow(() => JSON.stringify(kind.view(restored)));
          assert.equal(kind.view(restored).created_at, kind.view(step.snapshot).created_at);
        });
      }
    }
  });
}
