import assert from "node:assert/strict";
import { it } from "node:test";
import { createActor, SimulatedClock } from "xstate";
import { jobMachine } from "../../machines/job.ts";
import type { JobCommand } from "../../machines/job.words.ts";
import { OUTPUT, STORED } from "./a-job.ts";

type Answer = JobCommand extends infer C ? (C extends JobCommand ? Omit<C, "at" | "draw" | "id"> : never) : never;

it("the job machine is ordinary XState: it runs as an actor, with its effects provided", () => {
  const clock = new SimulatedClock();
  const stamp = () => ({ at: clock.now(), draw: 0.5, id: `id@${clock.now()}` });
  const polls: number[] = [];
  const send = (answer: Answer) => actor.send({ ...answer, ...stamp() } as JobCommand);
  const actor = createActor(
    jobMachine.provide({
      actions: {
        submit: (_, { attempt }) => clock.setTimeout(() => send({ type: "accepted", attempt, ref: "ref-1" }), 200),
        poll: (_, { n }) => {
          polls.push(clock.now());
          const outcome =
            n < 4 ? { kind: "running" as const, progress: n / 4 } : { kind: "completed" as const, outputs: [OUTPUT] };
          clock.setTimeout(() => send({ type: "polled", n, outcome }), 100);
        },
        ingest: () => clock.setTimeout(() => send({ type: "ingested", outputs: [STORED] }), 500),
      },
    }),
    { clock, input: { account: "simulated", batch: null, index: 0, timeoutMs: 180_000, webhook: false, ...stamp() } },
  );
  const facts: string[] = [];
  actor.on("*", ({ type }) => facts.push(type));
  actor.start();
  assert.equal(actor.getSnapshot().value, "queued");
  send({ type: "start" });
  // In small steps: the clock shows the end of an increment to all that fires within it.
  for (let ms = 0; ms < 20_000; ms += 100) clock.increment(100);
  assert.equal(actor.getSnapshot().status, "done");
  assert.equal(actor.getSnapshot().value, "succeeded");
  assert.deepEqual(polls, [1200, 3300, 7400, 15_500]);
  assert.deepEqual(facts.slice(-2), ["job.rendered", "job.succeeded"]);
  assert.equal(actor.getSnapshot().context.finishedAt, 16_100);
});
