import { findModel } from "../models/catalog.ts";
import type { Tool } from "../models/tool.ts";
import { compile, contains, type Pattern, tokenize } from "./phrases.ts";
import { type Style, TEMPLATES } from "./templates.ts";

export type Enhanceable = {
  prompt: string;
  tool: Tool;
  /** The model's key; an unknown one has no template and no limit. */
  model: string;
  params: Readonly<Record<string, unknown>>;
};

/** `added`: the style words, in the order in which they stand behind the user's. */
export type Enhanced = { prompt: string; added: string[] };

const UNWANTED: ReadonlyMap<Style, Pattern[]> = new Map(
  Object.values(TEMPLATES)
    .flatMap((template) => Object.values(template).flat())
    .map((style) => [style, (style.unless ?? []).map(compile)]),
);

/** At most two code units, so that what did not fit behind the first words cannot fit behind later ones. */
const joint = (prompt: string) => {
  const said = prompt.trimEnd();
  if (said === "" || /\n\s*$/.test(prompt)) return "";
  if (/[.,;:!?…。，！？،؛؟]$/u.test(said)) return said === prompt ? " " : "";
  return ", ";
};

/**
 * Adds the style words of the model's template behind the prompt. The result begins with the prompt, byte for byte,
 * and is never longer than the model's limit: a style that does not fit is left out whole, and a prompt that is
 * itself too long comes back as it is, for validation to refuse. Pure, and the same again when applied twice.
 */
export const enhance = ({ prompt, tool, model, params }: Enhanceable, { enabled }: { enabled: boolean }): Enhanced => {
  const styles = TEMPLATES[model]?.[tool] ?? [];
  if (!enabled || styles.length === 0) return { prompt, added: [] };
  const limit = findModel(model)?.max_prompt ?? Number.POSITIVE_INFINITY;
  if (prompt.length >= limit) return { prompt, added: [] };
  const tokens = tokenize(prompt);
  const wanted = styles.filter(
    (style) =>
      !contains(tokens, [compile(style.add)]) &&
      !contains(tokens, UNWANTED.get(style) ?? []) &&
      !Object.entries(style.unlessParams ?? {}).some(([name, value]) => params[name] === value),
  );
  let enhanced = prompt;
  const added: string[] = [];
  for (const { add } of wanted) {
    const next = `${enhanced}${added.length === 0 ? joint(prompt) : ", "}${add}`;
    if (next.length > limit) continue;
    enhanced = next;
    added.push(add);
  }
  return { prompt: enhanced, added };
};
