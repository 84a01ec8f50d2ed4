import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect, type Sql } from "../../src/db/connect.ts";
import { readObjects } from "../chaos/evidence.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";
import { until } from "../streams/until.ts";
import { createJumpingClock } from "./jumping-clock.ts";
import { complete, MIB, picture, presign, put, putParts, show } from "./uploads.ts";

const TTL_MS = 900_000;
const LATE_MS = 3_600_000;

describe("an upload URL that is used when nobody waits for it any more", { timeout: 60_000 }, () => {
  let app: TestApp;
  let database: TestDatabase;
  let sql: Sql;
  let png: Uint8Array<ArrayBuffer>;
  // The storage goes by its own clock: to it the URLs stay good.
  const clock = createJumpingClock();
  before(async () => {
    database = await cloneDatabase();
    sql = connect(database.url, { max: 1, role: "admin" });
    app = await startApp({}, { database: database.url, clock });
    png = await picture();
  });
  after(async () => {
    await app[Symbol.asyncDispose]();
    await sql.end({ timeout: 5 });
    await database.drop();
  });

  const uploads = async () => {
    const objects = await readObjects(join(app.config.DATA_DIR, "s3", "darkroom", "objects"));
    return objects.filter((key) => key.startsWith("uploads/"));
  };
  const stateOf = async (id: string) => (await sql`select state from actors where id = ${id}`)[0]?.state as string;

  it("leaves nothing for ever: when it has ended, what came late is discarded", async () => {
    const ready = await presign(app.client, { size: png.length });
    await put(ready.upload_url, png);
    await complete(app.client, ready.upload_id);
    const rejected = await presign(app.client, { size: 10 });
    await put(rejected.upload_url, "not a png");
    await complete(app.client, rejected.upload_id);
    const expired = await presign(app.client, { size: png.length });
    const ids = [ready, rejected, expired].map(({ upload_id }) => upload_id);
    clock.jump(TTL_MS + 1000);
    await until(async () => (await show(app.client, expired.upload_id)).state === "expired");
    await app.settle();
    for (const { upload_url } of [ready, rejected, expired]) assert.equal((await put(upload_url, png)).status, 200);
    assert.equal((await uploads()).length, 3, "its signature is good for as long as it says");
    assert.deepEqual(await Promise.all(ids.map(stateOf)), ["ready", "rejected", "expired"]);

    clock.jump(LATE_MS);
    await until(async () => (await Promise.all(ids.map(stateOf))).every((state) => state === "closed"));
    assert.deepEqual(await uploads(), []);
    const shown = await Promise.all(ids.map(async (id) => (await show(app.client, id)).state));
    assert.deepEqual(shown, ["ready", "rejected", "expired"], "which nobody notices");
  });

  it("of a part finds no upload any more", async () => {
    const bytes = new Uint8Array(6 * MIB);
    const signed = await presign(app.client, { size: bytes.length, method: "MULTIPART" });
    await putParts(bytes, { ...signed, parts: signed.parts?.slice(0, 1) });
    clock.jump(TTL_MS + 1000);
    await until(async () => (await show(app.client, signed.upload_id)).state === "expired");
    await app.settle();
    const [, second] = signed.parts ?? [];
    assert.equal((await put(second?.upload_url ?? null, bytes.slice(5 * MIB))).status, 404);
    assert.equal((await complete(app.client, signed.upload_id)).state, "expired");
  });
});
