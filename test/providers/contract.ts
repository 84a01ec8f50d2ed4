import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { CancelOutcome, CheckOutcome, Generation, Provider, SubmitOutcome } from "../../src/ports.ts";

export type Ending = "completed" | "failed" | "moderated";

/** A provider with the hands that move its far side. Every generation starts in the queue and stays until moved. */
export type ProviderHarness = {
  provider: Provider;
  /** A new generation, with its own attempt id, that will end in this way when `end` is called. */
  generation(ending?: Ending): Generation;
  /** Takes it out of the queue. */
  run(ref: string): void | Promise<void>;
  /** Finishes it, in the way that it was made for. */
  end(ref: string, ending: Ending): void | Promise<void>;
  /** Billable submits of that attempt. */
  bills(generation: Generation): number | Promise<number>;
  /** Looks like a ref of this provider, but nobody made it. */
  unknownRef: string;
  /**
   * The next submit, which is this one, is billed, but its answer is lost. Gives the generation to submit where that
   * takes another one. Absent when it cannot be arranged.
   */
  loseNextSubmit?(generation: Generation): unknown;
  /** The next call of this kind is never answered. Absent when that cannot be arranged. */
  hangNext?(on: "submit" | "check" | "cancel"): void;
  /** Kinds that a cancel of a running or a finished generation may answer with. Default: canceled; already_finished. */
  cancels?: { running?: CancelOutcome["kind"][]; finished?: CancelOutcome["kind"][] };
  /** The far side's clock, milliseconds since the epoch. Default the real one. */
  now?(): number;
  close(): void | Promise<void>;
};

const never = new AbortController().signal;

const losing = (arranged: unknown, asked: Generation): Generation =>
  typeof arranged === "object" && arranged !== null ? (arranged as Generation) : asked;

