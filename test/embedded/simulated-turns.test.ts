import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTurns } from "../../src/embedded/simulated/turns.ts";

const never = new AbortController().signal;

/** Jobs that end when they are told to, and how many ran at once. */
const setup = (width: number, waiting: number) => {
  const inTurn = createTurns(width, waiting);
  const ends: (() => void)[] = [];
  const seen = { running: 0, most: 0, begun: [] as number[] };
  const run = (id: number, signal: AbortSignal = never) =>
    inTurn(async () => {
      seen.begun.push(id);
      seen.most = Math.max(seen.most, ++seen.running);
      await new Promise<void>((resolve) => ends.push(resolve));
      seen.running--;
      return id;
    }, signal);
  const finishAll = async (work: Promise<unknown>) => {
    const done = work.then(() => true);
    while (!(await Promise.race([done, Promise.resolve(false)]))) ends.shift()?.();
  };
  return { run, seen, finishAll };
};

describe("turns", () => {
  it("are taken by so many at once, first come first served", async () => {
    const { run, seen, finishAll } = setup(2, 10);
    const all = Promise.all([0, 1, 2, 3, 4].map((id) => run(id)));
    await finishAll(all);
    assert.deepEqual(await all, [0, 1, 2, 3, 4]);
    assert.deepEqual([seen.most, seen.begun], [2, [0, 1, 2, 3, 4]]);
  });

  it("are given up by one who waits no longer, and by one who fails", async () => {
    const { run, seen, finishAll } = setup(1, 10);
    const abort = new AbortController();
    const first = run(0);
    const second = run(1, abort.signal);
    const third = run(2);
    abort.abort(new Error("enough"));
    await assert.rejects(second, /enough/);
    await finishAll(Promise.all([first, third]));
    assert.deepEqual(seen.begun, [0, 2]);
    const failing = createTurns(1, 1);
    await assert.rejects(
      failing(() => Promise.reject(new Error("broken")), never),
      /broken/,
    );
    assert.equal(await failing(async () => "fine", never), "fine");
  });

  it("are refused when the line is full or the signal has aborted", async () => {
    const { run, finishAll } = setup(1, 1);
    const both = Promise.all([run(0), run(1)]);
    await assert.rejects(run(2), /too many/);
    await assert.rejects(run(3, AbortSignal.abort(new Error("late"))), /late/);
    await finishAll(both);
  });
});
