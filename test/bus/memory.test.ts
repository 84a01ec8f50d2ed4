import assert from "node:assert/strict";
import { it } from "node:test";
import { createMemoryBus } from "../../src/bus/memory.ts";
import { describeBus } from "./contract.ts";

describeBus("memory", async () => createMemoryBus());

it("the memory bus needs no relay", () => {
  assert.equal(createMemoryBus().durable, false);
});
