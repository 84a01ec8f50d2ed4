import type { CheckOutcome } from "../../ports.ts";
import { inlineUrl } from "./inline.ts";
import { filesOf } from "./outputs.ts";
import type { Prediction } from "./prediction.ts";

/**
 * There is no status for moderation: the text of the error is all there is. `E005` is how the models of one vendor
 * begin theirs. Tracebacks name files such as `safety_checker.py`, which is not a verdict, and neither is "case-sensitive".
 */
const MODERATED = /\bnsfw\b|\bsafety\b|(?<!case[- ])\bsensitive\b|\bflagged\b|\bmoderat|content polic|\bE005\b/i;

export const isModeration = (text: string) => MODERATED.test(text);

/** The platform's own codes, and what else is known by its text. The first that matches counts. */
const FAILURES: readonly [text: RegExp, code: string, retryable: boolean][] = [
  [/\bE1000\b/, "provider_error", true],
  [/\bE1001\b/, "out_of_memory", false],
  [/\bE6716\b/, "provider_timeout", true],
  [/\bprediction interrupted\b/i, "provider_error", true],
  [/^input validation error\b/i, "invalid_request", false],
];

const MAX_TEXT = 300;
/** One line for people: without markup, bounded. */
export const tidy = (text: string) => {
  const line = text
    .slice(0, 20 * MAX_TEXT)
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return line.length > MAX_TEXT ? `${line.slice(0, MAX_TEXT - 1)}…` : line;
};

const failure = ({ error }: Prediction): CheckOutcome => {
  if (isModeration(error)) return { kind: "moderated" };
  const message = tidy(error) || "The model failed and did not say why";
  const [, code, retryable] = FAILURES.find(([text]) => text.test(error)) ?? [null, "provider_error", error === ""];
  return { kind: "failed", code, message, retryable };
};

const LOG_LINES = 5;
const LOG_TEXT = 1_000;
/** `tqdm` and its like draw ` 76%|███  | 19/25 [00:03<00:01]`, over and over, with carriage returns. */
const BAR = /^\s*(\d{1,3})%\s*\|/;

const running = (logs: string): CheckOutcome => {
  const lines = logs
    .slice(-20 * LOG_TEXT)
    .split(/[\r\n]+/)
    .filter((line) => line.trim() !== "");
  const percent = lines.map((line) => BAR.exec(line)?.[1]).findLast((found) => found !== undefined);
  const tail = lines.slice(-LOG_LINES).join("\n").slice(-LOG_TEXT);
  return {
    kind: "running",
    ...(percent === undefined ? {} : { progress: Math.min(1, Number(percent) / 100) }),
    ...(tail === "" ? {} : { logs: tail }),
  };
};

const completed = (prediction: Prediction, baseUrl: string): CheckOutcome => {
  const { id, output, dataRemoved, predictTime } = prediction;
  if (output === null && dataRemoved) {
    return { kind: "failed", code: "output_expired", message: "Replicate no longer has the output", retryable: false };
  }
  const outputs = filesOf(output).map((url, index) => ({
    url: /^data:/i.test(url) ? inlineUrl(baseUrl, id, index) : url,
  }));
  const cost = predictTime === null ? {} : { cost: { amount: predictTime, unit: "seconds" } };
  return { kind: "completed", outputs, ...cost };
};

/** What a prediction's state means for us. A word that is not known counts as still running. */
export const outcomeOf = (prediction: Prediction, baseUrl: string): CheckOutcome => {
  switch (prediction.status) {
    case "starting":
      return { kind: "queued" };
    case "succeeded":
      return completed(prediction, baseUrl);
    case "failed":
      return failure(prediction);
    // `aborted`: the deadline came before it started; nothing was billed.
    case "canceled":
    case "aborted":
      return { kind: "canceled" };
    default:
      return running(prediction.logs);
  }
};
