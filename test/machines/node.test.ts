import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createNodeMachine } from "../../machines/node.ts";
import { drive } from "./drive.ts";

const node = () => {
  const actor = drive(createNodeMachine({ drainDelayMs: 2000, finishLimitMs: 16_000 }), {});
  return { ...actor, works: () => actor.effects().map(({ type }) => type) };
};

describe("a node", () => {
  it("is ready when it serves, leaves when it is to stop, and finishes its work after the delay", () => {
    const one = node();
    for (const event of ["started", "stop"]) one.send(event);
    assert.deepEqual(one.works(), []);
    one.pass(2000);
    assert.deepEqual(one.works(), ["finishWork"]);
    one.send("finished");
    assert.deepEqual(one.visited(), ["starting", "ready", "draining.leaving", "draining.finishing", "stopped"]);
    assert.equal(one.last().done, true);
  });

  it("does not wait for its work for ever", () => {
    const one = node();
    for (const event of ["started", "stop"]) one.send(event);
    one.pass(2000 + 15_999);
    assert.equal(one.state(), "draining.finishing");
    one.pass(1);
    assert.equal(one.state(), "stopped");
  });

  it("can be told to stop before it serves, and hears it once", () => {
    const one = node();
    one.send("stop");
    one.send("started");
    one.pass(1000);
    one.send("stop");
    one.pass(1000);
    assert.equal(one.state(), "draining.finishing");
    assert.deepEqual(one.works(), ["finishWork"]);
  });
});
