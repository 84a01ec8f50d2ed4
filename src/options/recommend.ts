/**
 * Which generations fit a message: a pure function of its text, its attachments and the models on offer.
 * One option for each tool that is possible, the best first, each with the best model for it.
 */
import { imagesFor, type Model } from "../models/model.ts";
import { TOOLS, type Tool, takesImages, toolTitle } from "../models/tool.ts";
import { fitParams, type Hints, hintsIn } from "./hints.ts";
import { compile, findPhrases, tokenize } from "./phrases.ts";
import { type Attached, RULES, type Rule } from "./rules.ts";

export type Recommendation = {
  tool: Tool;
  /** The model's key. */
  model: string;
  /** What the button says. */
  label: string;
  /** What the line above the button says. */
  description: string;
  /** Parameters read out of the text, valid for the model; defaults are not filled in. */
  params: Record<string, unknown>;
  score: number;
  /** Names of the rules that spoke for this tool, for the curious. */
  because: string[];
};

/** What was written, and the content types of what is attached. */
export type Message = { text: string; attachments: readonly { mime: string }[] };

/** What a person wants is said early; the rest of a very long text is not read. */
const READ_CHARS = 4000;
const FIRST_NAMED = 2;
const TABLE = RULES.flatMap((of) => (of.words ?? []).map((words) => ({ of, pattern: compile(words) })));

const essence = (mime: string) => (mime.split(";")[0] ?? "").trim().toLowerCase();

type Spoken = { rules: Set<Rule>; denied: Set<Tool>; first: Rule | undefined };

const listen = (text: string, attached: Attached, hints: Hints): Spoken => {
  const found = findPhrases(tokenize(text), TABLE);
  // Said twice in opposite ways, the last word counts.
  const last = new Map(found.map(({ of, negated }) => [of, negated]));
  const rules = RULES.filter((rule) => {
    if (rule.words) return last.get(rule) === false;
    if (rule.hint) return hints[rule.hint] !== undefined;
    return rule.attached === undefined || rule.attached === attached;
  });
  const denied = [...last].flatMap(([rule, negated]) => (negated ? (rule.denies ?? []) : []));
  const first = found.find(({ of }) => of.medium && last.get(of) === false)?.of;
  return { rules: new Set(rules), denied: new Set(denied), first };
};

/** Half a point for each thing that the model can do as asked, and none of it outweighs a rule about models. */
const rate = (model: Model, { rules }: Spoken, hints: Hints, text: string, images: number, tool: Tool) => {
  let score = fitParams(model, hints).exact / 2;
  for (const rule of rules) score += rule.models?.[model.key] ?? 0;
  if (text.length > model.max_prompt) score -= 100;
  if (takesImages(tool) && images > imagesFor(model, tool).max) score -= 1;
  return score;
};

/**
 * The options for a message, best first; at least one as long as any model can work with what is attached.
 * `models` are tried in their order: of equals the first is taken (`offered()` of the catalog has that order).
 * An attached image that no model accepts counts as nothing attached.
 */
export const recommend = (message: Message, models: readonly Model[]): Recommendation[] => {
  // Cut twice: normalizing one character can make eighteen of it.
  const text = message.text.slice(0, READ_CHARS).normalize("NFKC").slice(0, READ_CHARS);
  const mimes = message.attachments.map(({ mime }) => essence(mime));
  const imagesOf = (model: Model) => mimes.filter((mime) => model.accepts.mimes.includes(mime)).length;
  const attached: Attached = models.some((model) => imagesOf(model) > 0)
    ? "image"
    : mimes.some((mime) => mime.startsWith("video/"))
      ? "video"
      : "none";
  const hints = hintsIn(text);
  const spoken = listen(text, attached, hints);

  const options = TOOLS.flatMap((tool): Recommendation[] => {
    const able = models.filter((model) => model.tools.includes(tool) && imagesOf(model) >= imagesFor(model, tool).min);
    const rated = able.map((model) => ({
      model,
      points: rate(model, spoken, hints, message.text, imagesOf(model), tool),
    }));
    const best = rated.toSorted((a, b) => b.points - a.points)[0];
    if (!best) return [];
    const because = [...spoken.rules].filter((rule) => rule.scores[tool] !== undefined);
    const base = because.reduce((sum, rule) => sum + (rule.scores[tool] ?? 0), 0);
    const title = toolTitle(tool);
    return [
      {
        tool,
        model: best.model.key,
        label: `Generate (${title})`,
        description: best.model.descriptions[tool] ?? `${title} with ${best.model.name}`,
        params: fitParams(best.model, hints).params,
        score: base + (spoken.first?.scores[tool] === undefined ? 0 : FIRST_NAMED),
        because: because.map(({ name }) => name),
      },
    ];
  }).toSorted((a, b) => b.score - a.score);

  const wanted = options.filter(({ tool }) => !spoken.denied.has(tool));
  return wanted.length > 0 ? wanted : options.slice(0, 1);
};
