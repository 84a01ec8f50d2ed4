import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createDeliveryMachine, type DeliveryContext, deliveryView } from "../../machines/delivery.ts";
import { defaultPolicy } from "../../machines/policy.ts";
import { drive, T0 } from "./drive.ts";

const EVENT = { id: "event-1", type: "job.succeeded", stream: "stream-1", seq: 7 };
const RETRIES = 2;
const WATCHDOG = 5000 + 10_000 + 2000;

const aDelivery = (policy = {}) => {
  const machine = createDeliveryMachine({ ...defaultPolicy, deliveryRetries: RETRIES, ...policy });
  const actor = drive(machine, { event: EVENT, redeliveryOf: null });
  const starts = () => Number(actor.context().starts);
  return {
    ...actor,
    answer: (status: number, more = {}) =>
      actor.send("answered", { n: starts(), ms: 20, status, response: "words", afterMs: 0, ...more }),
    fail: () => actor.send("unanswered", { n: starts(), ms: 30, code: "timeout" }),
    view: () => deliveryView(actor.state(), actor.context() as unknown as DeliveryContext),
  };
};
const sending = (policy = {}) => {
  const delivery = aDelivery(policy);
  delivery.send("start");
  return delivery;
};

describe("a delivery", () => {
  it("waits for its turn, is sent and ends when the receiver has taken it", () => {
    const delivery = aDelivery();
    assert.deepEqual([delivery.state(), delivery.wakesIn()], ["pending", null]);
    assert.deepEqual(delivery.send("start").effects, [{ type: "deliver", params: { n: 1, event: EVENT } }]);
    delivery.pass(20);
    assert.equal(delivery.answer(204).done, true);
    assert.equal(delivery.state(), "succeeded");
    assert.deepEqual(delivery.context().tries, [{ at: T0, ms: 20, status: 204, code: null, response: "words" }]);
    assert.deepEqual(delivery.facts(), [], "what went well is in the list of deliveries, and tells nobody else");
  });

  it("is sent again with growing waits, spread by a fifth, for about a day", () => {
    const delivery = sending({ deliveryRetries: defaultPolicy.deliveryRetries });
    const waits: number[] = [];
    for (delivery.fail(); delivery.state() === "waiting"; delivery.fail()) {
      waits.push(delivery.wakesIn() ?? 0);
      assert.equal(delivery.view().next_try_at, delivery.now() + (waits.at(-1) ?? 0));
      delivery.pass(waits.at(-1) ?? 0);
      assert.equal(delivery.state(), "pending");
      delivery.send("start");
    }
    const seconds = waits.map((ms) => ms / 1000);
    assert.deepEqual(seconds, [5, 20, 80, 320, 1280, 5120, 20_480, 28_800, 28_800]);
    const hours = seconds.reduce((sum, wait) => sum + wait) / 3600;
    assert.ok(hours > 20 && hours < 28, `${hours} hours`);
    assert.deepEqual([delivery.state(), delivery.view().error], ["failed", "exhausted"]);
    assert.deepEqual(delivery.facts(), ["delivery.failed"]);

    for (const [draw, wait] of [
      [0, 4000],
      [1, 6000],
    ] as const) {
      const spread = sending();
      spread.drawing(draw);
      spread.fail();
      assert.equal(spread.wakesIn(), wait);
    }
  });

  it("is not sent again before the receiver wants it", () => {
    const delivery = sending();
    delivery.answer(429, { afterMs: 60_000 });
    assert.equal(delivery.wakesIn(), 60_000);
  });

  it("takes any status but 2xx for a failure, redirects too, and 410 for the end", () => {
    for (const status of [301, 302, 400, 404, 500]) {
      const delivery = sending();
      delivery.answer(status);
      assert.equal(delivery.state(), "waiting", String(status));
    }
    const gone = sending();
    gone.answer(410);
    assert.deepEqual([gone.state(), gone.view().error, gone.facts()], ["failed", "gone", ["delivery.failed"]]);
  });

  it("is sent again when its node died: what is not known may have arrived, and counts as a try", () => {
    const delivery = sending();
    assert.equal(delivery.wakesIn(), WATCHDOG);
    delivery.pass(WATCHDOG);
    assert.equal(delivery.state(), "waiting");
    assert.deepEqual(delivery.context().tries, [
      { at: T0, ms: WATCHDOG, status: null, code: "interrupted", response: null },
    ]);
    delivery.answer(200);
    assert.equal(delivery.state(), "succeeded", "an answer that comes late spares the repetition");
  });

  it("does not listen to bad news of an earlier try", () => {
    const delivery = sending();
    delivery.pass(WATCHDOG);
    delivery.pass(delivery.wakesIn() ?? 0);
    delivery.send("start");
    for (const type of ["unanswered", "notSent"])
      assert.equal(delivery.send(type, { n: 1, ms: 1, code: "x" }).changed, false, type);
    assert.equal(delivery.answer(500, { n: 1 }).changed, false);
    assert.equal(delivery.answer(200, { n: 1 }).done, true);
  });

  it("gets another turn at once when it did not leave the house, and has lost no try", () => {
    const delivery = sending();
    delivery.send("notSent", { n: 1 });
    assert.deepEqual([delivery.state(), delivery.context().tries], ["pending", []]);
  });

  it("need not wait when somebody says so", () => {
    const delivery = sending();
    assert.equal(delivery.send("redeliver").changed, false, "it is being sent");
    delivery.fail();
    delivery.send("redeliver");
    assert.deepEqual([delivery.state(), delivery.wakesIn(), delivery.view().status], ["pending", null, "RETRYING"]);
    assert.equal(delivery.send("redeliver").changed, false);
  });

  it("ends when there is nothing to be sent any more", () => {
    const delivery = sending();
    delivery.send("dropped", { code: "erased" });
    assert.deepEqual([delivery.state(), delivery.view().error, delivery.facts()], ["canceled", "erased", []]);
  });
});
