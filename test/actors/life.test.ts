import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { createLife, type Life } from "../../src/actors/life.ts";
import { recordingLog } from "../http/bundle.ts";
import { createVirtualClock, type VirtualClock } from "../streams/clock.ts";

describe("the life of a node", () => {
  let clock: VirtualClock;
  let work: PromiseWithResolvers<void>;
  let states: string[];
  let lines: ReturnType<typeof recordingLog>["lines"];
  let life: Life;
  beforeEach(() => {
    clock = createVirtualClock();
    work = Promise.withResolvers();
    states = [];
    const recording = recordingLog();
    lines = recording.lines;
    life = createLife({
      policy: { drainDelayMs: 100, finishLimitMs: 1000 },
      clock,
      finishWork: () => work.promise,
      observe: (state) => states.push(state),
      log: recording.log,
    });
  });
  const LIFE = ["starting", "ready", "draining.leaving", "draining.finishing", "stopped"];

  it("shows each of its states, and is ready in one of them", async () => {
    assert.equal(life.ready(), false);
    life.started();
    assert.equal(life.ready(), true);
    const drained = life.drain();
    assert.equal(life.ready(), false);
    clock.advance(100);
    work.resolve();
    await drained;
    assert.deepEqual(states, LIFE);
    assert.equal(clock.pending(), 0);
    await life.drain();
  });

  it("ends although its work does not", async () => {
    life.started();
    const drained = life.drain();
    clock.advance(1100);
    await drained;
    assert.deepEqual(states, LIFE);
  });

  it("ends when its work fails, and says why", async () => {
    life.started();
    const drained = life.drain();
    clock.advance(100);
    work.reject(new Error("the database is away"));
    await drained;
    assert.deepEqual(states, LIFE);
    assert.equal(lines[0]?.level, "warn");
  });
});
