/** What a job's effects do at the provider and in storage. Each outcome is one command. */
import { verdictOn } from "../../machines/retries.ts";
import type { MachineEvent } from "../../machines/step.ts";
import { type EffectCall, type EffectHandler, NotSent } from "../actors/effects.ts";
import type { Config } from "../config.ts";
import type { Query } from "../db/queries.ts";
import { Classified } from "../errors.ts";
import { findModel } from "../models/catalog.ts";
import { paramsFor, pathOf } from "../models/model.ts";
import type { Tool } from "../models/tool.ts";
import type { Draws, Generation, Kept, Provider, RemoteOutput, Storage, SubmitOutcome } from "../ports.ts";
import { storeOutput } from "../storage/store-output.ts";
import type { CheckTokens } from "./check-tokens.ts";

type EffectRow = {
  id: string;
  tool_type: Tool;
  model_key: string;
  prompt: string;
  params: Record<string, unknown>;
  inputs: string[];
  alternatives: { model_key: string; prompt: string; params: Record<string, unknown> }[];
};

type Limits = Pick<
  Config,
  "SUBMIT_TIMEOUT_MS" | "POLL_TIMEOUT_MS" | "CANCEL_TIMEOUT_MS" | "INGEST_TIMEOUT_MS" | "OUTPUT_MAX_BYTES"
>;

const AT_ONCE = 256;
const INGESTS_AT_ONCE = 4;

