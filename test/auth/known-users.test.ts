import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createKnownUsers } from "../../src/auth/known-users.ts";
import { Problem } from "../../src/errors.ts";
import type { NewUser } from "../../src/http/principal.ts";

const user = (id: string): NewUser => ({ id, role: "user" });

describe("a known user", () => {
  it("is provisioned once, however many ask", async () => {
    const calls: string[] = [];
    const known = createKnownUsers(async ({ id }) => void calls.push(id));
    await Promise.all([known(user("a")), known(user("a")), known(user("b"))]);
    await known(user("a"));
    assert.deepEqual(calls, ["a", "b"]);
  });

  it("is tried again after a failure, which all who waited see", async () => {
    let calls = 0;
    const known = createKnownUsers(() => (++calls === 1 ? Promise.reject(new Error("away")) : Promise.resolve()));
    const both = await Promise.allSettled([known(user("a")), known(user("a"))]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ["rejected", "rejected"],
    );
    await known(user("a"));
    await known(user("a"));
    assert.equal(calls, 2);
  });

  it("is looked for again when somebody was deleted, and remembered to be gone", async () => {
    let time = 0;
    let calls = 0;
    const deleted: string[] = [];
    const provision = async ({ id }: NewUser) => {
      calls++;
      if (deleted.includes(id)) throw new Problem("unauthenticated");
    };
    const known = createKnownUsers(provision, { deleted: async () => deleted, now: () => time });
    await Promise.all([known(user("a")), known(user("b"))]);
    deleted.push("a");
    await known(user("a"));
    time += 2_001;
    for (let n = 0; n < 3; n++) {
      await assert.rejects(known(user("a")), { code: "unauthenticated" });
      time += 2_001;
    }
    await known(user("b"));
    assert.equal(calls, 3);
  });

  it("is found out after however long nobody came, or nobody could look", async () => {
    let time = 0;
    const asked: number[] = [];
    const deleted = async (ms: number) => {
      asked.push(ms);
      if (asked.length === 2) throw new Error("away");
      return [];
    };
    const known = createKnownUsers(async () => {}, { deleted, now: () => time });
    for (const at of [3_600_000, 3_700_000, 3_800_000]) {
      time = at;
      await known(user("a"));
    }
    assert.deepEqual(asked, [3_660_000, 160_000, 260_000]);
  });

  it("is let through while the database does not tell who was deleted", async () => {
    let time = 0;
    const known = createKnownUsers(async () => {}, { deleted: () => new Promise(() => {}), now: () => time });
    await known(user("a"));
    time += 2_001;
    await known(user("a"));
  });

  it("is forgotten when there are too many", async () => {
    let calls = 0;
    const known = createKnownUsers(async () => void calls++, { remembered: 2 });
    for (const id of ["a", "b", "c", "c", "b", "a"]) await known(user(id));
    assert.equal(calls, 4);
  });
});
