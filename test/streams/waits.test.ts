import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Subject } from "rxjs";
import type { Fact } from "../../src/ports.ts";
import type { FeedItem } from "../../src/streams/feed.ts";
import type { Source } from "../../src/streams/source.ts";
import { createWaits } from "../../src/streams/waits.ts";
import { createVirtualClock } from "./clock.ts";
import { until } from "./until.ts";

const setup = ({ perUser = 2, most = 3 } = {}) => {
  const clock = createVirtualClock();
  const items = new Subject<FeedItem>();
  const asked: (number | null)[] = [];
  const state = { done: false, failing: false };
  const waits = createWaits({
    clock,
    perUser,
    most,
    feed: (_line, { cursor }) => {
      asked.push(cursor);
      return items;
    },
  });
  const source: Source = {
    stream: "s",
    head: 0,
    over: async () => false,
    isLast: () => true,
    snapshot: async () => {
      if (state.failing) throw new Error("the database is away");
      return { cursor: 7, data: { whole: state.done }, done: state.done };
    },
  };
  const left = new AbortController();
  const wait = (userId = "ann") => waits.untilEnd(userId, source, 1_000, left.signal);
  const nothingLeft = () => {
    assert.equal(waits.waiting(), 0);
    assert.equal(clock.pending(), 0);
    assert.equal(items.observed, false);
  };
  return { clock, items, asked, state, waits, wait, left, nothingLeft };
};
const last = { kind: "fact", fact: {} as Fact } satisfies FeedItem;

describe("waiting for the end", () => {
  it("takes no time when it has come already", async () => {
    const { state, wait, asked, nothingLeft } = setup();
    state.done = true;
    assert.deepEqual(await wait(), { whole: true });
    assert.deepEqual(asked, []);
    nothingLeft();
  });

  it("follows from the snapshot on, and answers with another one", async () => {
    const { state, wait, asked, items, nothingLeft } = setup();
    const waiting = wait();
    await until(() => items.observed);
    state.done = true;
    items.next(last);
    assert.deepEqual(await waiting, { whole: true });
    assert.deepEqual(asked, [7]);
    nothingLeft();
  });

  it("looks after a reset, too", async () => {
    const { state, wait, items } = setup();
    const waiting = wait();
    await until(() => items.observed);
    state.done = true;
    items.next({ kind: "reset", cursor: 9 });
    assert.deepEqual(await waiting, { whole: true });
  });

  it("is given up in time, when the client goes, when the feed fails or ends, and when the node stops", async () => {
    const ways: ((bundle: ReturnType<typeof setup>) => void)[] = [
      ({ clock }) => clock.advance(1_000),
      ({ left }) => left.abort(),
      ({ items }) => items.error(new Error("the database is away")),
      ({ items }) => items.complete(),
      ({ waits }) => waits.close(),
    ];
    for (const give of ways) {
      const bundle = setup();
      const waiting = bundle.wait();
      await until(() => bundle.items.observed);
      give(bundle);
      assert.equal(await waiting, null, String(give));
      bundle.nothingLeft();
    }
  });

  it("is for a few at a time, of each user and in all; the others are turned away at once", async () => {
    const { wait, waits, items } = setup();
    const waiting = [wait("ann"), wait("ann"), wait("bob")];
    await until(() => waits.waiting() === 3 && items.observed);
    assert.equal(await wait("ann"), null);
    assert.equal(await wait("cid"), null);
    items.next(last);
    await Promise.all(waiting);
    assert.equal(waits.waiting(), 0);
    waits.close();
    assert.equal(await wait("ann"), null);
  });

  it("gives its place back when the whole cannot be read", async () => {
    const { state, wait, nothingLeft } = setup();
    state.failing = true;
    await assert.rejects(wait(), /database is away/);
    nothingLeft();
  });
});
