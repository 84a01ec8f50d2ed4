/**
 * Finding phrases in a sentence, in any language that writes words with spaces.
 *
 * A pattern is words with spaces between: `a|b` is either word, `draw*` any word that begins so, `the?` may be
 * missing, `...` is up to four words of one clause, `,` is the border of a clause (any of .,;:!?()— or a line
 * break, and both ends of the text).
 * A found phrase knows whether it is negated: `no video`, `I don't want a video`, `видео не нужно`. What lies
 * between a negator and the phrase must be filler (`want`, `a`, `make`…), so `no people in the video` is not.
 */

const BORDER = ",";
const TOKEN =
  /\p{L}[\p{L}\p{M}\p{N}]*(?:'\p{L}+)?|\p{N}[\p{L}\p{M}\p{N}]*|[.,;:!?()[\]{}"«»“”…—–،؟؛。，！？\n]|\s-\s/gu;

/** Lower-case words and borders; `ё` is `е`, typographic apostrophes are plain. Begins and ends with a border. */
export const tokenize = (text: string): string[] => {
  const plain = text.normalize("NFKC").toLowerCase().replaceAll("ё", "е").replace(/[’ʼ]/g, "'");
  const words = (plain.match(TOKEN) ?? []).map((token) => (/[\p{L}\p{N}]/u.test(token) ? token : BORDER));
  return [BORDER, ...words, BORDER];
};

type Step = { exact: ReadonlySet<string>; stems: readonly string[]; optional: boolean };
export type Pattern = readonly (Step | "gap")[];

const GAP_WORDS = 4;

export const compile = (pattern: string): Pattern =>
  pattern.split(" ").map((word) => {
    if (word === "...") return "gap";
    const optional = word.endsWith("?");
    const options = (optional ? word.slice(0, -1) : word).split("|");
    return {
      optional,
      exact: new Set(options.filter((option) => !option.endsWith("*"))),
      stems: options.filter((option) => option.endsWith("*")).map((option) => option.slice(0, -1)),
    };
  });

/** How many tokens from `at` on the pattern covers, the most it can; 0 when it does not match. */
const lengthAt = (tokens: readonly string[], at: number, pattern: Pattern, step = 0): number => {
  const wanted = pattern[step];
  if (!wanted) return 0;
  if (wanted === "gap") {
    for (let skipped = 0; skipped <= GAP_WORDS; skipped++) {
      const rest = lengthAt(tokens, at + skipped, pattern, step + 1);
      if (rest > 0) return skipped + rest;
      if (tokens[at + skipped] === BORDER) return 0;
    }
    return 0;
  }
  const last = step === pattern.length - 1;
  const token = tokens[at];
  if (token !== undefined && (wanted.exact.has(token) || wanted.stems.some((stem) => token.startsWith(stem)))) {
    const rest = last ? 0 : lengthAt(tokens, at + 1, pattern, step + 1);
    if (last || rest > 0) return 1 + rest;
  }
  return wanted.optional && !last ? lengthAt(tokens, at, pattern, step + 1) : 0;
};

export const contains = (tokens: readonly string[], patterns: readonly Pattern[]) =>
  patterns.some((pattern) => tokens.some((_, at) => lengthAt(tokens, at, pattern) > 0));

const set = (words: string) => new Set(words.split(" "));
const NEGATORS = set(
  "no not without don't dont doesn't isn't won't never except avoid skip exclude excluding nor neither " +
    "не без ни нет вместо кроме никаких никакого никакой никакое нельзя",
);
const NEGATOR_PAIRS = new Set(["instead of", "rather than", "no need"]);
const FILLERS = set(
  "a an the any some more me us this that it as to for into be i we you do use using give show " +
    "make making create creating generate generating produce render need needed want wanted " +
    "надо нужно нужен нужна нужны мне это этого эту в виде как делай делать сделай создавай создавать " +
    "хочу хочется используй использовать генерируй генерировать",
);
const OR = set("or nor или ни");
const AFFIRM = set("why бы");
const AFTER = set("needed required necessary wanted нужно надо нужен нужна нужны требуется хочу хочется");
const NOT = set("not isn't aren't не");
const BEFORE_NOT = set("is are was мне это");

const negatedBefore = (tokens: readonly string[], start: number): boolean => {
  for (let at = start - 1; at > 0; at--) {
    const token = tokens[at] as string;
    if (NEGATORS.has(token)) return !AFFIRM.has(tokens[at - 1] as string);
    if (NEGATOR_PAIRS.has(`${tokens[at - 1]} ${token}`)) return true;
    if (!FILLERS.has(token)) return false;
  }
  return false;
};

const negatedAfter = (tokens: readonly string[], end: number): boolean => {
  const at = BEFORE_NOT.has(tokens[end] ?? "") ? end + 1 : end;
  return tokens[at] === "unnecessary" || (NOT.has(tokens[at] ?? "") && AFTER.has(tokens[at + 1] ?? ""));
};

export type Found<T> = { of: T; at: number; negated: boolean };

/**
 * Every phrase of the table in the text, from left to right. Where several begin at one word the longest wins and
 * its words are used up: `movie poster` is not a movie.
 */
export const findPhrases = <T>(
  tokens: readonly string[],
  table: readonly { of: T; pattern: Pattern }[],
): Found<T>[] => {
  const found: Found<T>[] = [];
  let lastEnd = -1;
  for (let at = 0; at < tokens.length; ) {
    let best: { of: T; length: number } | undefined;
    for (const { of, pattern } of table) {
      const length = lengthAt(tokens, at, pattern);
      if (length > (best?.length ?? 0)) best = { of, length };
    }
    if (!best) {
      at++;
      continue;
    }
    const end = at + best.length;
    const previous = found.at(-1);
    const listed = lastEnd === at - 1 && OR.has(tokens[at - 1] as string) && previous?.negated === true;
    found.push({ of: best.of, at, negated: listed || negatedBefore(tokens, at) || negatedAfter(tokens, end) });
    lastEnd = end;
    // A border closes one clause and opens the next.
    at = tokens[end - 1] === BORDER && best.length > 1 ? end - 1 : end;
  }
  return found;
};
