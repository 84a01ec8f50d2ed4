import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readWait } from "../../src/http/prefer.ts";

const wait = (prefer: string | null) =>
  readWait(new Request("http://localhost/", prefer === null ? {} : { headers: { prefer } }));

describe("Prefer: wait", () => {
  it("is read among other preferences, in any case, quoted or not", () => {
    for (const header of [
      "wait=10",
      "Wait = 10",
      'wait="10"',
      "respond-async, wait=10",
      "return=minimal; foo=bar, wait=10; x",
      'handling="a,wait=3",wait=10',
      "wait=10, wait=20",
    ])
      assert.equal(wait(header), 10, header);
  });

  it("is at most a minute", () => {
    assert.deepEqual([wait("wait=0"), wait("wait=60"), wait("wait=61"), wait("wait=999999999")], [0, 60, 60, 60]);
  });

  it("is no wait when it makes no sense, or is not there", () => {
    for (const header of [null, "", "respond-async", "wait", "wait=", "wait=-1", "wait=1.5", "wait=soon", "await=10"])
      assert.equal(wait(header), null, String(header));
  });
});
