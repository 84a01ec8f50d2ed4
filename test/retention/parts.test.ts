import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { abortAbandoned } from "../../src/retention/parts.ts";
import { startEmbedded, storageOn } from "../storage/targets.ts";

const DAY_MS = 86_400_000;

describe("an upload in parts that no attachment knows of", () => {
  let target: Awaited<ReturnType<typeof startEmbedded>>;
  let storage: ReturnType<typeof storageOn>;
  let now = Date.now();
  before(async () => {
    target = await startEmbedded({ now: () => now });
    storage = storageOn(target);
  });
  after(async () => {
    storage.close();
    await target.close();
  });

  const open = async () => {
    const found: string[] = [];
    for await (const { key } of storage.multipart.open("")) found.push(key);
    return found.sort();
  };

  it("is given up when it is a day old; younger ones, and what is none of ours, stay", async () => {
    await storage.multipart.create("uploads/old", "video/mp4");
    await storage.multipart.create("backups/old", "video/mp4");
    const clock = { now: () => now + DAY_MS, after: () => () => {} };
    now += 60_000;
    await storage.multipart.create("uploads/young", "video/mp4");
    assert.deepEqual(await open(), ["backups/old", "uploads/old", "uploads/young"]);
    assert.equal(await abortAbandoned({ storage, clock, ageMs: DAY_MS + 30_000 }), 1);
    assert.deepEqual(await open(), ["backups/old", "uploads/young"]);
    assert.equal(await abortAbandoned({ storage, clock, ageMs: DAY_MS + 30_000 }), 0);
    const signal = AbortSignal.abort();
    assert.equal(
      await abortAbandoned({ storage, clock, ageMs: 0, signal }),
      0,
      "a node that stops leaves it to others",
    );
  });
});
