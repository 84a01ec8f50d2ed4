/** `logs` of a status: `[{ message, level, source, timestamp }]`, or null, or absent. */

const LINES = 5;
const LINE = 200;

const messagesIn = (logs: unknown): string[] =>
  (Array.isArray(logs) ? logs : []).flatMap((line: { message?: unknown } | null) =>
    typeof line?.message === "string" && line.message.trim() !== "" ? [line.message.trim()] : [],
  );

/** The last few lines, each cut, or null when there are none. */
export const logsIn = (logs: unknown): string | null =>
  messagesIn(logs)
    .slice(-LINES)
    .map((message) => message.slice(0, LINE))
    .join("\n") || null;

/** 0 to 1, from the latest progress bar (` 42%|████▏     | 12/28`), which is all that most models tell; else null. */
export const progressIn = (logs: unknown): number | null => {
  for (const message of messagesIn(logs).reverse()) {
    const percent = /(?:^|\s)(\d{1,3})%\|[^%]*$/.exec(message)?.[1];
    if (percent !== undefined) return Math.min(100, Number(percent)) / 100;
  }
  return null;
};
