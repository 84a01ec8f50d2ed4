import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AnyStateMachine } from "xstate";
import { attachmentMachine } from "../../machines/attachment.ts";
import { batchMachine } from "../../machines/batch.ts";
import { createBreakerMachine } from "../../machines/breaker.ts";
import { createDeliveryMachine, type DeliveryContext } from "../../machines/delivery.ts";
import type { JobContext } from "../../machines/job.context.ts";
import { createJobMachine } from "../../machines/job.ts";
import { nodeMachine } from "../../machines/node.ts";
import { CANCEL_TRIES, defaultPolicy, FINISH_TRIES, INGEST_TRIES } from "../../machines/policy.ts";
import { createRegistry } from "../../machines/registry.ts";
import { eventLabel, stateName } from "../../machines/step.ts";
import { eventlessOf, type Explored, explore, nodesOf, transitionsOf } from "./explore.ts";

const job = createJobMachine({ ...defaultPolicy, retryLimit: 1 });
const jobs = explore(
  job,
  {
    account: "simulated",
    alternatives: [{ account: "other", model: "other", timeoutMs: 1000, webhook: true }],
    batch: null,
    index: 0,
    timeoutMs: 1000,
    webhook: true,
  },
  ({ context: { attempt, polls } }) => [
    { type: "start" },
    { type: "stalled", code: "x", open: ["other"] },
    { type: "nudge", attempt },
    { type: "nudge", attempt, ref: "ref" },
    { type: "cancel" },
    { type: "accepted", attempt, ref: "ref" },
    { type: "accepted", attempt: "earlier", ref: "stray" },
    { type: "rejected", attempt, code: "x", message: "x", retryable: true, afterMs: 0 },
    { type: "rejected", attempt, code: "x", message: "x", retryable: false, afterMs: 0 },
    { type: "ambiguous", attempt, reason: "x" },
    { type: "rejected", attempt, code: "queue_full", message: "x", retryable: true, afterMs: 5 },
    { type: "rejected", attempt, code: "out_of_credit", message: "x", retryable: false, afterMs: 0 },
    { type: "notSent", attempt },
    { type: "unresolved", attempt },
    ...["queued", "running", "canceled", "gone"].map((kind) => ({ type: "polled", n: polls, outcome: { kind } })),
    { type: "deferred", n: polls, afterMs: 5 },
    { type: "polled", n: polls, outcome: { kind: "completed", outputs: [{ url: "x" }] } },
    ...["canceled", "refused", "already_finished", "unknown"].map((outcome) => ({ type: "cancelAnswered", outcome })),
    { type: "ingested", outputs: [] },
    { type: "ingestFailed", code: "x", message: "x", retryable: true },
    { type: "ingestFailed", code: "x", message: "x", retryable: false },
  ],
  (context) => {
    const { attempts, attemptsBefore, account, alternatives, expired, cancel, tries, error, ref, phase, nudged } =
      context as unknown as JobContext;
    const most = Math.max(CANCEL_TRIES + FINISH_TRIES, INGEST_TRIES);
    const tried = attempts - attemptsBefore;
    return [
      account,
      alternatives.length,
      tried,
      expired,
      cancel,
      Math.min(tries, most),
      error?.code,
      ref,
      phase,
      nudged,
    ];
  },
);

const batches = explore(
  batchMachine,
  { count: 2 },
  () => [
    { type: "cancel", jobs: ["a", "b"] },
    ...[0, 1].flatMap((index) =>
      ["RUNNING", "SUCCEEDED", "FAILED", "TIMEOUT", "CANCELED"].map((status) => ({
        type: "item",
        index,
        status,
        instant: 0,
      })),
    ),
  ],
  ({ cancelRequested, ends }) => [cancelRequested, ends],
);

