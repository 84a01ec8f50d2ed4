import { Buffer } from "node:buffer";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Problem } from "../errors.ts";
import { isUuid } from "./ids.ts";

// Text, because Elysia leaves TypeBox's integers in a query alone, and its own also take `0x10` and
// cannot say which field was out of range. `x-openapi` is what the docs show instead.
const Limit = Type.String({
  pattern: "^([1-9][0-9]?|100)$",
  description: "Items per page",
  error: "Must be an integer from 1 to 100",
  "x-openapi": { type: "integer", minimum: 1, maximum: 100, default: 20 },
});

/** The query of every list; `readPage` reads it. */
export const PageQuery = Type.Object({
  limit: Type.Optional(Limit),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: "`next_cursor` of the page before" })),
});

/** The answer of every list. `next_cursor` is null on the last page. */
export const Page = <T extends TSchema>(item: T) =>
  Type.Object({
    items: Type.Array(item),
    next_cursor: Type.Union([Type.String(), Type.Null()], { description: "Ask for the next page with it" }),
  });

/**
 * Where a page ends: the last row's sort key, `at` in milliseconds since the epoch. The column must
 * hold whole milliseconds, as the clock gives them: a default of `now()` has finer ones, and the next
 * page would lose rows.
 */
export type Cursor = { at: number; id: string };

const LATEST = Date.UTC(10_000, 0) - 1;

export const encodeCursor = ({ at, id }: Cursor): string => Buffer.from(JSON.stringify([at, id])).toString("base64url");

const invalid = () =>
  new Problem("validation_failed", "The query is not valid", {
    errors: [{ path: "/cursor", message: "Not a cursor of this API" }],
  });

/** Reads a cursor. Throws `validation_failed` for everything that `encodeCursor` does not make. */
export const decodeCursor = (text: string): Cursor => {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    throw invalid();
  }
  if (!Array.isArray(value) || value.length !== 2) throw invalid();
  const [at, id]: unknown[] = value;
  if (typeof at !== "number" || !Number.isInteger(at) || at < 0 || at > LATEST) throw invalid();
  if (typeof id !== "string" || !isUuid(id)) throw invalid();
  // Base64 has several spellings of the same bytes; ours is the only one that comes back.
  if (encodeCursor({ at, id }) !== text) throw invalid();
  return { at, id };
};

/** What to read for a page: `limit + 1` rows `after` the cursor (null on the first page). */
export const readPage = (query: Static<typeof PageQuery>): { limit: number; after: Cursor | null } => ({
  limit: Number(query.limit ?? 20),
  after: query.cursor === undefined ? null : decodeCursor(query.cursor),
});

/** Makes a page of up to `limit + 1` rows; the row too many only tells that there is more. */
export const toPage = <Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => Cursor,
  render: (row: Row) => Item,
): { items: Item[]; next_cursor: string | null } => {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const key = rows.length > limit && last !== undefined ? keyOf(last) : null;
  return { items: shown.map((row) => render(row)), next_cursor: key && encodeCursor(key) };
};

/** The keyset parameters of a list query: the last row's instant and id, or nulls for the first page. */
export const keyset = (after: Cursor | null): [Date, string] | [null, null] =>
  after === null ? [null, null] : [new Date(after.at), after.id];
