import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FLUX, generation, HOOKS, never, setup } from "./replicate-bundle.ts";

type Bundle = Awaited<ReturnType<typeof setup>>;

/** A submit whose answer is lost: billed, and nobody knows its id. */
const lost = async ({ emulator, provider }: Bundle) => {
  const asked = generation();
  emulator.faults.add({ on: "submit", how: "reset_after_accept" });
  assert.equal((await provider.submit(asked, never)).kind, "ambiguous");
  return { attempt: asked.attempt, ref: emulator.ledger.at(-1)?.id ?? "" };
};

const others = async (bundle: Bundle, count: number) => {
  for (let i = 0; i < count; i++) await bundle.accepted();
};

describe("a submit to Replicate whose answer was lost", () => {
  it("is found in the list by its webhook, on whichever page", async () => {
    await using bundle = await setup({ emulator: { listWebhooks: true, pageSize: 3 } });
    const at = Date.now();
    const { attempt, ref } = await lost(bundle);
    await others(bundle, 7);
    assert.deepEqual(await bundle.provider.find(attempt, at, never), { kind: "found", ref });
    assert.equal(bundle.asked("list").length, 3);
    assert.equal(bundle.asked("status").length, 0, "no prediction was fetched on its own");
    assert.deepEqual(await bundle.provider.find(crypto.randomUUID(), at, never), { kind: "absent" });
    assert.equal(bundle.asked("status").length, 0);
  });

  it("is found by fetching the predictions of the time window when the list does not tell webhooks", async () => {
    await using bundle = await setup();
    const { clock, emulator, provider } = bundle;
    clock.ahead = -600_000;
    await others(bundle, 3);
    clock.ahead = 600_000;
    await others(bundle, 3);
    clock.ahead = 0;
    const at = Date.now();
    const { attempt, ref } = await lost(bundle);
    await others(bundle, 4);
    assert.deepEqual(await provider.find(attempt, at, never), { kind: "found", ref });
    const window = bundle.asked("list")[0]?.query;
    assert.deepEqual(
      [Date.parse(window?.get("created_after") ?? "") - at, Date.parse(window?.get("created_before") ?? "") - at],
      [-5_000, 120_000],
    );
    assert.ok(bundle.asked("status").length <= 5, "only what was created around the submit");
    assert.equal(emulator.ledger.length, 11, "looking bills nothing");
  });

  it("is looked for without fetching anything twice", async () => {
    await using bundle = await setup();
    const at = Date.now();
    const first = await lost(bundle);
    const second = await lost(bundle);
    await others(bundle, 6);
    const { provider } = bundle;
    assert.deepEqual(await provider.find(crypto.randomUUID(), at, never), { kind: "absent" });
    assert.equal(bundle.asked("status").length, 8);
    assert.deepEqual(await provider.find(first.attempt, at, never), { kind: "found", ref: first.ref });
    assert.deepEqual(await provider.find(second.attempt, at, never), { kind: "found", ref: second.ref });
    assert.equal(bundle.asked("status").length, 8);
  });

  it("is looked for together with the others of a crash, fetching each prediction once", async () => {
    await using bundle = await setup();
    const at = Date.now();
    const all: Awaited<ReturnType<typeof lost>>[] = [];
    for (let i = 0; i < 20; i++) all.push(await lost(bundle));
    const found = await Promise.all(all.map(({ attempt }, i) => bundle.provider.find(attempt, at + i, never)));
    assert.deepEqual(
      found,
      all.map(({ ref }) => ({ kind: "found", ref })),
    );
    assert.equal(bundle.asked("status").length, 20);
  });

  it("is not known when a page or a prediction cannot be read, and found when it can", async () => {
    await using bundle = await setup();
    const at = Date.now();
    const { attempt, ref } = await lost(bundle);
    const look = () => bundle.provider.find(attempt, at, never);
    for (const on of ["list", "status"]) {
      for (const how of ["reset_before_read", "html", "empty"] as const) {
        // An empty prediction is one that cannot be read; an empty page ends the search.
        if (on === "status" && how === "empty") continue;
        // Standing, because a runtime may send a GET again when its connection breaks.
        const mend = bundle.emulator.faults.add({ on, how, times: Number.POSITIVE_INFINITY });
        assert.deepEqual(await look(), { kind: "unknown" });
        mend();
      }
    }
    assert.deepEqual(await bundle.provider.find(attempt, at, AbortSignal.abort()), { kind: "unknown" });
    assert.deepEqual(await look(), { kind: "found", ref });
  });

  it("is found beyond a prediction that cannot be read, which leaves its absence in doubt", async () => {
    await using bundle = await setup();
    const at = Date.now();
    await others(bundle, 1);
    const { attempt, ref } = await lost(bundle);
    const first = bundle.emulator.ledger[0]?.id ?? "";
    const when = ({ path }: { path: string }) => path.endsWith(first);
    bundle.emulator.faults.add({ on: "status", how: { status: 404, json: { detail: "?" } }, when, times: 2 });
    const absent = bundle.provider.find(crypto.randomUUID(), at, never);
    assert.deepEqual(
      [await absent, await bundle.provider.find(attempt, at, never)],
      [{ kind: "unknown" }, { kind: "found", ref }],
    );
  });

  it("is looked for on so many pages and in so many predictions, not more, and goes on the next time", async () => {
    await using bundle = await setup({ emulator: { pageSize: 2 } });
    const at = Date.now();
    await others(bundle, 40);
    const look = () => bundle.provider.find(crypto.randomUUID(), at, never);
    assert.deepEqual(await look(), { kind: "unknown" }, "the window has more than was read");
    assert.equal(bundle.asked("list").length, 15);
    await using wide = await setup();
    await others(wide, 130);
    const { attempt, ref } = await lost(wide);
    const far = Date.now() - 100_000;
    assert.deepEqual(await wide.provider.find(attempt, far, never), { kind: "unknown" });
    assert.equal(wide.asked("status").length, 100);
    assert.deepEqual(await wide.provider.find(attempt, far, never), { kind: "found", ref });
  });

  it("is never looked for at another host, whatever the list says", async () => {
    await using bundle = await setup();
    const json = { previous: null, next: "http://evil.example/v1/predictions?cursor=1", results: [] };
    bundle.emulator.faults.add({ on: "list", how: { status: 200, json } });
    assert.deepEqual(await bundle.provider.find(crypto.randomUUID(), Date.now(), never), { kind: "absent" });
    assert.deepEqual(
      bundle.asked("list").map(({ query }) => query.get("cursor")),
      [null, "1"],
    );
  });

  it("is not taken for another attempt's, nor for a prediction of somebody else in the account", async () => {
    await using bundle = await setup({ emulator: { listWebhooks: true } });
    const { attempt } = generation();
    await bundle.accepted({ webhook: null, prompt: attempt, model: FLUX });
    await bundle.accepted({ webhook: `${HOOKS}/${crypto.randomUUID()}` });
    assert.deepEqual(await bundle.provider.find(attempt, Date.now(), never), { kind: "absent" });
  });
});
