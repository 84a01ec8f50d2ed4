import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Query } from "../../src/db/queries.ts";
import { createTurnstile } from "../../src/db/turnstile.ts";

/** Statements that end when they are told to. */
const setup = ({ patienceMs }: { patienceMs: number }) => {
  const inside = new Map<string, { end(): void; fail(): void }>();
  const asked: string[] = [];
  const query = ((name: string) => {
    asked.push(name);
    return new Promise((resolve, reject) => {
      inside.set(name, { end: () => resolve([]), fail: () => reject(new Error(name)) });
    });
  }) as Query;
  const turnstile = createTurnstile(query, { atOnce: 2, patienceMs });
  return { inside, asked, turnstile };
};

describe("a turnstile before the connections", () => {
  it("lets as many through as there are connections, and the others in the order in which they came", async () => {
    const { inside, asked, turnstile } = setup({ patienceMs: 60_000 });
    const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => turnstile(name));
    await Promise.resolve();
    assert.deepEqual(asked, ["a", "b"]);
    inside.get("b")?.end();
    await b;
    inside.get("a")?.fail();
    await assert.rejects(a ?? Promise.resolve(), /a/);
    assert.deepEqual(asked, ["a", "b", "c", "d"]);
    for (const name of ["c", "d"]) inside.get(name)?.end();
    await Promise.all([c, d]);
  });

  it("turns away who has waited for too long, and never asks for them", async () => {
    const { inside, asked, turnstile } = setup({ patienceMs: 20 });
    const stuck = ["a", "b"].map((name) => turnstile(name));
    await assert.rejects(turnstile("c"), { code: "unavailable", retryable: true });
    for (const { end } of inside.values()) end();
    await Promise.all(stuck);
    const next = turnstile("d");
    await Promise.resolve();
    assert.deepEqual(asked, ["a", "b", "d"]);
    inside.get("d")?.end();
    await next;
  });
});
