import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LawBroken } from "./checker.ts";
import { type Options, simulate } from "./simulation.ts";

/** The seeds whose run finds the law broken, of a few. */
const caught = async (broken: Options["broken"]): Promise<string[]> => {
  const found: string[] = [];
  for (let seed = 1; seed <= 4; seed++) {
    await simulate({ seed, jobs: 60, broken }).catch((error) => {
      if (!(error instanceof LawBroken)) throw error;
      found.push(error.message);
    });
  }
  return found;
};

describe("the laws of the simulation", () => {
  it("catch a database that takes every version for the expected one", async () => {
    assert.ok((await caught({ blind: true })).length > 0);
  });

  it("catch a database that forgets what it has committed, and does it again", async () => {
    assert.ok((await caught({ twice: true })).length > 0);
  });

  it("catch slots that are not given back", async () => {
    const [first] = await caught({ leaks: true });
    assert.match(String(first), /slots in use/);
  });

  it("catch a feed that leaves out a fact", async () => {
    const [first] = await caught({ drops: true });
    assert.match(String(first), /a client of .* saw/);
  });

  it("catch a provider that bills one attempt twice, with the story of the job", async () => {
    const [first] = await caught({ billsTwice: true });
    assert.match(String(first), /billed twice/);
    assert.match(String(first), /transitions\n.*facts\n.*bills\n/s);
  });
});
