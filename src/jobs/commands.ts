import type { StateValue } from "xstate";
import type { JobContext } from "../../machines/job.context.ts";
import { type JobView, jobView } from "../../machines/job.view.ts";
import type { StoredOutput } from "../../machines/job.words.ts";
import type { Dispatch } from "../actors/dispatch.ts";
import { createSliceFacts } from "../actors/slice-fact.ts";
import { type ActorChange, emptyUnit, type Live, type Rows, type Unit } from "../actors/unit.ts";
import { Problem } from "../errors.ts";
import type { Caller } from "../http/principal.ts";
import { findModel } from "../models/catalog.ts";
import type { Clock, Draws } from "../ports.ts";
import type { JobReads } from "./reads.ts";
import type { Remove } from "./removal.ts";
import { viewOf } from "./view.ts";

/** What another provider would be asked for, should the job move there. */
export type AlternativeJob = {
  provider: string;
  modelKey: string;
  prompt: string;
  params: Record<string, unknown>;
  timeoutMs: number | null;
};

/** What a job is made from. `prompt` is what the provider gets. */
export type NewJob = {
  id: string;
  userId: string;
  chatId: string | null;
  optionId: string | null;
  batch: { id: string; index: number } | null;
  retryOf: string | null;
  tool: string;
  modelKey: string;
  provider: string;
  prompt: string;
  params: Record<string, unknown>;
  /** Storage keys of input media. */
  inputs: string[];
  /** The model's own limit, ms. */
  timeoutMs: number | null;
  /** Where it may move to, the best first; none: it stays. */
  alternatives: AlternativeJob[];
};

/** The rows that belong into the commit that ends a job well. */
export const outputRows = (change: ActorChange): Rows => {
  if (change.kind !== "job" || !change.facts.some(({ type }) => type === "job.succeeded")) return {};
  const { outputs } = change.snapshot.context as { outputs: StoredOutput[] };
  return {
    outputs: outputs.map(({ id, ...output }, position) => ({
      ...output,
      id,
      job_id: change.id,
      user_id: change.owner,
      position,
      created_at: new Date(change.at).toISOString(),
    })),
  };
};

/** What can be done with jobs. */
export const createJobCommands = (deps: {
  dispatch: Dispatch;
  reads: JobReads;
  remove: Remove;
  clock: Clock;
  draws: Draws;
  defaultTimeoutMs: number;
  /** Providers that call us when something changed. */
  callable: ReadonlySet<string>;
}) => {
  const { dispatch, reads, clock, draws } = deps;
  const fact = createSliceFacts(deps);

  /** Adds a job to a unit. Its stream is its chat's, else its batch's, else its own. */
  const add = (unit: Unit, job: NewJob): ActorChange => {
    const actor = dispatch.create(
      {
        id: job.id,
        kind: "job",
        owner: job.userId,
        stream: job.chatId ?? job.batch?.id ?? job.id,
        account: job.provider,
        labels: {
          chat_id: job.chatId,
          option_id: job.optionId,
          retry_of: job.retryOf,
          tool_type: job.tool,
          model_key: job.modelKey,
        },
        traceparent: unit.traceparent,
      },
      {
        account: job.provider,
        model: job.modelKey,
        alternatives: job.alternatives.map(({ provider, modelKey, timeoutMs }) => ({
          account: provider,
          model: modelKey,
          timeoutMs: timeoutMs ?? deps.defaultTimeoutMs,
          webhook: deps.callable.has(provider),
        })),
        batch: job.batch?.id ?? null,
        index: job.batch?.index ?? 0,
        timeoutMs: job.timeoutMs ?? deps.defaultTimeoutMs,
        webhook: deps.callable.has(job.provider),
      },
    );
    unit.actors.push(actor);
    unit.rows.jobs = [
      ...(unit.rows.jobs ?? []),
      {
        id: job.id,
        user_id: job.userId,
        chat_id: job.chatId,
        option_id: job.optionId,
        batch_id: job.batch?.id ?? null,
        batch_index: job.batch?.index ?? null,
        retry_of: job.retryOf,
        tool_type: job.tool,
        model_key: job.modelKey,
        provider: job.provider,
        prompt: job.prompt,
        params: job.params,
        inputs: job.inputs,
        alternatives: job.alternatives.map(({ provider, modelKey, prompt, params }) => ({
          provider,
          model_key: modelKey,
          prompt,
          params,
        })),
        created_at: new Date(clock.now()).toISOString(),
      },
    ];
    if (!unit.live.some(({ kind }) => kind === "user")) unit.live.push({ kind: "user", id: job.userId });
    if (job.chatId !== null) unit.live.push({ kind: "chat", id: job.chatId });
    return actor;
  };

  return {
    add,
    /** Asks for a cancel. Answers at once; the outcome comes as an event. A finished job is a `conflict`. */
    cancel: async (id: string, { userId, traceparent }: Caller): Promise<JobView> => {
      const row = await reads.row(id, userId);
      if (viewOf(row).finished_at !== null) throw new Problem("conflict", "The job has already ended");
      const { snapshot, outcome } = await dispatch.send(id, { type: "cancel" }, traceparent);
      const view = jobView(snapshot.value as StateValue, snapshot.context as unknown as JobContext);
      if (outcome === "unchanged" && view.finished_at !== null)
        throw new Problem("conflict", "The job has already ended");
      return view;
    },
    /** A tombstone: 404 from now on. A live job is canceled. */
    remove: async (id: string, caller: Caller): Promise<void> => {
      const row = await reads.row(id, caller.userId);
      const within: Live[] = [];
      if (row.chat_id !== null) within.push({ kind: "chat", id: row.chat_id });
      if (row.batch_id !== null) within.push({ kind: "batch", id: row.batch_id });
      await deps.remove(caller, {
        subject: { kind: "job", id },
        fact: fact(row.stream_id, caller.userId, "job.deleted", id, { job_id: id }),
        jobs: async () => (viewOf(row).finished_at === null ? [{ id }] : []),
        within,
      });
    },
    /** Makes a finished, unsuccessful job again, as a new job in the same chat. */
    retry: async (id: string, { userId, traceparent }: Caller) => {
      const unit = emptyUnit(draws.id(), traceparent);
      const row = await reads.row(id, userId);
      const { status, finished_at } = viewOf(row);
      if (finished_at === null) throw new Problem("conflict", "The job has not ended yet");
      if (status === "SUCCEEDED") throw new Problem("conflict", "The job succeeded; press its option again instead");
      const job = draws.id();
      unit.live.push({ kind: "job", id });
      add(unit, {
        id: job,
        userId,
        chatId: row.chat_id,
        optionId: row.option_id,
        batch: null,
        retryOf: row.id,
        tool: row.tool_type,
        modelKey: row.model_key,
        provider: row.provider,
        prompt: row.prompt,
        params: row.params,
        inputs: row.inputs,
        timeoutMs: findModel(row.model_key)?.timeout_ms ?? null,
        alternatives: row.alternatives.map(({ provider, model_key, prompt, params }) => ({
          provider,
          modelKey: model_key,
          prompt,
          params,
          timeoutMs: findModel(model_key)?.timeout_ms ?? null,
        })),
      });
      return { job, unit };
    },
  };
};
export type JobCommands = ReturnType<typeof createJobCommands>;
