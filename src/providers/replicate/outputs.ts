const MAX_DEPTH = 16;
const MAX_OUTPUTS = 64;

/** A whole string that is one address; text that merely mentions one is not a file. */
const isFile = (text: string) =>
  /^data:[^,\s]*,/i.test(text) || (/^https?:\/\/[^\s]+$/i.test(text) && URL.canParse(text));

/**
 * The files of an output of any shape (a string, a list, an object, nested ones, objects that describe a file), in
 * the order in which they stand, each once. Text between them is passed over. At most 64.
 */
export const filesOf = (output: unknown): string[] => {
  const found = new Set<string>();
  const walk = (value: unknown, depth: number): void => {
    if (found.size >= MAX_OUTPUTS || depth > MAX_DEPTH) return;
    if (typeof value === "string") {
      const text = value.trim();
      if (isFile(text)) found.add(text);
    } else if (typeof value === "object" && value !== null) {
      for (const part of Object.values(value)) walk(part, depth + 1);
    }
  };
  walk(output, 0);
  return [...found];
};
