import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createKnownUsers } from "../../src/auth/known-users.ts";
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

  it("is forgotten when there are too many", async () => {
    let calls = 0;
    const known = createKnownUsers(async () => void calls++, { remembered: 2 });
    for (const id of ["a", "b", "c", "c", "b", "a"]) await known(user(id));
    assert.equal(calls, 4);
  });
});
