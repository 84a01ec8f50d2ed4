import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { createHeads } from "../../src/bus/heads.ts";

const STALE_MS = 20_000;

describe("the head of what JetStream holds", () => {
  let now: number;
  let heads: ReturnType<typeof createHeads>;
  beforeEach(() => {
    now = 0;
    heads = createHeads({ staleMs: STALE_MS, now: () => now });
  });
  const known = (head: number, losses = 0, name = "a") => ({ name, losses, head });
  const store = (seq: number, duplicate = false) => heads.expect()({ seq, duplicate });
  const isLost = (head: number, last: number | null, losses = 0) => heads.look(known(head, losses), "a", last).lost;

  it("only grows while all is well, whatever order acknowledgements come in", () => {
    assert.equal(heads.look(null, "a", 0).lost, false);
    const [first, second] = [heads.expect(), heads.expect()];
    second({ seq: 2, duplicate: false });
    first({ seq: 1, duplicate: false });
    store(1, true);
    assert.deepEqual(heads.look(known(2), "a", 2), { name: "a", head: 2, lost: false });
  });

  it("is lost at once when a number is given again", () => {
    heads.look(known(100), "a", 100);
    store(1);
    assert.equal(isLost(100, 1), true);
    assert.equal(isLost(100, 200), true);
  });

  it("is lost when a process that just began hears a number that others heard before", () => {
    heads.look(known(100), "a", 150);
    store(120);
    assert.equal(isLost(100, 150), true);
  });

  it("is lost when it stays low for longer than a deposed leader would answer", () => {
    assert.equal(isLost(100, 0), false);
    now = STALE_MS - 1;
    assert.equal(isLost(100, 0), false);
    now = STALE_MS;
    assert.equal(isLost(100, 0), true);
  });

  it("is not lost when a leader that was behind had answered, or none", () => {
    assert.equal(isLost(100, 90), false);
    now = STALE_MS / 2;
    assert.equal(isLost(100, null), false);
    assert.equal(isLost(100, 101), false);
    now = STALE_MS * 2;
    assert.equal(isLost(101, 90), false);
    assert.deepEqual(heads.look(known(101), "a", null), { name: "a", head: 101, lost: false });
  });

  it("is found again once the loss is known, whoever noticed it, and late acknowledgements do not lose it anew", () => {
    heads.look(known(100), "a", 100);
    const late = heads.expect();
    store(1);
    assert.equal(isLost(100, 1), true);
    assert.equal(isLost(1, 5, 1), false);
    late({ seq: 6, duplicate: false });
    store(7);
    assert.equal(isLost(7, 7, 1), false);
  });

  it("begins anew with another name", () => {
    heads.look(known(100), "a", 100);
    assert.deepEqual(heads.look(known(100), "b", 3), { name: "b", head: 3, lost: false });
    store(4);
    now = STALE_MS * 2;
    assert.deepEqual(heads.look(known(4, 1, "b"), "b", 4), { name: "b", head: 4, lost: false });
  });
});
