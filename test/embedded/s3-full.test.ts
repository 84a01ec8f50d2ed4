/** An embedded S3 whose disk is full at each single change that a request makes to it. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { atEachChange, look, SCENES } from "./s3-scenes.ts";

describe("a full disk of the embedded S3 is told, and changes nothing, during", () => {
  for (const scene of SCENES) {
    it(scene.name, { timeout: 300_000 }, () =>
      atEachChange(scene, "full", {
        living: async ({ dir, change, error, before, after, act }, server) => {
          assert.deepEqual(await look(server), error ? before : after, `full at change ${change}`);
          assert.deepEqual(await readdir(join(dir, server.target.bucket, "temp")), []);
          if (!error) return;
          assert.match(inspect(error), /InsufficientStorage|507/, `at change ${change}`);
          await act(server);
          assert.deepEqual(await look(server), after, `full at change ${change}, then asked again`);
          const uploads = await readdir(join(dir, server.target.bucket, "uploads"));
          assert.equal(uploads.length, after.uploads === "" ? 0 : 1);
        },
      }).then(() => undefined),
    );
  }
});
