import { describe, it } from "node:test";
import fc from "fast-check";
import { createNetwork, type Network } from "./network.ts";

const RUNS = 1000;
const LIMIT_MS = 8_000;

const n = fc.nat({ max: 30 });
const node = fc.nat({ max: 1 });
/** A stream or, of those that one can follow, all that the owner owns. */
const to = fc.nat({ max: 2 });
const actions = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("commit" as const), node, count: fc.integer({ min: 1, max: 4 }), to }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("erase" as const) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("deliver" as const), n, again: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("cut" as const), n }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("answer" as const), n }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fail" as const), n }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("connect" as const),
      node,
      fromStart: fc.boolean(),
      slow: fc.boolean(),
      to,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("go" as const), n }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("disconnect" as const), n }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("resume" as const), n, node }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("look" as const) }) },
);
type Action = typeof actions extends fc.Arbitrary<infer T> ? T : never;

const perform = (network: Network, action: Action) => {
  switch (action.do) {
    case "commit":
      return network.commit(action.node, action.count, action.to);
    case "erase":
      return network.erase();
    case "deliver":
      return network.deliver(action.n, action.again);
    case "cut":
      return network.cut(action.n);
    case "answer":
      return network.answer(action.n);
    case "fail":
      return network.fail(action.n);
    case "connect":
      return network.connect(action.node, action.fromStart, action.slow, action.to);
    case "go":
      return network.go(action.n);
    case "disconnect":
      return network.disconnect(action.n);
    case "resume":
      return network.resume(action.n, action.node);
    case "look":
      return network.look();
  }
};

describe("a feed, whatever happens around it", () => {
  it("shows every client exactly the next of its line, or that something of it was erased", {
    timeout: 20_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ feedPage: fc.integer({ min: 1, max: 5 }), tailPage: fc.integer({ min: 1, max: 5 }) }),
        fc.array(fc.tuple(actions, fc.boolean()), { minLength: 10, maxLength: 80, size: "max" }),
        async (pages, list) => {
          const network = createNetwork(pages);
          for (const [action, pause] of list) {
            await perform(network, action);
            if (pause) await network.turn();
          }
          await network.settle();
          await network.close();
        },
      ),
      { seed: 20260101, numRuns: RUNS, interruptAfterTimeLimit: LIMIT_MS, markInterruptAsFailure: false },
    );
  });
});
