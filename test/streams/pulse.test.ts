import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLog } from "../../src/log.ts";
import { createPulses, type Finding, type Pulse } from "../../src/streams/pulse.ts";
import { createVirtualClock } from "./clock.ts";

/** Lets the answer of a look arrive. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

const setup = () => {
  const clock = createVirtualClock();
  const looks: string[][] = [];
  const state = { findings: [] as Finding<number>[], broken: false };
  const pulses = createPulses<number>({
    clock,
    log: createLog("silent"),
    look: async (streams) => {
      looks.push(streams);
      if (state.broken) throw new Error("the database is away");
      return state.findings.filter(({ stream }) => streams.includes(stream));
    },
    changed: (before, now) => before !== now,
    render: ({ subject, state: value }) => ({ event: "job.progress", json: `"${subject} ${value}"` }),
  });
  const find = (stream: string, subject: string, value: number, asOf = 1) => {
    state.findings = [
      ...state.findings.filter((finding) => finding.subject !== subject),
      { stream, subject, asOf, state: value },
    ];
  };
  const watch = (stream: string) => {
    const seen: Pulse[] = [];
    const subscription = pulses.of(stream).subscribe((pulse) => void seen.push(pulse));
    return { told: () => seen.map(({ json }) => JSON.parse(json)), leave: () => subscription.unsubscribe() };
  };
  const pass = async (ms: number) => {
    clock.advance(ms);
    await turn();
  };
  return { clock, looks, state, pulses, find, watch, pass };
};

describe("the pulses of streams", () => {
  it("come from one look for all that are watched, every 3 s", async () => {
    const { looks, find, watch, pass } = setup();
    find("a", "job-1", 1);
    find("b", "job-2", 2);
    const [one, two, three] = [watch("a"), watch("a"), watch("b")];
    await pass(2_999);
    assert.deepEqual(looks, []);
    await pass(1);
    assert.deepEqual(looks, [["a", "b"]]);
    assert.deepEqual([one.told(), two.told(), three.told()], [["job-1 1"], ["job-1 1"], ["job-2 2"]]);
    await pass(3_000);
    assert.equal(looks.length, 2);
  });

  it("are not looked for while nobody watches", async () => {
    const { clock, looks, watch, pass, pulses } = setup();
    await pass(10_000);
    const { leave } = watch("a");
    await pass(3_000);
    leave();
    assert.equal(clock.pending(), 0);
    assert.equal(pulses.watched(), 0);
    await pass(10_000);
    assert.equal(looks.length, 1);
  });

  it("are sent when something has changed", async () => {
    const { find, watch, pass } = setup();
    find("a", "job-1", 1);
    const { told } = watch("a");
    await pass(3_000);
    await pass(3_000);
    assert.deepEqual(told(), ["job-1 1"]);
    find("a", "job-1", 2);
    await pass(3_000);
    assert.deepEqual(told(), ["job-1 1", "job-1 2"]);
  });

  it("begin with the present for who comes later", async () => {
    const { find, watch, pass } = setup();
    find("a", "job-1", 1);
    watch("a");
    await pass(3_000);
    assert.deepEqual(watch("a").told(), ["job-1 1"]);
  });

  it("are forgotten with their subject", async () => {
    const { state, find, watch, pass } = setup();
    find("a", "job-1", 1);
    watch("a");
    await pass(3_000);
    state.findings = [];
    await pass(3_000);
    assert.deepEqual(watch("a").told(), []);
  });

  it("go on after a look that failed", async () => {
    const { state, find, watch, pass } = setup();
    find("a", "job-1", 1);
    const { told } = watch("a");
    state.broken = true;
    await pass(3_000);
    state.broken = false;
    await pass(3_000);
    assert.deepEqual(told(), ["job-1 1"]);
  });

  it("never have two looks under way, however watchers come and go", async () => {
    const { clock, looks, watch } = setup();
    const { leave } = watch("a");
    clock.advance(3_000);
    leave();
    watch("a");
    clock.advance(3_000);
    assert.equal(looks.length, 1);
    await turn();
    clock.advance(3_000);
    assert.equal(looks.length, 2);
    assert.equal(clock.pending(), 0);
  });

  it("leave nothing behind when they are closed", async () => {
    const { clock, find, watch, pulses } = setup();
    find("a", "job-1", 1);
    const { leave } = watch("a");
    pulses.close();
    assert.equal(clock.pending(), 0);
    leave();
    assert.deepEqual(watch("a").told(), []);
    assert.equal(pulses.watched(), 0);
  });
});
