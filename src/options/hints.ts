/** What a sentence says about shape, length and size, and how a model's parameters can honour it. */
import type { TSchema } from "@sinclair/typebox";
import type { Model } from "../models/model.ts";
import { choicesOf } from "../models/parameters.ts";
import { compile, findPhrases, tokenize } from "./phrases.ts";

/** `duration` in seconds, `resolution` without its `p` (`1080`, `4k`). */
export type Hints = { aspect_ratio?: string; duration?: number; resolution?: string };

const RATIOS = ["1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "5:4", "4:5", "21:9", "9:21"];

const SHAPED =
  "image|picture|photo|pic|video|clip|banner|poster|ad|advert|logo|avatar|icon|thumbnail|post|portrait|drawing|" +
  "illustration|frame|format|crop|ratio|aspect|canvas|composition|version|shot";
const SHAPED_RU = "картин*|фото*|изображени*|видео*|ролик*|клип*|кадр*|формат*|логотип*|аватар*|иконк*|постер*";

/** Words for a shape. `none`: the same words where they describe what is in the picture. */
const SHAPES = [
  ["none", "vertical|horizontal line|lines|stripe|stripes|bar|bars|garden|gardens|farm|wall|blinds|cliff|takeoff"],
  ["none", "вертикальн*|горизонтальн* лини*|полос*|сад*|стен*|взлет*|жалюзи"],
  ["9:16", "vertical|vertically|вертикальн*|вертикально"],
  ["9:16", "portrait mode|orientation|format|aspect"],
  ["9:16", "in portrait ,"],
  ["9:16", "портретн* ориентаци*|формат*"],
  ["9:16", "tiktok|tiktoks|рилс*|тикток*|шортс*|сторис*"],
  ["9:16", "instagram|insta|facebook story|stories|reel|reels"],
  ["9:16", "for reels|stories|shorts"],
  ["9:16", "youtube shorts|short"],
  ["16:9", "horizontal|horizontally|widescreen|горизонтальн*|горизонтально|широкоформатн*"],
  ["16:9", "landscape mode|orientation|format|aspect"],
  ["16:9", "in landscape ,"],
  ["1:1", `square ${SHAPED}`],
  ["1:1", "make it? square"],
  ["1:1", "in square ,"],
  ["1:1", ", square ,"],
  ["1:1", `квадратн* ${SHAPED_RU}`],
  ["1:1", ", квадратн*|квадрат ,"],
].map(([of, pattern]) => ({ of: of as string, pattern: compile(pattern as string) }));

const NUMBERS = new Map<string, number>(
  Object.entries({
    ...{ one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10 },
    ...{ twelve: 12, fifteen: 15, twenty: 20, thirty: 30 },
    ...{ две: 2, три: 3, четыре: 4, пять: 5, шесть: 6, семь: 7, восемь: 8, девять: 9, десять: 10, пятнадцать: 15 },
    ...{ пяти: 5, десяти: 10, пятнадцати: 15 },
  }),
);
const LENGTH = new RegExp(
  `(?<![\\p{L}\\p{N}.:])(\\d{1,3}(?:[.,]\\d)?|${[...NUMBERS.keys()].join("|")})[\\s-]*` +
    "(?:(s|seconds?|secs?|сек|секунд\\p{L}*)|(minutes?|mins?|минут\\p{L}*|мин))(?![\\p{L}\\p{N}]|-?\\s?hand)",
  "gu",
);

const durationIn = (text: string): number | undefined => {
  for (const [, amount = "", second, minute] of text.matchAll(LENGTH)) {
    const count = NUMBERS.get(amount) ?? Number(amount.replace(",", "."));
    // `the 80s`, `in her 20s`: a decade or an age, not a length.
    if (second === "s" && count >= 20 && count % 10 === 0) continue;
    if (count > 0) return minute ? count * 60 : count;
  }
  return undefined;
};

const ratioIn = (text: string): string | undefined => {
  for (const [, width, height] of text.matchAll(
    /(?<![\d.,:])(\d{1,2})\s?:\s?(\d{1,2})(?![\d:]|[.,]\d|\s?[ap]\.?m)/gu,
  )) {
    if (RATIOS.includes(`${width}:${height}`)) return `${width}:${height}`;
  }
  const spoken = text.match(/(?<![\p{L}\p{N}])(16|9|21)\s?(?:by|на|x|х|×)\s?(9|16)(?![\p{L}\p{N}])/u);
  if (spoken && RATIOS.includes(`${spoken[1]}:${spoken[2]}`)) return `${spoken[1]}:${spoken[2]}`;
  const pixels = text.match(/(?<!\d)(\d{3,4})\s?[xх×]\s?(\d{3,4})(?!\d)/u);
  if (!pixels) return undefined;
  return RATIOS.find((ratio) => Number(pixels[1]) * heightOf(ratio) === Number(pixels[2]) * widthOf(ratio));
};

const widthOf = (ratio: string) => Number(ratio.split(":")[0]);
const heightOf = (ratio: string) => Number(ratio.split(":")[1]);

const resolutionIn = (text: string): string | undefined => {
  const match = text.match(
    /(?<![\p{L}\p{N}])(?:(480|720|1080)\s?[pр]|([124])\s?[kк]|(full\s?hd)|(uhd|ultra\s?hd))(?![\p{L}\p{N}])/u,
  );
  if (!match) return undefined;
  const [, lines, thousands, fullHd] = match;
  return lines ?? (thousands ? `${thousands}k` : fullHd ? "1080" : "4k");
};

/** Reads the hints out of a sentence in English or Russian; a number beats a word. */
export const hintsIn = (text: string): Hints => {
  const plain = text.normalize("NFKC").toLowerCase();
  const shape = findPhrases(tokenize(text), SHAPES).find(({ of, negated }) => of !== "none" && !negated);
  return {
    aspect_ratio: ratioIn(plain) ?? shape?.of,
    duration: durationIn(plain),
    resolution: resolutionIn(plain),
  };
};

const nearest = <T>(values: readonly T[], distance: (value: T) => number): T | undefined =>
  values.toSorted((a, b) => distance(a) - distance(b))[0];

const fitRatio = (schema: TSchema, wanted: string) => {
  const slope = (ratio: string) => Math.log(widthOf(ratio) / heightOf(ratio));
  const ratios = choicesOf(schema).filter((value): value is string => /^\d+:\d+$/.test(String(value)));
  return nearest(ratios, (ratio) => Math.abs(slope(ratio) - slope(wanted)));
};

const fitDuration = (schema: TSchema, wanted: number) => {
  if (schema.type === "integer") return Math.min(schema.maximum, Math.max(schema.minimum, Math.round(wanted)));
  return nearest(choicesOf(schema), (value) => Math.abs(Number.parseFloat(String(value)) - wanted));
};

const sizeOf = (value: string | number) => String(value).toLowerCase().replace(/p$/, "");

/**
 * The parameters of the model that come nearest to the hints; what it cannot express is left out. `exact` counts the
 * hints that are met to the letter, so that a model that can do what was asked may be preferred.
 */
export const fitParams = ({ parameters }: Pick<Model, "parameters">, hints: Hints) => {
  const params: Record<string, string | number> = {};
  let exact = 0;
  const { aspect_ratio, duration, resolution, size } = parameters.properties as Record<string, TSchema | undefined>;
  const take = (name: string, value: string | number | undefined, met: boolean) => {
    if (value === undefined) return;
    params[name] = value;
    if (met) exact++;
  };
  if (aspect_ratio && hints.aspect_ratio) {
    const value = fitRatio(aspect_ratio, hints.aspect_ratio);
    take("aspect_ratio", value, value === hints.aspect_ratio);
  }
  if (duration && hints.duration) {
    const value = fitDuration(duration, hints.duration);
    take("duration", value, Number.parseFloat(String(value)) === hints.duration);
  }
  for (const [name, schema] of Object.entries({ resolution, size })) {
    if (!schema || !hints.resolution) continue;
    take(
      name,
      choicesOf(schema).find((value) => sizeOf(value) === hints.resolution),
      true,
    );
  }
  return { params, exact };
};
