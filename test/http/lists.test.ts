import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Elysia } from "elysia";
import { Problem } from "../../src/errors.ts";
import { decodeCursor, encodeCursor, PageQuery, readPage, toPage } from "../../src/http/pagination.ts";
import { base64url, createClient, problemOf, setup } from "./bundle.ts";

const id = (n: number) => `019a5b0e-0000-7000-8000-${String(n).padStart(12, "0")}`;
const rows = Array.from({ length: 45 }, (_, n) => ({ id: id(n), created_at: 1_700_000_000_000 + Math.floor(n / 3) }));

/** What `where (created_at, id) > cursor order by created_at, id limit n` does. */
const select = (after: { at: number; id: string } | null, count: number) =>
  rows
    .filter((row) => !after || row.created_at > after.at || (row.created_at === after.at && row.id > after.id))
    .slice(0, count);

const start = () => {
  const { base } = setup();
  const routes = new Elysia().get(
    "/rows",
    ({ query }) => {
      const { limit, after } = readPage(query);
      return toPage(
        select(after, limit + 1),
        limit,
        (row) => ({ at: row.created_at, id: row.id }),
        (row) => row.id,
      );
    },
    { query: PageQuery },
  );
  return createClient(base.use(routes));
};

type Answer = { items: string[]; next_cursor: string | null };

describe("a list", () => {
  it("comes in pages of 20 that together hold every row once, and the last has no next", async () => {
    const { json } = start();
    const seen: string[] = [];
    const sizes: number[] = [];
    let cursor: string | null = null;
    do {
      const page: Answer = await json(`/rows${cursor ? `?cursor=${cursor}` : ""}`);
      seen.push(...page.items);
      sizes.push(page.items.length);
      cursor = page.next_cursor;
    } while (cursor);
    assert.deepEqual(sizes, [20, 20, 5]);
    assert.deepEqual(
      seen,
      rows.map((row) => row.id),
    );
  });

  it("has no next page when the last row ends the page", async () => {
    const { json } = start();
    const first = await json<Answer>("/rows?limit=45");
    assert.deepEqual([first.items.length, first.next_cursor], [45, null]);
    assert.equal(
      (await json<Answer>("/rows?limit=44")).next_cursor,
      encodeCursor({ at: rows[43]?.created_at ?? 0, id: id(43) }),
    );
  });

  it("refuses an absurd limit by name", async () => {
    const { send } = start();
    for (const limit of ["0", "-1", "101", "1e9", "NaN", "2.5", "", "all", "99999999999999999999"]) {
      const response = await send(`/rows?limit=${limit}`);
      assert.equal(response.status, 422, limit);
      assert.deepEqual((await problemOf(response)).errors, [
        { path: "/limit", message: "Must be an integer from 1 to 100" },
      ]);
    }
  });

  it("refuses a cursor that is not its own", async () => {
    const { send } = start();
    const cursors = [
      "x",
      "%00",
      base64url(null),
      base64url([1]),
      base64url([1, id(1), 2]),
      base64url(["1", id(1)]),
      base64url([1.5, id(1)]),
      base64url([-1, id(1)]),
      base64url([1e300, id(1)]),
      base64url([1, "' or 1=1 --"]),
      base64url({ 0: 1, 1: id(1), length: 2 }),
      encodeURIComponent(`${encodeCursor({ at: 1, id: id(1) })}=`),
      "a".repeat(5000),
      "",
    ];
    for (const cursor of cursors) assert.equal((await send(`/rows?cursor=${cursor}`)).status, 422, cursor.slice(0, 60));
  });
});

describe("a cursor", () => {
  it("comes back as it went", () => {
    const cursor = { at: 1_700_000_000_123, id: id(7) };
    assert.deepEqual(decodeCursor(encodeCursor(cursor)), cursor);
    assert.throws(
      () => decodeCursor("eyJ9"),
      (error) => error instanceof Problem && error.code === "validation_failed",
    );
  });
});
