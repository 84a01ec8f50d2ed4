import { type Mood, mixPalettes, PALETTES, type Palette } from "../drawing/palette.ts";
import type { Random } from "../drawing/random.ts";
import { COLOURS, MOODS, SEASONS, TIMES, WEATHERS } from "./light.ts";
import { FAMILIES, type Family } from "./subjects.ts";
import { THINGS, type Thing } from "./things.ts";

/** What a prompt asks to be drawn. */
export type Reading = {
  family: Family;
  /** Where the subject is, when the prompt names a place beside it. */
  setting: Family | null;
  things: ReadonlySet<Thing>;
  time: keyof typeof TIMES | null;
  season: keyof typeof SEASONS | null;
  weather: keyof typeof WEATHERS | null;
  /** The colour that the prompt gives its subject, `#rrggbb`. */
  colour: string | null;
  /** Black and white, whatever is drawn. */
  monochrome: boolean;
  palette: Palette;
};

/** The light that suits a subject when the prompt says nothing about it. */
const USUAL: Record<Family, readonly Mood[]> = {
  sea: ["day", "sunset", "ocean", "dawn"],
  mountains: ["dawn", "day", "dusk", "warm"],
  forest: ["emerald", "warm", "dawn"],
  city: ["dusk", "sunset", "dawn"],
  village: ["warm", "dusk", "spring"],
  desert: ["desert", "sunset", "warm"],
  meadow: ["spring", "day", "warm"],
  road: ["sunset", "dusk", "neon"],
  space: ["night", "fantasy", "neon"],
  underwater: ["ocean"],
  portrait: ["warm", "dusk", "sunset", "emerald", "dawn"],
  animal: ["warm", "dawn", "spring"],
  flowers: ["minimal", "pastel", "vintage", "spring"],
  cup: ["minimal", "warm", "vintage"],
  product: ["minimal", "pastel", "warm"],
  room: ["warm", "day", "dawn"],
  abstract: ["candy", "vintage", "pastel", "minimal", "sunset", "ocean"],
};

/** Subjects that stand in studio light: the time of day tints them, but stars do not rise. */
const INDOORS: ReadonlySet<Family> = new Set(["flowers", "cup", "product", "abstract"]);

/** Subjects that a colour word colours as a whole. */
const TINTED: ReadonlySet<Family> = new Set(["abstract", "space", "underwater", "sea", "mountains", "forest"]);

const tokensOf = (prompt: string): string[] =>
  prompt
    .toLowerCase()
    .replaceAll("ё", "е")
    .replace(/black[ -]and[ -]white|ч[её]рно[ -]белы\p{L}*/gu, "noir")
    .match(/[\p{L}\p{N}&]+(?:-[\p{L}]+)?/gu) ?? [];

/** A test for one token against a list as in `words.ts`. */
const matcher = (words: string) => {
  const list = words.split(" ");
  const whole = new Set(list.filter((word) => !word.endsWith("*")));
  const starts = list.filter((word) => word.endsWith("*")).map((word) => word.slice(0, -1));
  return (token: string) => whole.has(token) || starts.some((start) => token.startsWith(start));
};

/** The key whose words come first in the prompt. */
const firstOf = <K extends string>(words: Partial<Record<K, string>>, tokens: string[]): K | null => {
  let best: K | null = null;
  let place = Number.POSITIVE_INFINITY;
  for (const [key, list] of Object.entries(words) as [K, string][]) {
    const found = tokens.findIndex(matcher(list));
    if (found >= 0 && found < place) [best, place] = [key, found];
  }
  return best;
};

/** Subjects by how strongly the prompt asks for them; earlier words count a little more. */
const rank = (tokens: string[]): Family[] => {
  const scores = new Map<Family, number>();
  for (const [family, weight, words] of FAMILIES) {
    const fits = matcher(words);
    const best = tokens.findIndex(fits);
    if (best < 0) continue;
    const score = weight * (1 - Math.min(best, 20) * 0.02);
    scores.set(family, Math.max(scores.get(family) ?? 0, score) + (scores.has(family) ? 0.3 : 0));
  }
  return [...scores].sort((a, b) => b[1] - a[1]).map(([family]) => family);
};

const lightOf = (
  reading: Pick<Reading, "family" | "time" | "season" | "weather">,
  mood: Mood | null,
  random: Random,
) => {
  const { family, time, season, weather } = reading;
  const usual = random.pick(USUAL[family]);
  const seasonal = season === "summer" ? "day" : season;
  const base =
    PALETTES[mood ?? (INDOORS.has(family) ? null : time) ?? seasonal ?? (weather === "fog" ? "dawn" : usual)];
  let palette: Palette = base;
  if (mood && time && !INDOORS.has(family) && mood !== "noir") {
    const share = time === "night" && !base.dark ? 0.72 : base.dark ? 0.12 : 0.45;
    palette = mixPalettes(base, PALETTES[time], share);
  }
  if (!mood && weather === "rain" && !palette.dark) palette = mixPalettes(palette, PALETTES.storm, 0.55);
  return season && season !== "summer" && mood !== "noir" ? { ...palette, leaf: PALETTES[season].leaf } : palette;
};

/**
 * Understands a prompt in English or Russian, as far as words go. What it does not say is drawn from
 * `random`, so that variations of one prompt may differ in what was left open, never in what was asked.
 */
export const readPrompt = (prompt: string, random: Random): Reading => {
  const tokens = tokensOf(prompt);
  const [family = "abstract", setting = null] = rank(tokens);
  const things = new Set<Thing>();
  for (const [thing, words] of Object.entries(THINGS) as [Thing, string][]) {
    if (tokens.some(matcher(words))) things.add(thing);
  }
  const time = firstOf(TIMES, tokens);
  const season = firstOf(SEASONS, tokens);
  const weather = firstOf(WEATHERS, tokens);
  const tint = COLOURS.find(([words]) => tokens.some(matcher(words)));
  const tinted = tint && !time && TINTED.has(family) ? tint[2] : null;
  const mood = firstOf(MOODS, tokens) ?? tinted;
  const palette = lightOf({ family, time, season, weather }, mood, random);
  return {
    family,
    setting,
    things,
    time,
    season,
    weather,
    colour: tint?.[1] ?? null,
    monochrome: mood === "noir" && tinted === null,
    palette,
  };
};
