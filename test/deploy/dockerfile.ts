import { readFile } from "node:fs/promises";

const ROOT = new URL("../../", import.meta.url);

/** One instruction: `COPY --from=packages a b` is `COPY`, `{from: "packages"}`, `a b`. */
export type Instruction = { name: string; flags: Record<string, string>; rest: string };

/** One `FROM` and what follows it. */
export type Stage = { name: string; base: string; instructions: Instruction[] };

const KNOWN = new Set([
  ...["ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK"],
  ...["LABEL", "RUN", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"],
]);

const parseInstruction = (line: string): Instruction => {
  const [, name = "", after = ""] = /^(\S+)\s+(.*)$/s.exec(line) ?? [];
  if (!KNOWN.has(name)) throw new Error(`nobody here knows ${name || line}`);
  const [, written = "", rest = ""] = /^((?:--\S+\s+)*)(.*)$/s.exec(after) ?? [];
  const flags = [...written.matchAll(/--([a-z-]+)=(\S+)/g)].map(([, flag = "", value = ""]) => [flag, value]);
  return { name, flags: Object.fromEntries(flags), rest: rest.trim() };
};

/** The stages of a Dockerfile. Throws for an instruction that it does not know. */
export const parseDockerfile = (text: string): Stage[] => {
  const lines = text
    .replace(/^\s*#.*\n/gm, "")
    .replaceAll("\\\n", " ")
    .split("\n");
  const stages: Stage[] = [];
  for (const line of lines.map((raw) => raw.trim()).filter((raw) => raw !== "")) {
    const instruction = parseInstruction(line);
    if (instruction.name === "FROM") {
      const [base = "", , name = String(stages.length)] = instruction.rest.split(/\s+/);
      stages.push({ name, base, instructions: [] });
    } else {
      const stage = stages.at(-1);
      if (!stage) throw new Error(`${line} stands before the first FROM`);
      stage.instructions.push(instruction);
    }
  }
  return stages;
};

/** The repository's own. */
export const readStages = async (): Promise<Stage[]> =>
  parseDockerfile(await readFile(new URL("Dockerfile", ROOT), "utf8"));

/** `a=1 b="x y"` as an object; `$NAME` is taken from `known`. */
export const pairsOf = (text: string, known: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/([\w.-]+)=(?:"([^"]*)"|(\S*))/g)].map(([, name = "", quoted, bare = ""]) => [
      name,
      (quoted ?? bare).replace(/\$(\w+)/g, (_, variable) => known[variable] ?? ""),
    ]),
  );

/** The words of an exec form, `["a", "b"]`. Throws for a shell form, which would put a shell before the program. */
export const wordsOf = (text: string): string[] => {
  if (!text.startsWith("[")) throw new Error(`not in exec form: ${text}`);
  return JSON.parse(text) as string[];
};

/**
 * Whether the build may read this top-level entry, by .dockerignore. It knows `*`, names and `!names`: of patterns
 * that match, the last one decides.
 */
export const readIgnored = async (): Promise<(entry: string) => boolean> => {
  const text = await readFile(new URL(".dockerignore", ROOT), "utf8");
  const patterns = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  for (const pattern of patterns)
    if (!/^(\*|!?[\w.-]+)$/.test(pattern)) throw new Error(`nobody here knows the pattern ${pattern}`);
  return (entry) => {
    const last = patterns.findLast((pattern) => pattern === "*" || pattern.replace(/^!/, "") === entry);
    return last !== undefined && !last.startsWith("!");
  };
};
