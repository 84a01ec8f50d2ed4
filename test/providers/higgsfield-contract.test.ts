import type { Ending as EmulatedEnding } from "../emulators/kit-runs.ts";
import { describeProvider, type Ending } from "./contract.ts";
import { generation, setup } from "./higgsfield-harness.ts";

const ENDINGS: Record<Ending, EmulatedEnding> = {
  completed: { kind: "completed" },
  failed: { kind: "failed", message: "Generation fail message" },
  moderated: { kind: "moderated" },
};
const OPERATIONS = { submit: "submit", check: "status", cancel: "cancel" };

for (const version of ["new", "mid"] as const) {
  describeProvider(`higgsfield (${version} documents)`, async () => {
    // Keys mean nothing to the older service; the adapter sends them all the same, and does not count on them.
    const deps = version === "new" ? {} : { idempotent: false };
    const { emulator, provider, clock } = await setup({ generation: version }, deps);
    return {
      provider,
      now: () => clock.now,
      generation: () => generation(),
      run: emulator.start,
      end: (ref, ending) => emulator.finish(ref, ENDINGS[ending]),
      bills: ({ attempt }) => emulator.ledger.filter(({ key }) => key === attempt).length,
      unknownRef: crypto.randomUUID(),
      loseNextSubmit: () => void emulator.faults.add({ on: "submit", how: "reset_after_accept" }),
      hangNext: (on) => void emulator.faults.add({ on: OPERATIONS[on], how: "hang" }),
      cancels: { running: ["refused"] },
      close: emulator.close,
    };
  });
}

describeProvider("higgsfield v1", async () => {
  const { emulator, v1, clock } = await setup();
  const bodies = () => emulator.ledger.map(({ body }) => JSON.stringify(body));
  return {
    provider: v1,
    now: () => clock.now,
    generation: () => {
      const attempt = crypto.randomUUID();
      return generation({
        attempt,
        model: "v1/text2image/soul",
        prompt: `a lake ${attempt}`,
        params: { batch_size: 4 },
      });
    },
    run: (ref) => emulator.jobsOf(ref).forEach(emulator.start),
    end: (ref, ending) => {
      for (const job of emulator.jobsOf(ref)) emulator.finish(job, ENDINGS[ending]);
    },
    bills: ({ attempt }) => bodies().filter((body) => body.includes(attempt)).length,
    unknownRef: crypto.randomUUID(),
    loseNextSubmit: () => void emulator.faults.add({ on: "submit", how: "reset_after_accept" }),
    hangNext: (on) => void emulator.faults.add({ on: OPERATIONS[on], how: "hang" }),
    close: emulator.close,
  };
});