const attachments = explore(
  attachmentMachine,
  { uploadKey: "x", uploadId: null, mime: "image/png", size: 1 },
  () => [
    { type: "uploaded" },
    { type: "verified", object: {} },
    { type: "missing" },
    { type: "refused", code: "x", message: "x" },
    { type: "unverified" },
    { type: "discarded" },
  ],
  ({ tries }) => tries,
);

const delivery = createDeliveryMachine({ ...defaultPolicy, deliveryRetries: 2 });
const deliveries = explore(
  delivery,
  { event: { id: "x", type: "x", stream: "x", seq: 1 }, redeliveryOf: null },
  ({ context: { starts } }) => [
    { type: "start" },
    ...[starts, starts - 1].flatMap((n) => [
      ...[200, 410, 500].map((status) => ({ type: "answered", n, ms: 1, status, response: "", afterMs: 0 })),
      { type: "unanswered", n, ms: 1, code: "x" },
      { type: "notSent", n },
    ]),
    { type: "dropped", code: "x" },
    { type: "redeliver" },
  ],
  (context) => {
    const { tries, error, finishedAt } = context as unknown as DeliveryContext;
    return [tries.length, tries.at(-1)?.status, error, finishedAt];
  },
);

const breaker = createBreakerMachine({ failures: 2, coolDownMs: 1000 });
const breakers = explore(
  breaker,
  {},
  () =>
    ["answered", "failed"].flatMap((type) => [
      { type, call: "submit" },
      { type, call: "check" },
    ]),
  ({ submits, checks }) => [submits, checks],
);

const nodes = explore(
  nodeMachine,
  {},
  () => ["started", "stop", "finished"].map((type) => ({ type })),
  () => null,
);

const explored: [string, AnyStateMachine, Explored][] = [
  ["job", job, jobs],
  ["batch", batchMachine, batches],
  ["attachment", attachmentMachine, attachments],
  ["delivery", delivery, deliveries],
  ["breaker", breaker, breakers],
  ["node", nodeMachine, nodes],
];
/** Those that live as long as their node does. */
const endless = ["breaker"];

for (const [name, machine, { snapshots, follow, taken }] of explored) {
  describe(`every way through the ${name} machine`, () => {
    it("reaches every state in which an actor can stay", () => {
      const reached = new Set(snapshots.map(({ value }) => stateName(value)));
      const resting = nodesOf(machine).filter(({ states, always }) => Object.keys(states).length === 0 && !always);
      assert.deepEqual([...reached].sort(), resting.map(({ path }) => path.join(".")).sort());
    });

    it("takes every transition somewhere", () => {
      const never = transitionsOf(machine).filter((transition) => !taken.has(transition));
      assert.deepEqual(
        never.map(({ source, eventType }) => `${source.id}: ${eventLabel(eventType)}`),
        [],
      );
    });

    it("leaves each state that is passed through by each of its ways", () => {
      const never = eventlessOf(machine).filter((transition) => !taken.has(transition));
      assert.deepEqual(
        never.map(({ source, target }) => `${source.id} → ${target?.map(({ id }) => id)}`),
        [],
      );
    });

    it(`can ${endless.includes(name) ? "never" : "still"} come to an end, wherever it is`, () => {
      const ending = new Set(snapshots.flatMap(({ status }, place) => (status === "done" ? [place] : [])));
      for (let grown = -1; grown !== ending.size; ) {
        grown = ending.size;
        follow.forEach((places, place) => {
          if (places.some((next) => ending.has(next))) ending.add(place);
        });
      }
      const without = snapshots.filter((_, place) => !ending.has(place));
      assert.deepEqual(
        without.map(({ value }) => value),
        endless.includes(name) ? snapshots.map(({ value }) => value) : [],
      );
    });

    it("stays at its end", () => {
      snapshots.forEach(({ status, value }, place) => {
        if (status !== "done") return;
        for (const next of follow[place] ?? []) assert.deepEqual(snapshots[next]?.value, value);
      });
    });
  });
}

