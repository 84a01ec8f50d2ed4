import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { startApp, type TestApp } from "../support/app.ts";
import { bunBinary } from "../support/bun.ts";
import { temporaryDirectory } from "../support/directory.ts";

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL("../../src/client/upload.ts", import.meta.url));
const DENO = fileURLToPath(new URL("../../node_modules/.bin/deno", import.meta.url));

describe("the client as one file for browsers", { timeout: 60_000 }, () => {
  let app: TestApp;
  let directory: string;
  let script: string;
  before(async () => {
    app = await startApp({ PUBLIC_URL: "own" });
    directory = await temporaryDirectory();
    const bundle = join(directory, "upload.mjs");
    await run(bunBinary(), ["build", SOURCE, "--target=browser", `--outfile=${bundle}`]);
    script = join(directory, "main.mjs");
    const text = `
      import { upload } from ${JSON.stringify(pathToFileURL(bundle).href)};
      const bytes = crypto.getRandomValues(new Uint8Array(65536));
      const parts = Array.from({ length: 112 }, () => bytes);
      const head = new TextEncoder().encode("\\0\\0\\0\\x18ftypisom\\0\\0\\x02\\0isommp42");
      const file = new File([head, ...parts], "fox.mp4", { type: "video/mp4" });
      const seen = [];
      const done = await upload(file, { baseUrl: ${JSON.stringify(app.url)}, partsAbove: 1e6, onProgress: (p) => seen.push(p) });
      console.log(JSON.stringify([done.state, done.size_bytes === file.size, seen.at(-1).sent === file.size]));`;
    await writeFile(script, text);
  });
  after(async () => {
    await app[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it("imports nothing", async () => {
    assert.doesNotMatch(await readFile(join(directory, "upload.mjs"), "utf8"), /\bimport\b|\brequire\(|typebox/i);
  });

  for (const [name, command, args] of [
    ["Node", "node", []],
    ["Bun", bunBinary(), []],
    ["Deno", DENO, ["run", "-A", "--no-check"]],
  ] as const) {
    it(`uploads in ${name}`, async () => {
      const { stdout } = await run(command, [...args, script]);
      assert.deepEqual(JSON.parse(stdout), ["ready", true, true]);
    });
  }
});
