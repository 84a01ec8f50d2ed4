import type { BatchContext } from "../../machines/batch.ts";
import type { Dispatch } from "../actors/dispatch.ts";
import { createSliceFacts } from "../actors/slice-fact.ts";
import { emptyUnit } from "../actors/unit.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Caller } from "../http/principal.ts";
import type { JobCommands } from "../jobs/commands.ts";
import type { Remove } from "../jobs/removal.ts";
import type { OfferedModel } from "../models/model.ts";
import type { OptionCommands } from "../options/commands.ts";
import type { Clock, Draws } from "../ports.ts";
import type { BatchReads } from "./reads.ts";

export type NewBatch = {
  prompt: string;
  num_images: number;
  model_key?: string;
  params?: Record<string, unknown>;
  /** Other providers may make them when this one cannot. */
  failover?: boolean;
};

const TOOL = "text_to_image";

/** Several images of one prompt: one request, one stream, one commit. */
export const createBatchCommands = (deps: {
  dispatch: Dispatch;
  jobs: JobCommands;
  options: OptionCommands;
  models: readonly OfferedModel[];
  reads: BatchReads;
  query: Query;
  remove: Remove;
  clock: Clock;
  draws: Draws;
}) => {
  const { dispatch, jobs, options, clock, draws } = deps;
  const fact = createSliceFacts(deps);
  return {
    /** The unit that creates a batch with all of its jobs, and its id. */
    create: ({ userId, traceparent }: Caller, asked: NewBatch) => {
      const modelKey = asked.model_key ?? deps.models.find(({ tools }) => tools.includes(TOOL))?.key ?? "";
      const made = options.prepare(TOOL, modelKey, asked.prompt, asked.params ?? {});
      const alternatives = asked.failover ? options.alternatives(made, { tool: TOOL, prompt: asked.prompt }) : [];
      const unit = emptyUnit(draws.id(), traceparent);
      const id = draws.id();
      unit.actors.push(
        dispatch.create(
          { id, kind: "batch", owner: userId, stream: id, account: null, labels: {}, traceparent },
          { count: asked.num_images },
        ),
      );
      unit.rows.batches = [
        {
          id,
          user_id: userId,
          prompt: asked.prompt,
          num_images: asked.num_images,
          model_key: modelKey,
          created_at: new Date(clock.now()).toISOString(),
        },
      ];
      for (let index = 0; index < asked.num_images; index++) {
        jobs.add(unit, {
          id: draws.id(),
          userId,
          chatId: null,
          optionId: null,
          batch: { id, index },
          retryOf: null,
          tool: TOOL,
          modelKey,
          provider: made.model.through,
          prompt: made.prompt,
          params: made.params,
          inputs: [],
          timeoutMs: made.model.timeout_ms ?? null,
          alternatives,
        });
      }
      return { id, unit };
    },
    /** Asks all jobs of a batch to stop. A finished batch is a `conflict`. */
    cancel: async (id: string, { userId, traceparent }: Caller) => {
      const row = await deps.reads.row(id, userId);
      if (deps.reads.show(row).finished_at !== null) throw new Problem("conflict", "The job has already ended");
      const cancel = { type: "cancel", jobs: row.jobs.map((job) => job.id) };
      const { outcome, snapshot } = await dispatch.send(id, cancel, traceparent);
      // It ended after it was read: nobody will hear of this cancel.
      if (outcome === "unchanged" && (snapshot.context as BatchContext).finishedAt !== null)
        throw new Problem("conflict", "The job has already ended");
    },
    /** A tombstone for the batch with its jobs: 404 from now on. Those that live are canceled. */
    remove: async (id: string, caller: Caller): Promise<void> => {
      await deps.reads.row(id, caller.userId);
      await deps.remove(caller, {
        subject: { kind: "batch", id },
        fact: fact(id, caller.userId, "batch.deleted", id, { batch_id: id }),
        jobs: () => deps.query("liveJobsIn", [id]),
      });
    },
  };
};
export type BatchCommands = ReturnType<typeof createBatchCommands>;