describe("the ways through the machines", () => {
  it("are walked for every machine that there is", () => {
    const stored = Object.keys(createRegistry(defaultPolicy));
    assert.deepEqual(explored.map(([name]) => name).sort(), [...stored, "breaker", "node"].sort());
  });
});

describe("wherever a delivery is", () => {
  const all = deliveries.snapshots.map((snapshot) => ({
    state: stateName(snapshot.value),
    done: snapshot.status === "done",
    context: snapshot.context as DeliveryContext,
  }));
  const each = (check: (delivery: (typeof all)[number]) => boolean) =>
    assert.deepEqual(
      all.filter((found) => !check(found)),
      [],
    );

  it("it has an end exactly when it has ended", () =>
    each(({ done, context }) => done === (context.finishedAt !== null)));

  it("it has succeeded exactly when its last try was taken", () =>
    each(({ state, context: { tries } }) => (state === "succeeded") === (tries.at(-1)?.status === 200)));

  it("it knows when it is sent again exactly while it waits", () =>
    each(({ state, context }) => (state === "waiting") === (context.dueAt !== null)));

  it("a bad end has a reason, and nothing else has", () =>
    each(({ state, context }) => ["failed", "canceled"].includes(state) === (context.error !== null)));

  it("it is tried no more often than the policy allows", () => each(({ context: { tries } }) => tries.length <= 3));
});

describe("wherever a job is", () => {
  const all = jobs.snapshots.map((snapshot) => ({
    state: stateName(snapshot.value),
    done: snapshot.status === "done",
    tags: snapshot.tags,
    context: snapshot.context as JobContext,
  }));
  const each = (check: (job: (typeof all)[number]) => boolean) =>
    assert.deepEqual(
      all.filter((job) => !check(job)),
      [],
    );

  it("it has an end exactly when it has ended", () =>
    each(({ done, context }) => done === (context.finishedAt !== null)));

  it("it holds a slot exactly while the provider may be working on it", () =>
    each(({ state, tags }) => tags.has("slot") === state.startsWith("active.")));

  it("it wants a turn exactly while it is queued", () =>
    each(({ state, tags }) => tags.has("turn") === (state === "queued")));

  it("a cancel is answered for before its end", () =>
    each(({ done, context }) => !(done && context.cancel === "cancel_requested")));

  it("it is canceled exactly when a cancel was confirmed", () =>
    each(({ state, context: { cancel } }) =>
      state === "canceled"
        ? cancel === "canceled_before_start" || cancel === "canceled_upstream"
        : cancel === null || cancel === "cancel_requested" || cancel === "cancel_failed",
    ));

  it("a bad end has a reason, and a good one has none", () =>
    each(({ state, context }) => {
      if (state === "failed" || state === "timeout") return context.error !== null;
      return state !== "succeeded" || context.error === null;
    }));

  it("it submits no more often than the policy allows", () =>
    each(({ context }) => context.attempts - context.attemptsBefore <= 2));

  it("it moves to another account only where it holds neither a slot nor a turn", () =>
    jobs.snapshots.forEach((snapshot, place) => {
      for (const next of jobs.follow[place] ?? []) {
        const { account } = jobs.snapshots[next]?.context as JobContext;
        if (account !== (snapshot.context as JobContext).account) assert.equal(stateName(snapshot.value), "moving");
      }
    }));

  it("it never moves while the provider may be working on it, nor after it refused the job itself", () =>
    jobs.snapshots.forEach((snapshot, place) => {
      for (const next of jobs.follow[place] ?? []) {
        if (jobs.snapshots[next]?.value !== "moving" || snapshot.value === "moving") continue;
        assert.doesNotMatch(stateName(snapshot.value), /canceling|ingesting|waiting/);
      }
    }));

  it("it knows the provider's ref wherever it would use it", () =>
    each(
      ({ state, context }) =>
        !(state.startsWith("active.running") || state.startsWith("active.canceling")) || context.ref !== null,
    ));
});
