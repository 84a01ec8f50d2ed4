import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { planFaults, showPlan } from "./schedule.ts";

const PLACE = { nodes: 3, providers: 2, seconds: 30 };
const SEEDS = Array.from({ length: 50 }, (_, n) => n + 1);

describe("the faults of a run", () => {
  it("are the same for the same seed, and others for another", () => {
    assert.deepEqual(planFaults(7, PLACE), planFaults(7, PLACE));
    assert.notDeepEqual(planFaults(7, PLACE), planFaults(8, PLACE));
    assert.equal(showPlan(planFaults(7, PLACE)).split("\n").length, planFaults(7, PLACE).length);
  });

  it("come in order, within the time, at nodes and providers that there are", () => {
    for (const plan of SEEDS.map((seed) => planFaults(seed, PLACE))) {
      assert.deepEqual(
        plan.map(({ at }) => at),
        plan.map(({ at }) => at).sort((a, b) => a - b),
      );
      for (const fault of plan) {
        assert.ok(fault.at >= 0 && fault.at <= 30_000);
        if ("node" in fault) assert.ok([0, 1, 2].includes(fault.node));
        if ("provider" in fault) assert.ok([0, 1].includes(fault.provider));
      }
    }
  });

  it("are of every kind, with ten kills and more in half a minute", () => {
    for (const plan of SEEDS.map((seed) => planFaults(seed, PLACE))) {
      assert.ok(plan.filter(({ kind }) => kind === "kill").length >= 10);
      assert.equal(new Set(plan.map(({ kind }) => kind)).size, 7);
    }
  });

  it("reach every service, in every way", () => {
    const cuts = SEEDS.flatMap((seed) => planFaults(seed, PLACE)).flatMap((fault) =>
      fault.kind === "cut" ? [`${fault.way} ${JSON.stringify(fault.cut)}`] : [],
    );
    assert.equal(new Set(cuts).size, 3 * 6 + 2);
  });
});
