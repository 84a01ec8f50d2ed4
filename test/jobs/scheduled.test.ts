import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MachineEvent } from "../../machines/step.ts";
import type { EffectCall, EffectHandler } from "../../src/actors/effects.ts";
import type { Known } from "../../src/jobs/history.ts";
import { scheduled } from "../../src/jobs/scheduled.ts";

const known = { schedule: [5_000, 9_000] } as unknown as Known;
const call = {
  actor: { labels: { model_key: "flux", tool_type: "text_to_image" } },
  params: {},
} as unknown as EffectCall;

const run = async (name: string, answer: MachineEvent | null, peek: () => Known | null) => {
  const handler: EffectHandler = { timeoutMs: 1, concurrency: 1, run: async () => answer, failed: () => null };
  return scheduled({ [name]: handler }, { peek })[name]?.run(call);
};

describe("the schedule of a job", () => {
  const accepted = { type: "accepted", attempt: "a", ref: "r" };

  it("comes with the answer that its submit was accepted, also when that was lost and found", async () => {
    for (const name of ["submit", "look"])
      assert.deepEqual(await run(name, accepted, () => known), { ...accepted, schedule: [5_000, 9_000] });
  });

  it("is looked for before the submit, so that it is read while the provider thinks", async () => {
    let asked = 0;
    const late = () => (++asked === 1 ? null : known);
    assert.deepEqual(await run("submit", accepted, late), { ...accepted, schedule: [5_000, 9_000] });
  });

  it("is none when nothing is known, and with every other answer", async () => {
    assert.equal(await run("submit", accepted, () => null), accepted);
    const ambiguous = { type: "ambiguous", attempt: "a" };
    assert.equal(await run("submit", ambiguous, () => known), ambiguous);
    assert.equal(await run("abandon", null, () => known), null);
  });
});
