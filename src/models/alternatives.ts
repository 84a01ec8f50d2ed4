import { imagesFor, type OfferedModel } from "./model.ts";
import type { Tool } from "./tool.ts";
import { validateParams } from "./validate.ts";

/** What the alternative has to be able to do. `prompt` is the user's words; `mimes` has one entry per input image. */
export type Wanted = { tool: Tool; prompt: string; params: Record<string, unknown>; mimes: readonly string[] };

/** Those of the parameters that mean something to this model as well, with its own defaults for the rest. */
const paramsFor = (model: OfferedModel, params: Record<string, unknown>): Record<string, unknown> | null => {
  const shared = Object.entries(params).filter(([name, value]) => validateParams(model, { [name]: value }).ok);
  const whole = validateParams(model, Object.fromEntries(shared));
  return whole.ok ? whole.value : null;
};

const canTake = (model: OfferedModel, { tool, prompt, mimes }: Wanted): boolean => {
  const { min, max } = imagesFor(model, tool);
  return (
    model.tools.includes(tool) &&
    prompt.length <= model.max_prompt &&
    mimes.length >= min &&
    mimes.length <= max &&
    mimes.every((mime) => model.accepts.mimes.includes(mime))
  );
};

/**
 * Models of other providers that could make the same, in the order of the catalog, one for each provider. The
 * simulated provider makes no pictures that anyone pays for: it stands in for nobody. Neither does Higgsfield's older
 * API: it bills the same account as the newer, and a lost submit cannot be found again there.
 */
export const alternativesTo = (model: OfferedModel, wanted: Wanted, models: readonly OfferedModel[]) => {
  const taken = new Set<string>([model.through, "simulated", "higgsfield_v1"]);
  return models.flatMap((other) => {
    const params = taken.has(other.through) || !canTake(other, wanted) ? null : paramsFor(other, wanted.params);
    if (params === null) return [];
    taken.add(other.through);
    return [{ model: other, params }];
  });
};
