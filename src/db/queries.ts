import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Sql } from "./connect.ts";

const DIRECTORY = fileURLToPath(new URL("../../sql/queries", import.meta.url));

/** Text of each named query, without its leading comments. */
export type QueryTexts = Record<string, string>;

/** Whatever can run SQL: the pool or a transaction of it. */
export type Runner = Pick<Sql, "unsafe">;

/** Runs a named query as a prepared statement. Throws at once for an unknown name. */
export type Query = <Row extends object = Record<string, unknown>>(
  name: string,
  params?: readonly unknown[],
) => Promise<Row[]>;

/** Splits one file into its blocks. A block starts with `-- name: camelCase` and ends at the next. */
export const parseQueries = (file: string, source: string): QueryTexts => {
  const texts: QueryTexts = {};
  const [head = "", ...blocks] = source.split(/^-- name:/m);
  if (/^(?!\s*(--|$))/m.test(head)) throw new Error(`${file}: SQL before the first "-- name:" line`);
  for (const block of blocks) {
    const [title = "", ...lines] = block.split("\n");
    const name = title.trim();
    if (!/^[a-z][A-Za-z0-9]*$/.test(name)) throw new Error(`${file}: "${name}" is not a camelCase query name`);
    if (name in texts) throw new Error(`${file}: query ${name} is defined twice`);
    const first = lines.findIndex((line) => !/^\s*(--|$)/.test(line));
    if (first < 0) throw new Error(`${file}: query ${name} is empty`);
    texts[name] = `/* ${name} */ ${lines.slice(first).join("\n").trim().replace(/;$/, "")}`;
  }
  return texts;
};

/**
 * Reads every named block of `sql/queries/*.sql`. Synchronous: the composition root calls it once.
 * @throws Error for a name that is taken, malformed or empty
 */
export const loadQueries = (directory = DIRECTORY): QueryTexts => {
  const texts: QueryTexts = {};
  for (const file of readdirSync(directory)
    .filter((name) => name.endsWith(".sql"))
    .sort())
    for (const [name, text] of Object.entries(parseQueries(file, readFileSync(join(directory, file), "utf8")))) {
      if (name in texts) throw new Error(`${file}: query ${name} is already defined in another file`);
      texts[name] = text;
    }
  return texts;
};

/** Binds the texts to a pool or transaction: `const query = createQueries(sql, loadQueries())`. */
export const createQueries =
  (sql: Runner, texts: QueryTexts): Query =>
  <Row extends object>(name: string, params: readonly unknown[] = []) => {
    const text = texts[name];
    if (text === undefined) throw new Error(`there is no query named ${name}`);
    return sql.unsafe<Row[]>(text, params as never[], { prepare: true }) as Promise<Row[]>;
  };
