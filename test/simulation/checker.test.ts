import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LawBroken } from "./checker.ts";
import { type Options, simulate } from "./simulation.ts";

/** What the first seed, of a few, that finds the law broken says; null: none does. */
const caught = async (broken: Options["broken"]): Promise<string | null> => {
  for (let seed = 1; seed <= 40; seed++) {
    try {
      await simulate({ seed, jobs: 60, broken });
    } catch (error) {
      if (!(error instanceof LawBroken)) throw error;
      return error.message;
    }
  }
  return null;
};

describe("the laws of the simulation", () => {
  it("catch a database that takes every version for the expected one", async () => {
    assert.notEqual(await caught({ blind: true }), null);
  });

  it("catch a database that forgets what it has committed, and does it again", async () => {
    assert.notEqual(await caught({ twice: true }), null);
  });

  it("catch slots that are not given back", async () => {
    const first = await caught({ leaks: true });
    assert.match(String(first), /slots in use/);
  });

  it("catch accounts whose pauses and rates nobody looks at", async () => {
    const first = await caught({ ungoverned: true });
    assert.match(String(first), /is paused|within a minute/);
  });

  it("catch a feed that leaves out a fact", async () => {
    const first = await caught({ drops: true });
    assert.match(String(first), /a client of .* saw/);
  });

  it("catch a provider that bills one attempt twice, with the story of the job", async () => {
    const first = await caught({ billsTwice: true });
    assert.match(String(first), /billed twice/);
    assert.match(String(first), /transitions\n.*facts\n.*bills\n/s);
  });
});
