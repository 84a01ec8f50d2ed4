import { emptyUnit, type Row } from "../actors/unit.ts";
import type { AttachmentCommands, ReadyAttachment } from "../attachments/commands.ts";
import type { Query } from "../db/queries.ts";
import { Problem } from "../errors.ts";
import type { Caller } from "../http/principal.ts";
import type { AlternativeJob, JobCommands } from "../jobs/commands.ts";
import { alternativesTo, type Wanted } from "../models/alternatives.ts";
import type { OfferedModel } from "../models/model.ts";
import { imagesFor } from "../models/model.ts";
import type { Tool } from "../models/tool.ts";
import { validateParams } from "../models/validate.ts";
import type { Draws } from "../ports.ts";
import { enhance } from "./enhance.ts";
import { recommend } from "./recommend.ts";
import type { OptionRow } from "./words.ts";

type Prepared = { model: OfferedModel; params: Record<string, unknown>; prompt: string };

/** What options are made from and what pressing one starts. */
export const createOptionCommands = (deps: {
  query: Query;
  jobs: JobCommands;
  attachments: AttachmentCommands;
  models: readonly OfferedModel[];
  draws: Draws;
  enhancement: boolean;
}) => {
  const { query, jobs, attachments, models, draws } = deps;

  const enhanced = (prompt: string, tool: Tool, model: string, params: Record<string, unknown>) =>
    enhance({ prompt, tool, model, params }, { enabled: deps.enhancement }).prompt;

  const find = async (id: string, userId: string): Promise<OptionRow> => {
    const [row] = await query<OptionRow>("optionById", [id, userId]);
    if (!row) throw new Problem("not_found", "There is no such option");
    return row;
  };

  /** The model on offer, its validated parameters and the prompt it gets. Throws `validation_failed`. */
  const prepare = (tool: Tool, modelKey: string, prompt: string, given: Record<string, unknown>, at = "/params") => {
    const model = models.find(({ key }) => key === modelKey);
    if (!model?.tools.includes(tool)) {
      throw new Problem("validation_failed", "This model is not on offer", {
        errors: [{ path: "/model_key", message: "Not on offer for this tool; see GET /models" }],
      });
    }
    if (prompt.length > model.max_prompt) {
      throw new Problem("validation_failed", undefined, {
        errors: [{ path: "/prompt", message: `The limit of ${model.name} is ${model.max_prompt} characters` }],
      });
    }
    const params = validateParams(model, given);
    if (!params.ok) {
      const errors = params.errors.map(({ path, message }) => ({ path: `${at}${path}`, message }));
      throw new Problem("validation_failed", undefined, { errors });
    }
    return { model, params: params.value, prompt: enhanced(prompt, tool, model.key, params.value) };
  };

  /** What is recommended and can take a text of this length. */
  const fitting = (text: string, attached: readonly ReadyAttachment[]) => {
    const choices = recommend({ text, attachments: attached }, models).map((choice) => ({
      choice,
      model: models.find(({ key }) => key === choice.model) as OfferedModel,
    }));
    const limit = Math.max(...choices.map(({ model }) => model.max_prompt));
    if (choices.length > 0 && text.length > limit) {
      throw new Problem("validation_failed", undefined, {
        errors: [{ path: "/text", message: `The limit is ${limit} characters` }],
      });
    }
    return choices.filter(({ model }) => text.length <= model.max_prompt);
  };

  /** What other providers would be asked for, if they may be. The first of each; none that cannot take it. */
  const alternatives = (
    made: Prepared,
    wanted: Omit<Wanted, "params" | "mimes">,
    mimes: readonly string[] = [],
  ): AlternativeJob[] =>
    alternativesTo(made.model, { ...wanted, params: made.params, mimes }, models).map(({ model, params }) => ({
      provider: model.through,
      modelKey: model.key,
      prompt: enhanced(wanted.prompt, wanted.tool, model.key, params),
      params,
      timeoutMs: model.timeout_ms ?? null,
    }));

  return {
    find,
    prepare,
    alternatives,
    /** Option rows for a message, best first, each of which can be pressed. Throws `validation_failed` for too long a text. */
    propose: (
      message: { chatId: string; messageId: string; userId: string; text: string; at: string },
      attached: readonly ReadyAttachment[],
    ): (OptionRow & Row & { created_at: never })[] =>
      fitting(message.text, attached).map(({ choice, model }, position) => {
        const params = validateParams(model, choice.params);
        const value = params.ok ? params.value : {};
        const { max } = imagesFor(model, choice.tool);
        return {
          id: draws.id(),
          chat_id: message.chatId,
          message_id: message.messageId,
          user_id: message.userId,
          position,
          tool_type: choice.tool,
          model_key: choice.model,
          label: choice.label,
          description: choice.description,
          prompt: message.text,
          enhanced_prompt: enhanced(message.text, choice.tool, choice.model, value),
          params: value,
          attachments: attached
            .filter(({ mime }) => model.accepts.mimes.includes(mime))
            .slice(0, max)
            .map(({ id }) => id),
          created_at: message.at as never,
        };
      }),
    /** The unit that starts a generation from an option, and its job's id. */
    generate: async (id: string, caller: Caller, given: Record<string, unknown> | undefined, failover = false) => {
      const { userId, traceparent } = caller;
      const option = await find(id, userId);
      const tool = option.tool_type as Tool;
      const made = prepare(tool, option.model_key, option.prompt, { ...option.params, ...given });
      const inputs = await attachments.require(option.attachments, caller);
      const unit = emptyUnit(draws.id(), traceparent);
      unit.live.push(...option.attachments.map((id) => ({ kind: "attachment" as const, id })));
      const job = draws.id();
      jobs.add(unit, {
        id: job,
        userId,
        chatId: option.chat_id,
        optionId: option.id,
        batch: null,
        retryOf: null,
        tool,
        modelKey: option.model_key,
        provider: made.model.through,
        prompt: made.prompt,
        params: made.params,
        inputs: inputs.map(({ key }) => key),
        timeoutMs: made.model.timeout_ms ?? null,
        alternatives: failover
          ? alternatives(
              made,
              { tool, prompt: option.prompt },
              inputs.map(({ mime }) => mime),
            )
          : [],
      });
      return { unit, job };
    },
  };
};
export type OptionCommands = ReturnType<typeof createOptionCommands>;
