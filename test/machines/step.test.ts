import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assign, emit, fromPromise, setup } from "xstate";
import {
  BrokenSnapshot,
  createStep,
  eventLabel,
  nextStep,
  type Snapshot,
  stateName,
  tagsOf,
  wakeAt,
} from "../../machines/step.ts";

type Event = { type: string; at: number; draw: number; id: string; names?: string[] };
const at = (...instants: number[]) => {
  const rest = [...instants];
  const last = instants.at(-1) ?? 0;
  return () => ({ at: rest.shift() ?? last, draw: 0.5, id: "id" });
};
const timerOf = (snapshot: Snapshot) =>
  Object.fromEntries(Object.entries(snapshot.timers).map(([type, instant]) => [eventLabel(type), instant]));

/** A kettle: two timers at once, a tell, an effect, a fact. */
const kettle = setup({
  types: { context: {} as { heard: number[]; size: number }, events: {} as Event, input: {} as { size?: number } },
  actions: {
    tell: (_, _params: { to: string[]; event: { type: string } }) => {},
    heat: (_, _params: { watts: number }) => {},
    ring: () => {},
    hear: assign({ heard: ({ context, event }) => [...context.heard, event.at] }),
    burst: assign({
      heard: () => {
        throw new Error("the kettle burst");
      },
    }),
  },
  guards: { never: () => false },
  delays: { first: () => 100, second: () => 50, late: () => -5, whole: () => 1000 },
}).createMachine({
  id: "kettle",
  context: ({ input }) => ({ heard: [], size: input?.size ?? 0 }),
  after: { whole: ".cold" },
  initial: "full",
  states: {
    full: {
      entry: emit({ type: "kettle.filled" }),
      on: { switchOn: "hot", hear: { actions: "hear" }, burst: { actions: "burst" }, shut: { guard: "never" } },
    },
    hot: {
      tags: "dangerous",
      entry: [
        { type: "heat", params: { watts: 2000 } },
        { type: "tell", params: ({ event }) => ({ to: event.names ?? [], event: { type: "tea" } }) },
      ],
      after: { first: { actions: "ring" }, second: { actions: "hear" } },
      on: { hear: { actions: "hear" }, again: { target: "hot", reenter: true }, switchOff: "full", pour: "empty" },
    },
    empty: { type: "final", entry: emit(({ context }) => ({ type: "kettle.emptied", size: context.size })) },
    cold: { after: { late: "full" } },
  },
});

const full = () => createStep(kettle, { size: 2 }, { at: 1000, draw: 0.5, id: "id" });
const hot = (names?: string[]) => nextStep(kettle, full().snapshot, [{ type: "switchOn", names }], at(1100));
const freeze = (snapshot: Snapshot): Snapshot => {
  for (const value of Object.values(snapshot)) if (typeof value === "object") freeze(value as unknown as Snapshot);
  return Object.freeze(snapshot);
};

describe("the creation of an actor", () => {
  it("builds the context from the input, says its facts and dates its first delays by the stamp", () => {
    const step = full();
    assert.deepEqual(step.snapshot.value, "full");
    assert.deepEqual(step.snapshot.context, { heard: [], size: 2 });
    assert.deepEqual(step.facts, [{ type: "kettle.filled" }]);
    assert.deepEqual(timerOf(step.snapshot), { "after whole": 2000 });
    assert.deepEqual(step.events, ["create"]);
    assert.equal(step.changed, true);
    assert.equal(step.done, false);
  });
});

describe("a step", () => {
  it("sorts what follows: facts, effects, messages, timers, tags", () => {
    const step = hot(["anna", "boris"]);
    assert.deepEqual(step.effects, [{ type: "heat", params: { watts: 2000 } }]);
    assert.deepEqual(step.tells, [
      { to: "anna", event: { type: "tea" } },
      { to: "boris", event: { type: "tea" } },
    ]);
    assert.deepEqual(timerOf(step.snapshot), { "after whole": 2000, "after first": 1200, "after second": 1150 });
    assert.deepEqual([...step.tags], ["dangerous"]);
    const poured = nextStep(kettle, step.snapshot, [{ type: "pour" }], at(1110));
    assert.deepEqual(poured.facts, [{ type: "kettle.emptied", size: 2 }]);
  });

  it("leaves the stored snapshot as it was, so that it can be repeated after a lost race", () => {
    const stored = freeze(JSON.parse(JSON.stringify(hot().snapshot)) as Snapshot);
    const once = nextStep(kettle, stored, [{ type: "hear" }, { type: "switchOff" }], at(1120));
    const twice = nextStep(kettle, stored, [{ type: "hear" }, { type: "switchOff" }], at(1120));
    assert.deepEqual(once, twice);
    assert.notDeepEqual(once.snapshot, stored);
  });

  it("stamps every event on its own", () => {
    const events = [{ type: "hear" }, { type: "hear" }];
    const { snapshot } = nextStep(kettle, full().snapshot, events, at(1001, 1002, 1003, 1004));
    assert.deepEqual(snapshot.context.heard, [1002, 1004]);
  });

  it("changes nothing for an event that nobody takes, or whose guard does not hold", () => {
    const { snapshot } = full();
    for (const type of ["pour", "nonsense", "shut"]) {
      const step = nextStep(kettle, snapshot, [{ type }], at(1500));
      assert.equal(step.changed, false);
      assert.deepEqual(step.events, []);
      assert.deepEqual(step.snapshot, snapshot);
    }
  });

  it("takes the stamp's word for the time, not the event's", () => {
    const { snapshot } = nextStep(kettle, full().snapshot, [{ type: "hear", at: 5 }], at(1500));
    assert.deepEqual(snapshot.context.heard, [1500]);
  });
});

