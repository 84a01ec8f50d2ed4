import assert from "node:assert/strict";
import { readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import { sweepTempFiles, withTempFile } from "../../src/storage/temp-file.ts";
import { temporaryDirectory } from "../support/directory.ts";

describe("what a killed process left of a download", () => {
  it("is removed after an hour; what is being written, and what is not ours, stays", async () => {
    const tmpDir = await temporaryDirectory();
    const old = new Date(Date.now() - 2 * 3600_000);
    for (const name of ["left.part", "notes.txt"]) {
      await writeFile(join(tmpDir, name), "bytes");
      await utimes(join(tmpDir, name), old, old);
    }
    const body = Readable.from([new Uint8Array(10)]);
    await withTempFile({ body, maxBytes: 100, tmpDir, signal: new AbortController().signal }, async () => {
      assert.equal(await sweepTempFiles(tmpDir, Date.now()), 1);
      const left = (await readdir(tmpDir)).filter((name) => name !== "owner");
      assert.deepEqual([left.includes("left.part"), left.includes("notes.txt"), left.length], [false, true, 2]);
    });
    await rm(tmpDir, { recursive: true, force: true });
  });
});
