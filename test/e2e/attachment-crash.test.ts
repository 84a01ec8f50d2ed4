import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { describe, it } from "node:test";
import type { Attachment } from "../../src/attachments/words.ts";
import { noise, presign, put } from "../attachments/uploads.ts";
import { createClient } from "../support/client.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { startServer } from "../support/server.ts";
import { until } from "../streams/until.ts";

const SETTINGS = { LOG_LEVEL: "error", NOT_AFTER_MS: "1000", SUBMIT_TIMEOUT_MS: "1000", INGEST_TIMEOUT_MS: "3000" };

describe("kill -9 while an upload is being verified", () => {
  it("costs nothing: the next process verifies it, without being told", { timeout: 120_000 }, async () => {
    const dataDir = await temporaryDirectory();
    let server = await startServer({ ...SETTINGS, DATA_DIR: dataDir });
    const client = createClient(() => server.url);
    const show = async (id: string) => (await client.get<Attachment>(`/attachments/${id}`)).body;
    try {
      // Large enough that its verification takes longer than noticing that it goes on.
      const bytes = await noise(6000, 5000, { IFD3: { GPSLatitudeRef: "N", GPSLatitude: "51/1 30/1 0/1" } });
      const { upload_id, upload_url } = await presign(client, { content_type: "image/jpeg", size: bytes.length });
      assert.equal((await put(upload_url, bytes, "image/jpeg")).status, 200);
      const told = client.post(`/attachments/${upload_id}/complete`).catch(() => null);
      await until(async () => (await show(upload_id)).state === "uploaded");
      await server.kill9();
      await told;

      server = await startServer({ ...SETTINGS, DATA_DIR: dataDir, PORT: new URL(server.url).port });
      await until(async () => (await show(upload_id)).state !== "uploaded", 60_000);
      const { state, width, height, thumbnails, url, error } = await show(upload_id);
      assert.deepEqual([state, error, width, height, thumbnails.length], ["ready", null, 6000, 5000, 2]);
      assert.equal((await fetch(url ?? "")).status, 200);
    } finally {
      await server[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});
