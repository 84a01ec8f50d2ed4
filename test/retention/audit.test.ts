import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { pathOf } from "../../src/embedded/s3/paths.ts";
import { type Audit, audit } from "../../src/retention/audit.ts";
import { bunBinary } from "../support/bun.ts";
import { createClient } from "../support/client.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { generate, getJob, jobWhen } from "../support/flow.ts";
import { startServer } from "../support/server.ts";
import { objectsOf } from "./bundle.ts";

const PROGRAM = fileURLToPath(new URL("../../src/retention/audit-main.ts", import.meta.url));

/** Runs the program with these settings. */
const run = async (env: Record<string, string>, ...flags: string[]) => {
  const child = spawn(bunBinary(), ["--no-env-file", PROGRAM, ...flags], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (more) => {
    text += more;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, text };
};

async function* each<T>(items: readonly T[]) {
  yield* items;
}

describe("an audit of storage", () => {
  it("finds exactly what is missing and what nothing names, however the keys sort", async () => {
    const Key = fc
      .constantFrom("media/", "uploads/", "attachments/", "")
      .chain((prefix) =>
        fc
          .string({ unit: fc.constantFrom("a", "b", ".", "/", "é", "😀", "\uff5e") })
          .map((rest) => `${prefix}k${rest}`),
      );
    const bytewise = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.record({ key: Key, required: fc.boolean() }), { selector: ({ key }) => key }),
        fc.uniqueArray(fc.record({ key: Key, old: fc.boolean() }), { selector: ({ key }) => key }),
        async (named, objects) => {
          const names = new Set(named.map(({ key }) => key));
          const there = new Set(objects.map(({ key }) => key));
          const found = await audit({
            named: each(named.toSorted((a, b) => bytewise(a.key, b.key))),
            listed: each(
              objects
                .map(({ key, old }) => ({ key, size: 3, modified: old ? 1 : 9 }))
                .sort((a, b) => bytewise(a.key, b.key)),
            ),
            olderThan: 5,
            unnamed: async (keys) => keys.filter((key) => !names.has(key)),
            isThere: async (key) => there.has(key),
          });
          const orphans = objects.filter(({ key, old }) => old && !names.has(key)).map(({ key }) => key);
          const missing = named.filter(({ key, required }) => required && !there.has(key)).map(({ key }) => key);
          assert.deepEqual(found.orphans.sort(), orphans.sort());
          assert.deepEqual(found.missing.sort(), missing.sort());
          const sum = (of: "objects" | "bytes" | "orphan_bytes") =>
            Object.values(found.prefixes).reduce((total, tally) => total + tally[of], 0);
          assert.deepEqual(
            [sum("objects"), sum("bytes"), sum("orphan_bytes")],
            [objects.length, 3 * objects.length, 3 * orphans.length],
          );
        },
      ),
    );
  });

  it("spares what was named or removed while it looked", async () => {
    const found = await audit({
      named: each([{ key: "media/removed", required: true }]),
      listed: each([{ key: "media/named-since", size: 1, modified: 0 }]),
      olderThan: 5,
      unnamed: async (keys) => keys.filter((key) => key === "media/removed"),
      isThere: async () => false,
    });
    assert.deepEqual([found.missing, found.orphans], [[], []]);
  });

  it("is a program: of a running server and of a stopped one, in a table or in JSON", {
    timeout: 120_000,
  }, async () => {
    const dataDir = await temporaryDirectory();
    const settings = { NODE_ENV: "test", OBJECT_GRACE_S: "1", DATA_DIR: dataDir, SIMULATED_LATENCY_MS: "100" };
    const server = await startServer({ ...settings, LOG_LEVEL: "error", POLL_MIN_MS: "20" });
    try {
      const client = createClient(() => server.url);
      const { job } = await generate(client, "a fox");
      assert.equal((await jobWhen(client, job)).status, "SUCCEEDED");
      const { result } = await getJob(client, job);
      const objects = (await objectsOf(dataDir)).length;
      assert.ok(objects > 2);
      const env = { ...settings, PORT: new URL(server.url).port };

      const whole = await run(env, "--json");
      assert.equal(whole.code, 0, whole.text);
      const found = JSON.parse(whole.text) as Audit;
      assert.deepEqual([found.prefixes["media/"]?.objects, found.missing, found.orphans], [objects, [], []]);

      await server.stop();
      const key = new URL(result?.raw_url ?? "").pathname.replace("/darkroom/", "");
      await rm(pathOf(join(dataDir, "s3", "darkroom", "objects"), key));
      const missing = await run(env);
      assert.equal(missing.code, 1);
      assert.match(missing.text, /^prefix +objects +bytes +missing +orphans/);
      assert.match(missing.text, new RegExp(`^missing  ${key}$`, "m"));
      assert.equal((await run(env, "--all")).code, 2);
    } finally {
      await server[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});
