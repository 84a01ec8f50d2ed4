import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { and, not, setup, stateIn } from "xstate";
import { drawMachine, listInner, statePaths } from "../../machines/diagram.ts";
import { machinesReadme } from "../../machines/readme.ts";

const lamp = setup({
  types: { context: {} as object, events: {} as { type: string } },
  actions: { count: () => {} },
  guards: { powered: () => true, dark: () => true },
  delays: { dusk: () => 1, night: () => 2 },
}).createMachine({
  id: "lamp",
  initial: "off",
  states: {
    off: { on: { press: { guard: and(["powered", not("dark")]), target: "on" }, count: { actions: "count" } } },
    on: {
      after: { night: { guard: stateIn({ on: "bright" }), target: ".dim" } },
      on: { press: "checking", dim: ".dim" },
      initial: "bright",
      states: { bright: { after: { dusk: "dim" } }, dim: {} },
    },
    checking: { always: [{ guard: "powered", target: "off" }, { target: "broken" }] },
    broken: { initial: "dim", states: { dim: { on: { mend: "#lamp.gone" } } } },
    gone: { type: "final" },
  },
});

describe("the drawing of a machine", () => {
  it("shows nested states, delays by name, guards, passages and final states", () => {
    assert.equal(
      drawMachine(lamp),
      `stateDiagram-v2
  off
  state on {
    bright
    state "dim" as on_dim
    [*] --> bright
  }
  checking
  state broken {
    state "dim" as broken_dim
    [*] --> broken_dim
  }
  gone
  [*] --> off
  off --> on: press [powered and not dark]
  on --> checking: press
  bright --> on_dim: dim<br/>after night<br/>after dusk
  on_dim --> on_dim: dim
  checking --> off: [powered]
  checking --> broken
  broken_dim --> gone: mend
  gone --> [*]`,
    );
  });

  it("lists what happens without leaving a state", () => {
    assert.equal(listInner(lamp), "| in | event | does |\n|---|---|---|\n| off | count | count |");
    assert.equal(listInner(setup({}).createMachine({ id: "still" })), "");
  });

  it("knows every state by its path", () => {
    assert.deepEqual(statePaths(lamp), [
      "off",
      "on",
      "on.bright",
      "on.dim",
      "checking",
      "broken",
      "broken.dim",
      "gone",
    ]);
  });
});

describe("machines/README.md", () => {
  it("shows the machines as they are", () => {
    const written = readFileSync(new URL("../../machines/README.md", import.meta.url), "utf8");
    assert.equal(written, machinesReadme(), "run: npm run diagrams");
  });
});
