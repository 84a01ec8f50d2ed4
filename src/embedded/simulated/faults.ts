/** What a prompt can ask the simulated provider to do wrong, and how each word is explained to people. */
const EFFECTS = {
  fail: "runs to the end, then fails for good",
  "fail-twice": "fails retryably on the first two submits of this request in five minutes, then is fine",
  moderate: "is refused by moderation at the end of the run; so are a few plain words such as nsfw",
  reject: "is rejected at submit for good; nothing is billed",
  busy: "is rejected at submit with a wait; nothing is billed",
  lost: "is accepted and billed, but the answer to the first submit is lost",
  vanish: "is accepted and billed, but every answer is lost and it is never found again",
  gone: "is accepted, then no longer known when asked about",
  queue: "waits in the queue for at least ten seconds and eight times as long as usual",
  slow: "runs for at least ten seconds and five times as long as usual",
  stuck: "runs forever",
  flaky: "answers about every second check with an outage",
  uncancelable: "refuses to be canceled",
  empty: "completes without outputs",
  expired: "completes with outputs that can no longer be downloaded",
} as const;

export type Fault = keyof typeof EFFECTS;

/** Every fault with its effect, for the documentation. In a prompt: `[fail]` or `#fail`, any case, several at once. */
export const faultCatalog = Object.entries(EFFECTS).map(([word, effect]) => ({ word, effect }));

/** Plain words that are moderated without brackets, so that a demo behaves as people expect. */
const MODERATED =
  /(?<!\p{L})(nsfw|nudes?|nudity|naked|topless|porn\w*|xxx|hentai|gore|gory|behead\w*|mutilat\w*|порн\p{L}*|голая|голый|голые|обнаж[её]нн\p{L}*|расчлен[её]н\p{L}*)(?!\p{L})/iu;

const MARK = /\[([a-z-]{2,20})\]|(?<![\p{L}\p{N}#])#([a-z-]{2,20})(?![\p{L}\p{N}_-])/giu;

const isFault = (word: string): word is Fault => Object.hasOwn(EFFECTS, word);

/** The faults that `prompt` asks for. Unknown marks mean nothing. */
export const faultsIn = (prompt: string): Set<Fault> => {
  const faults = new Set<Fault>();
  for (const [, bracketed, tagged] of prompt.matchAll(MARK)) {
    const word = (bracketed ?? tagged ?? "").toLowerCase();
    if (isFault(word)) faults.add(word);
  }
  if (MODERATED.test(prompt)) faults.add("moderate");
  return faults;
};

/** The prompt without its fault marks: what is to be drawn. */
export const withoutFaults = (prompt: string): string =>
  prompt.replace(MARK, (mark, bracketed?: string, tagged?: string) =>
    isFault((bracketed ?? tagged ?? "").toLowerCase()) ? " " : mark,
  );
