import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { connect, type Sql } from "../../src/db/connect.ts";
import { readObjects } from "../chaos/evidence.ts";
import type { TestApp } from "../support/app.ts";
import type { Client } from "../support/client.ts";

/** Objects go at once. Only tests may be so hasty: what is stored has no time to be named. */
export const HASTY = { NODE_ENV: "test", OBJECT_GRACE_S: "0" };

/** What a user could have left behind anywhere; the provider's own books are none of ours. */
const TABLES = [
  "chats",
  "messages",
  "options",
  "batches",
  "jobs",
  "outputs",
  "attachments",
  "actors",
  "transitions",
  "inbox",
  "facts",
  "streams",
  "condemned",
  "endpoints",
];

/** Rows by table, without the empty ones. */
export const countRows = async (sql: Sql): Promise<Record<string, number>> => {
  const text = TABLES.map((name) => `select '${name}' as name, count(*)::int as n from ${name}`).join(" union all ");
  const rows = await sql.unsafe<{ name: string; n: number }[]>(text);
  return Object.fromEntries(rows.filter(({ n }) => n > 0).map(({ name, n }) => [name, n]));
};

export const objectsOf = (dataDir: string): Promise<string[]> =>
  readObjects(join(dataDir, "s3", "darkroom", "objects"));

/** A look at an app's tables and objects. */
export const inspect = ({ database, config }: TestApp) => {
  const sql = connect(database, { max: 2, role: "admin" });
  return {
    sql,
    rows: () => countRows(sql),
    objects: () => objectsOf(config.DATA_DIR),
    [Symbol.asyncDispose]: () => sql.end({ timeout: 5 }),
  };
};

/** Uploads a picture of one colour. Resolves to its id and link. */
export const upload = async (client: Client, background = "#246"): Promise<{ id: string; link: string }> => {
  const bytes = new Uint8Array(
    await sharp({ create: { width: 8, height: 8, channels: 3, background } })
      .png()
      .toBuffer(),
  );
  const file = { file_name: "fox.png", content_type: "image/png", size: bytes.length };
  const { body } = await client.post<{ upload_url: string; upload_id: string; download_url: string }>(
    "/attachments/presign",
    file,
  );
  const put = await fetch(body.upload_url, { method: "PUT", headers: { "content-type": "image/png" }, body: bytes });
  assert.equal(put.status, 200);
  return { id: body.upload_id, link: body.download_url };
};

export const remove = async (client: Client, path: string): Promise<void> => {
  assert.equal((await client.send("DELETE", path)).status, 204, path);
  assert.equal((await client.send("DELETE", path)).status, 404, `${path}, again`);
};