/** What every provider keeps to. `open` is called once; the harness is closed here. */
export const describeProvider = (name: string, open: () => ProviderHarness | Promise<ProviderHarness>) => {
  describe(`the ${name} provider keeps the contract: it`, () => {
    let harness: ProviderHarness;
    let provider: Provider;
    before(async () => {
      harness = await open();
      provider = harness.provider;
    });
    after(() => harness.close());

    const now = () => harness.now?.() ?? Date.now();
    const submit = (generation: Generation, signal = never) => provider.submit(generation, signal);
    const accepted = async (generation: Generation): Promise<string> => {
      const outcome = await submit(generation);
      assert.equal(outcome.kind, "accepted", JSON.stringify(outcome));
      return (outcome as SubmitOutcome & { kind: "accepted" }).ref;
    };
    const check = (ref: string, signal = never) => provider.check(ref, signal);
    const ended = async (ending: Ending): Promise<{ ref: string; outcome: CheckOutcome }> => {
      const ref = await accepted(harness.generation(ending));
      await harness.run(ref);
      await harness.end(ref, ending);
      return { ref, outcome: await check(ref) };
    };

    it("accepts a submit, bills it once and gives a ref that fits in a column", async () => {
      const generation = harness.generation();
      const ref = await accepted(generation);
      assert.equal(await harness.bills(generation), 1);
      assert.ok(ref.length > 0 && ref.length < 2500, ref);
    });

    it("judges webhooks exactly if it says that it has some", () => {
      assert.equal(provider.verify !== undefined, provider.capabilities.webhooks);
    });

    it("gives two attempts two refs", async () => {
      assert.notEqual(await accepted(harness.generation()), await accepted(harness.generation()));
    });

    it("answers the same attempt with the same ref and one bill, if it says that it is idempotent", async () => {
      if (!provider.capabilities.idempotentSubmit) return;
      const generation = harness.generation();
      const refs = [await accepted(generation), await accepted(generation), await accepted({ ...generation })];
      assert.deepEqual([new Set(refs).size, await harness.bills(generation)], [1, 1]);
    });

    it("calls a submit whose answer is lost ambiguous, never rejected", async () => {
      if (!harness.loseNextSubmit) return;
      const asked = harness.generation();
      const generation = losing(harness.loseNextSubmit(asked), asked);
      assert.equal((await submit(generation)).kind, "ambiguous");
      assert.equal(await harness.bills(generation), 1);
      if (!provider.capabilities.idempotentSubmit) return;
      await accepted(generation);
      assert.equal(await harness.bills(generation), 1, "the second try adopts the first");
    });

    it("finds a submit whose answer is lost, if it says that it can", async () => {
      const { findable } = provider.capabilities;
      if (!findable || !harness.loseNextSubmit) return;
      const asked = harness.generation();
      const at = now();
      const generation = losing(harness.loseNextSubmit(asked), asked);
      await submit(generation);
      assert.equal((await provider.find(generation.attempt, at, never)).kind, "found");
    });

    it("never claims to have found an attempt that was not submitted", async () => {
      const found = await provider.find(harness.generation().attempt, now(), never);
      assert.notEqual(found.kind, "found");
    });

    it("goes from queued to running to completed, with outputs that can be downloaded", async () => {
      const ref = await accepted(harness.generation());
      assert.equal((await check(ref)).kind, "queued");
      await harness.run(ref);
      assert.equal((await check(ref)).kind, "running");
      await harness.end(ref, "completed");
      const done = await check(ref);
      assert.equal(done.kind, "completed", JSON.stringify(done));
      const { outputs } = done as CheckOutcome & { kind: "completed" };
      assert.ok(outputs.length > 0);
      for (const output of outputs) {
        const { body, size } = await provider.download(output, never);
        let bytes = 0;
        for await (const chunk of body) bytes += (chunk as Uint8Array).length;
        assert.ok(bytes > 0);
        assert.equal(size ?? bytes, bytes);
      }
      assert.deepEqual(await check(ref), done, "and stays completed");
    });

    it("tells a failure with a code, a message and whether to try again", async () => {
      const { outcome } = await ended("failed");
      assert.equal(outcome.kind, "failed", JSON.stringify(outcome));
      const { code, message, retryable } = outcome as CheckOutcome & { kind: "failed" };
      assert.match(code, /^[a-z][a-z0-9_]*$/);
      assert.ok(message.length > 0);
      assert.equal(typeof retryable, "boolean");
    });

    it("tells moderation apart from failure", async () => {
      assert.deepEqual((await ended("moderated")).outcome, { kind: "moderated" });
    });

    it("cancels what is in the queue, or says beforehand that it cannot", async () => {
      const ref = await accepted(harness.generation());
      if (!provider.capabilities.cancel) {
        assert.deepEqual(await provider.cancel(ref, never), { kind: "refused" });
        return;
      }
      assert.deepEqual(await provider.cancel(ref, never), { kind: "canceled" });
      assert.equal((await check(ref)).kind, "canceled");
    });

    it("says truly what became of a cancel while running", async () => {
      if (!provider.capabilities.cancel) return;
      const ref = await accepted(harness.generation());
      await harness.run(ref);
      const { kind } = await provider.cancel(ref, never);
      assert.ok((harness.cancels?.running ?? ["canceled"]).includes(kind), kind);
      if (kind === "refused") assert.equal((await check(ref)).kind, "running");
    });

    it("does not cancel what has finished", async () => {
      if (!provider.capabilities.cancel) return;
      const { ref } = await ended("completed");
      const { kind } = await provider.cancel(ref, never);
      assert.ok((harness.cancels?.finished ?? ["already_finished"]).includes(kind), kind);
      assert.equal((await check(ref)).kind, "completed");
    });

    it("calls gone what it does not know", async () => {
      assert.deepEqual(await check(harness.unknownRef), { kind: "gone" });
      assert.notEqual((await provider.cancel(harness.unknownRef, never)).kind, "canceled");
    });

    it("does nothing, bills nothing and does not throw when the signal is aborted beforehand", async () => {
      const signal = AbortSignal.abort();
      const generation = harness.generation();
      const outcome = await submit(generation, signal);
      assert.deepEqual([outcome.kind, "retryable" in outcome && outcome.retryable], ["rejected", true]);
      assert.equal(await harness.bills(generation), 0);
      const ref = await accepted(harness.generation());
      assert.equal((await provider.cancel(ref, signal)).kind, provider.capabilities.cancel ? "unknown" : "refused");
      assert.equal((await provider.find(generation.attempt, now(), signal)).kind, "unknown");
      assert.equal((await check(ref, signal)).kind, "unknown");
      assert.equal((await check(ref)).kind, "queued");
    });

    it("gives up on the signal while nobody answers, and says that it does not know", async () => {
      const { hangNext } = harness;
      if (!hangNext) return;
      const ref = await accepted(harness.generation());
      const soon = () => AbortSignal.timeout(50);
      hangNext("submit");
      assert.equal((await submit(harness.generation(), soon())).kind, "ambiguous");
      hangNext("check");
      assert.equal((await check(ref, soon())).kind, "unknown");
      if (!provider.capabilities.cancel) return;
      hangNext("cancel");
      assert.equal((await provider.cancel(ref, soon())).kind, "unknown");
    });

    it("does not download what is not an output of its own, nor after an abort", async () => {
      await assert.rejects(provider.download({ url: "http://169.254.169.254/latest/meta-data" }, never));
      await assert.rejects(provider.download({ url: "file:///etc/passwd" }, never));
      const { outcome } = await ended("completed");
      const [output] = (outcome as CheckOutcome & { kind: "completed" }).outputs;
      assert.ok(output);
      await assert.rejects(provider.download(output, AbortSignal.abort()));
    });
  });
};
