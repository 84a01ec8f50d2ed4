import type { EffectHandler } from "../actors/effects.ts";
import type { History } from "./history.ts";

/**
 * Hands the poll schedule of its model to a job with the answer that its submit was accepted: the moment at which
 * the latest history is wanted, and not one later. The answer never waits for it: an acceptance must not get lost.
 */
export const scheduled = (
  handlers: Record<string, EffectHandler>,
  history: Pick<History, "peek">,
): Record<string, EffectHandler> =>
  Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => {
      const run: EffectHandler["run"] = async (call) => {
        const { model_key, tool_type } = call.actor.labels;
        // Asked before, too, so that it is read while the provider thinks.
        const peek = () => history.peek(String(call.params.model || model_key), tool_type ?? "")?.schedule;
        if (name === "submit" || name === "look") peek();
        const answer = await handler.run(call);
        const schedule = answer?.type === "accepted" ? peek() : undefined;
        return schedule === undefined || answer === null ? answer : { ...answer, schedule };
      };
      return [name, { ...handler, run }];
    }),
  );