describe("the timers of an actor", () => {
  it("fire the oldest first, all that are due", () => {
    const step = nextStep(kettle, hot().snapshot, [{ type: "wake" }], at(1900));
    assert.deepEqual(step.events.map(eventLabel), ["after second", "after first"]);
    assert.deepEqual(timerOf(step.snapshot), { "after whole": 2000 });
    assert.deepEqual(step.effects, [{ type: "ring", params: {} }]);
  });

  it("fire before an event that comes too late", () => {
    const step = nextStep(kettle, hot().snapshot, [{ type: "switchOff" }], at(1160));
    assert.deepEqual(step.events.map(eventLabel), ["after second", "switchOff"]);
  });

  it("fire between the events of one step, when time goes by", () => {
    const step = nextStep(kettle, hot().snapshot, [{ type: "hear" }, { type: "hear" }], at(1120, 1120, 1160));
    assert.deepEqual(step.events.map(eventLabel), ["hear", "after second", "hear"]);
  });

  it("fire exactly at their instant, not before", () => {
    const early = nextStep(kettle, hot().snapshot, [{ type: "wake" }], at(1149));
    assert.equal(early.changed, false);
    assert.deepEqual(early.snapshot, hot().snapshot);
    assert.equal(nextStep(kettle, hot().snapshot, [{ type: "wake" }], at(1150)).changed, true);
  });

  it("are forgotten when their state is left", () => {
    const step = nextStep(kettle, hot().snapshot, [{ type: "switchOff" }], at(1120));
    assert.deepEqual(timerOf(step.snapshot), { "after whole": 2000 });
  });

  it("are set anew when their state is entered again", () => {
    const step = nextStep(kettle, hot().snapshot, [{ type: "again" }], at(1140));
    assert.deepEqual(timerOf(step.snapshot), { "after whole": 2000, "after first": 1240, "after second": 1190 });
  });

  it("are due at once when their delay is negative", () => {
    const step = nextStep(kettle, full().snapshot, [{ type: "wake" }], at(2000));
    assert.deepEqual(step.events.map(eventLabel), ["after whole", "after late"]);
    assert.equal(stateName(step.snapshot.value), "full");
  });

  it("are gone in a final state, and no event brings them back", () => {
    const step = nextStep(kettle, hot().snapshot, [{ type: "pour" }, { type: "wake" }], at(1120, 1120, 9000));
    assert.equal(step.done, true);
    assert.deepEqual(step.snapshot.timers, {});
    assert.equal(wakeAt(step.snapshot.timers), null);
    assert.deepEqual(step.events, ["pour"]);
  });

  it("that fire without end are a broken actor, not a hung process", () => {
    const spinning = setup({ types: { events: {} as Event }, delays: { now: () => 0 } }).createMachine({
      id: "spinning",
      initial: "a",
      states: { a: { after: { now: "b" } }, b: { after: { now: "a" } } },
    });
    const { snapshot } = createStep(spinning, {}, { at: 0, draw: 0, id: "" });
    assert.throws(() => nextStep(spinning, snapshot, [{ type: "wake" }], at(1)), BrokenSnapshot);
  });
});

describe("a broken snapshot", () => {
  const step = (snapshot: unknown) => nextStep(kettle, snapshot as Snapshot, [{ type: "wake" }], at(1100));
  const nested = setup({}).createMachine({
    id: "nested",
    initial: "a",
    states: { a: { initial: "b", states: { b: {} } } },
  });

  it("is one in a state that the machine does not have", () => {
    for (const value of ["gone", { full: "gone" }, { gone: "x" }, {}, null, undefined, 5])
      assert.throws(() => step({ value, context: { heard: [], size: 1 }, timers: {} }), BrokenSnapshot, String(value));
  });

  it("is one in a state that has got children since, whose timers it never set", () => {
    const stored = { value: "a", context: {}, timers: {} };
    assert.throws(() => nextStep(nested, stored, [{ type: "wake" }], at(1)), BrokenSnapshot);
  });

  it("is one without a context", () => {
    for (const context of [undefined, null, "x"])
      assert.throws(() => step({ value: "full", context, timers: {} }), BrokenSnapshot);
  });

  it("has no tags to speak of", () => {
    assert.deepEqual([...tagsOf(kettle, "hot")], ["dangerous"]);
    assert.deepEqual([...tagsOf(kettle, "gone")], []);
    assert.deepEqual([...tagsOf(nested, "a.b")], []);
  });
});

describe("a machine that breaks the rules", () => {
  it("does not get past the step that shows it", () => {
    const spawning = setup({ actors: { work: fromPromise(async () => 1) } }).createMachine({
      id: "spawning",
      initial: "a",
      states: { a: { invoke: { src: "work" } } },
    });
    assert.throws(() => createStep(spawning, {}, { at: 0, draw: 0, id: "" }), BrokenSnapshot);
  });

  it("throws what its bookkeeping throws, and nothing is changed", () => {
    assert.throws(() => nextStep(kettle, full().snapshot, [{ type: "burst" }], at(1)), /burst/);
  });
});

describe("the names of states and events", () => {
  it("are short for people", () => {
    assert.equal(stateName("queued"), "queued");
    assert.equal(stateName({ active: { running: "waiting" } }), "active.running.waiting");
    assert.equal(eventLabel("cancel"), "cancel");
    assert.deepEqual(Object.keys(hot().snapshot.timers).map(eventLabel).sort(), [
      "after first",
      "after second",
      "after whole",
    ]);
  });

  it("tell the earliest instant of all timers", () => {
    assert.equal(wakeAt({}), null);
    assert.equal(wakeAt({ a: 3, b: 1, c: 2 }), 1);
  });
});
