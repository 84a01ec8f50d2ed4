import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createDialogue } from "./dialogue.ts";
import { createNetwork, LINES } from "./network.ts";

const RUNS = 500;
const LIMIT_MS = 8_000;
const ROUNDS = 300;

const n = fc.nat({ max: 30 });
const node = fc.nat({ max: 1 });
const to = fc.nat({ max: 2 });
const the = <T extends string>(what: T) => fc.constant(what);
const actions = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: the("commit"), node, count: fc.integer({ min: 1, max: 4 }), to }) },
  { weight: 1, arbitrary: fc.record({ do: the("erase") }) },
  { weight: 6, arbitrary: fc.record({ do: the("deliver"), n, again: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: the("lose"), n }) },
  { weight: 9, arbitrary: fc.record({ do: the("answer"), n }) },
  { weight: 1, arbitrary: fc.record({ do: the("fail"), n }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: the("follow"), to, ack: fc.option(fc.integer({ min: 1, max: 4 })) }),
  },
  { weight: 4, arbitrary: fc.record({ do: the("acknowledge"), n }) },
  { weight: 1, arbitrary: fc.record({ do: the("cut") }) },
  { weight: 3, arbitrary: fc.record({ do: the("connect"), node }) },
  { weight: 1, arbitrary: fc.record({ do: the("look") }) },
);

describe("the one socket for many streams, whatever happens around it", () => {
  it("shows on each subscription exactly the next of its line, and no more than it may", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ feedPage: fc.integer({ min: 1, max: 5 }), tailPage: fc.integer({ min: 1, max: 5 }) }),
        node,
        fc.array(fc.tuple(actions, fc.boolean()), { minLength: 10, maxLength: 80, size: "max" }),
        async (pages, first, list) => {
          const network = createNetwork(pages);
          const wrong: string[] = [];
          const client = createDialogue(network, wrong);
          client.connect(first);
          for (const [action, pause] of list) {
            if (action.do === "commit") network.commit(action.node, action.count, action.to);
            else if (action.do === "erase") network.erase();
            else if (action.do === "deliver") network.deliver(action.n, action.again);
            else if (action.do === "lose") network.cut(action.n);
            else if (action.do === "answer") network.answer(action.n);
            else if (action.do === "fail") network.fail(action.n);
            else if (action.do === "follow") client.follow(LINES[action.to] ?? LINES[0], action.ack);
            else if (action.do === "acknowledge") client.acknowledge(action.n);
            else if (action.do === "cut") client.cut();
            else if (action.do === "connect") client.connect(action.node);
            else await network.look();
            if (pause) await network.turn();
          }
          client.connect(0);
          await network.settle();
          for (let round = 0; round < ROUNDS && !(await client.goOn()); round++);
          assert.deepEqual(wrong, []);
          client.check();
          client.cut();
          await network.close();
        },
      ),
      { seed: 20260101, numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS, markInterruptAsFailure: false },
    );
  });
});