export const createJobEffects = (deps: {
  query: Query;
  storage: Storage;
  kept: Kept;
  providers: ReadonlyMap<string, Provider>;
  limits: Limits;
  draws: Draws;
  tmpDir: string;
  counted: { polls(): void; deferred(provider: string): void };
  checks: CheckTokens;
  /** Where the provider may call us about this attempt; null when it cannot reach us. The same each time. */
  webhookUrl(provider: string, job: string, attempt: string): string | null;
}): Record<string, EffectHandler> => {
  const { query, storage, providers, limits, draws, tmpDir } = deps;

  const providerOf = ({ actor }: EffectCall): Provider => {
    const provider = providers.get(actor.account ?? "");
    if (!provider) throw new NotSent(`provider ${actor.account} is not configured here`);
    return provider;
  };

  /** What is to be made, the same each time for one attempt. Failing here means that nothing left this process. */
  const generationOf = async ({ actor, params }: EffectCall): Promise<Generation> => {
    try {
      const [row] = await query<EffectRow>("jobForEffect", [actor.id]);
      if (!row) throw new Error("the job's row is gone");
      // A job that has moved gets what was prepared for the model that it has moved to.
      const {
        model_key,
        prompt,
        params: given,
      } = row.alternatives.find((each) => each.model_key === params.model) ?? row;
      const model = findModel(model_key);
      return {
        attempt: String(params.attempt),
        model: model ? pathOf(model, row.tool_type) : model_key,
        tool: row.tool_type,
        prompt,
        params: model ? paramsFor(model, row.tool_type, given) : given,
        inputs: await Promise.all(row.inputs.map((key) => storage.inputUrl(key, Number(params.submittedAt)))),
        deadline: Number(params.deadline),
        webhook: deps.webhookUrl(actor.account ?? "", actor.id, String(params.attempt)),
      };
    } catch (error) {
      throw new NotSent(`the job could not be read: ${error instanceof Error ? error.message : error}`);
    }
  };

  const submitted = (attempt: unknown, outcome: SubmitOutcome): MachineEvent => {
    if (outcome.kind === "accepted") return { type: "accepted", attempt, ref: outcome.ref };
    if (outcome.kind === "ambiguous") return { type: "ambiguous", attempt, reason: outcome.reason };
    return {
      type: "rejected",
      attempt,
      // Refused before anything left: that says something about the way to the provider, not about this job.
      code: outcome.code === "not_sent" ? "unreachable" : outcome.code,
      message: outcome.retryable ? "The provider is busy" : outcome.message,
      retryable: outcome.retryable,
      afterMs: outcome.retryable ? outcome.afterMs : 0,
    };
  };

  const submit: EffectHandler = {
    timeoutMs: limits.SUBMIT_TIMEOUT_MS,
    concurrency: AT_ONCE,
    run: async (call) => {
      const provider = providerOf(call);
      const generation = await generationOf(call);
      call.confirmSend();
      return submitted(call.params.attempt, await provider.submit(generation, call.signal));
    },
    failed: ({ attempt }, error) =>
      error instanceof NotSent ? { type: "notSent", attempt } : { type: "ambiguous", attempt, reason: String(error) },
  };

  /** The outcome of a submit is not known. Absence proves nothing, so it never leads to another submit. */
  const look: EffectHandler = {
    timeoutMs: limits.SUBMIT_TIMEOUT_MS,
    concurrency: AT_ONCE,
    run: async (call) => {
      const { attempt, submittedAt } = call.params;
      const unresolved = { type: "unresolved", attempt };
      const provider = providerOf(call);
      if (provider.capabilities.idempotentSubmit) {
        const generation = await generationOf(call);
        call.confirmSend();
        const outcome = await provider.submit(generation, call.signal);
        // What is said about the whole account says nothing about the submit that was lost.
        const known =
          outcome.kind === "accepted" ||
          (outcome.kind === "rejected" &&
            !outcome.retryable &&
            verdictOn({ code: outcome.code, retryable: false }) === "fail");
        return known ? submitted(attempt, outcome) : unresolved;
      }
      if (!provider.capabilities.findable) return unresolved;
      const found = await provider.find(String(attempt), Number(submittedAt), call.signal);
      return found.kind === "found" ? { type: "accepted", attempt, ref: found.ref } : unresolved;
    },
    failed: ({ attempt }) => ({ type: "unresolved", attempt }),
  };

  const poll: EffectHandler = {
    timeoutMs: limits.POLL_TIMEOUT_MS,
    concurrency: AT_ONCE,
    run: async (call) => {
      const { n, ref } = call.params;
      const provider = providerOf(call);
      const wait = await deps.checks.take(provider);
      if (wait > 0) {
        deps.counted.deferred(provider.name);
        return { type: "deferred", n, afterMs: wait };
      }
      deps.counted.polls();
      const outcome = await provider.check(String(ref), call.signal);
      if (outcome.kind !== "unknown" || outcome.throttledMs === undefined) return { type: "polled", n, outcome };
      return { type: "deferred", n, afterMs: await deps.checks.hold(provider, outcome.throttledMs) };
    },
    failed: ({ n }, error) => ({ type: "polled", n, outcome: { kind: "unknown", reason: String(error) } }),
  };

  const cancelUpstream: EffectHandler = {
    timeoutMs: limits.CANCEL_TIMEOUT_MS,
    concurrency: AT_ONCE,
    run: async (call) => {
      const provider = providerOf(call);
      if (!provider.capabilities.cancel) return { type: "cancelAnswered", outcome: "refused" };
      const { kind } = await provider.cancel(String(call.params.ref), call.signal);
      return { type: "cancelAnswered", outcome: kind };
    },
    failed: () => ({ type: "cancelAnswered", outcome: "unknown" }),
  };

  const abandon: EffectHandler = {
    timeoutMs: limits.CANCEL_TIMEOUT_MS,
    concurrency: AT_ONCE,
    run: async (call) => {
      await providerOf(call).cancel(String(call.params.ref), call.signal);
      return null;
    },
    failed: () => null,
  };

  const ingest: EffectHandler = {
    timeoutMs: limits.INGEST_TIMEOUT_MS,
    concurrency: INGESTS_AT_ONCE,
    run: async (call) => {
      const provider = providerOf(call);
      const outputs = [];
      for (const remote of call.params.outputs as RemoteOutput[]) {
        const stored = await storeOutput({
          storage,
          kept: deps.kept,
          owner: call.actor.owner,
          download: () => provider.download(remote, call.signal),
          maxBytes: limits.OUTPUT_MAX_BYTES,
          signal: call.signal,
          tmpDir,
        });
        const { sha256, mime, size_bytes, raw_key, min_key, thumbnails } = stored;
        outputs.push({ id: draws.id(), sha256, mime, size_bytes, raw_key, min_key, thumbnails });
      }
      return { type: "ingested", outputs };
    },
    failed: (_, error) => {
      if (!(error instanceof Classified)) {
        return {
          type: "ingestFailed",
          code: "ingest_failed",
          message: "The outputs could not be stored",
          retryable: true,
        };
      }
      const { code, message, retryable } = error;
      return { type: "ingestFailed", code, message, retryable };
    },
  };

  return { submit, look, poll, cancelUpstream, abandon, ingest };
};
