/**
 * An embedded S3 that is killed, and loses what it has not synced, at each single change that a request makes to its
 * disk.
 */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startEmbedded } from "../storage/targets.ts";
import { atEachChange, look, on, SCENES } from "./s3-scenes.ts";

const DAY_MS = 24 * 3600_000;

/** What a sweep leaves of all that is no object, long afterwards. */
const leftovers = async (dir: string): Promise<string[]> => {
  const target = await startEmbedded({ dir, now: () => Date.now() + 9 * DAY_MS });
  await target.close();
  const home = join(dir, target.bucket);
  const names = [...(await readdir(join(home, "temp"))), ...(await readdir(join(home, "uploads")))];
  const files = await readdir(join(home, "objects"), { recursive: true });
  return [...names, ...files.filter((name) => !/\.[od]$/.test(name))];
};

describe("a kill of the embedded S3 at any change to its disk leaves the old or the new, whole, during", () => {
  for (const scene of SCENES) {
    it(scene.name, { timeout: 300_000 }, async () => {
      const kills = await atEachChange(scene, "kill", {
        afterwards: async ({ dir, change, error, before, after, act }) => {
          await on(dir, async (server) => {
            const now = await look(server);
            for (const kind of ["objects", "uploads"] as const) {
              const wanted = error ? [before[kind], after[kind]] : [after[kind]];
              assert.ok(wanted.includes(now[kind]), `killed at change ${change}: ${kind} ${now[kind]}`);
            }
            await act(server).catch(() => undefined);
            assert.deepEqual(await look(server), after, `killed at change ${change}, then asked again`);
          });
          assert.deepEqual(await leftovers(dir), []);
        },
      });
      assert.ok(kills > 0, "it was killed");
    });
  }
});
