import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createBreakerMachine } from "../../machines/breaker.ts";
import { drive } from "./drive.ts";

const breaker = (failures = 3) => {
  const actor = drive(createBreakerMachine({ failures, coolDownMs: 1000 }), {});
  const hear = (type: string, call: string, times = 1) => {
    for (let n = 0; n < times; n++) actor.send(type, { call });
  };
  return {
    ...actor,
    fails: (times = 1, call = "submit") => hear("failed", call, times),
    answers: (call = "submit") => hear("answered", call),
    pauses: () => actor.effects().map(({ type, params }) => [type, params.ms]),
  };
};

describe("a breaker", () => {
  it("opens when enough submits in a row fail, and pauses the account for the cool-down", () => {
    const one = breaker();
    one.fails(2);
    assert.equal(one.state(), "closed");
    one.fails();
    assert.equal(one.state(), "open");
    assert.deepEqual(one.pauses(), [["pauseAccount", 1000]]);
  });

  it("stays closed when there is an answer in between", () => {
    const one = breaker();
    one.fails(2);
    one.answers();
    one.fails(2);
    assert.equal(one.state(), "closed");
  });

  it("is not fooled by polls that still go well", () => {
    const one = breaker();
    one.fails(2);
    one.answers("check");
    one.fails();
    assert.equal(one.state(), "open");
  });

  it("opens when polls fail, after more of them", () => {
    const one = breaker();
    one.fails(11, "check");
    assert.equal(one.state(), "closed");
    one.fails(1, "check");
    assert.equal(one.state(), "open");
  });

  it("is half open after the cool-down, and the next submit decides", () => {
    const one = breaker();
    one.fails(3);
    one.pass(1000);
    assert.equal(one.state(), "halfOpen");
    one.answers("check");
    one.fails(5, "check");
    assert.equal(one.state(), "halfOpen");
    one.answers();
    assert.equal(one.state(), "closed");
  });

  it("opens again at one failure, for twice as long each time, up to five minutes", () => {
    const one = breaker();
    one.fails(3);
    for (let n = 0; n < 10; n++) {
      one.pass(one.wakesIn() ?? 0);
      one.fails();
    }
    const waits = one.pauses().map(([, ms]) => ms);
    assert.deepEqual(waits.slice(0, 4), [1000, 2000, 4000, 8000]);
    assert.equal(waits.at(-1), 300_000);
  });

  it("forgets all when it closes", () => {
    const one = breaker();
    one.fails(3);
    one.pass(1000);
    one.fails();
    one.pass(2000);
    one.answers();
    one.fails(3);
    assert.deepEqual(one.pauses().at(-1), ["pauseAccount", 1000]);
  });

  it("takes no notice of what was under way when it opened", () => {
    const one = breaker();
    one.fails(3);
    one.answers();
    one.fails();
    assert.equal(one.state(), "open");
    assert.equal(one.pauses().length, 1);
  });
});
