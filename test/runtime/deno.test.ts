import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { createBarePath } from "../support/bare.ts";
import { type Client, createClient } from "../support/client.ts";
import { denoBinary, denoTask } from "../support/deno.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { generate, jobWhen } from "../support/flow.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const READY_MS = 60_000;

/** A task of deno.json, by Deno's own `task`, on a machine that has neither Bun nor Node. */
const runTask = (name: string, path: string, env: Record<string, string>) => {
  const child = spawn(denoBinary(), ["task", name], { cwd: ROOT, env: { PATH: path, ...env }, stdio: "pipe" });
  let said = "";
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const address = new Promise<string>((resolve) => {
    for (const output of [child.stdout, child.stderr])
      output.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        const [, found] = /^ {2}address {5}(\S+)\s*\n/m.exec(said) ?? [];
        if (found) resolve(found);
      });
  });
  return { child, ended, address, said: () => said };
};

describe("deno task start", () => {
  let directory: string;
  let path: string;
  let task: ReturnType<typeof runTask>;
  let client: Client;
  before(async () => {
    directory = await temporaryDirectory();
    path = await createBarePath(join(directory, "bin"), { deno: denoBinary() });
    const settings = { PORT: "0", DATA_DIR: join(directory, "data"), LOG_LEVEL: "warn", SIMULATED_LATENCY_MS: "100" };
    task = runTask("start", path, settings);
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error(`it was not ready: ${task.said()}`)), READY_MS).unref();
    });
    const early = task.ended.then((code) => Promise.reject(new Error(`it ended with ${code}: ${task.said()}`)));
    const url = await Promise.race([task.address, late, early]);
    client = createClient(() => url);
  });
  after(async () => {
    task.child.kill("SIGTERM");
    await task.ended;
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });

  it("gives Darkroom listed permissions, not all of them", () => {
    const flags = denoTask("start").match(/--allow-[\w-]+|-A\b/g) ?? [];
    assert.deepEqual(
      flags.sort(),
      ["env", "ffi", "net", "read", "run", "sys", "write"].map((one) => `--allow-${one}`),
    );
    for (const one of ["read", "write", "run", "sys", "ffi"])
      assert.match(denoTask("start"), new RegExp(`--allow-${one}=`), `${one} is for what is listed`);
  });

  it("has everything embedded, and makes a picture", async () => {
    const { body } = await client.get<{ checks: Record<string, { status: string }> }>("/healthz");
    for (const name of ["postgres", "storage", "bus"]) assert.equal(body.checks[name]?.status, "ok", name);
    const { job } = await generate(client, "a fox");
    const { status, result } = await jobWhen(client, job);
    assert.equal(status, "SUCCEEDED");
    assert.equal((await (await fetch(String(result?.raw_url))).arrayBuffer()).byteLength, result?.size_bytes);
    assert.equal(result?.thumbnails.length, 2);
  });

  it("shows its metrics and its documentation", async () => {
    assert.match((await client.get<string>("/metrics")).body, /^process_cpu_seconds_total \d/m);
    assert.equal((await client.get("/docs")).status, 200);
    assert.equal((await client.get("/docs/assets/swagger-ui-bundle.js")).status, 200);
  });

  it("missed no permission", () => assert.doesNotMatch(task.said(), /NotCapable|Requires \w+ access/));

  it("ends with what it began when it is asked to", async () => {
    task.child.kill("SIGTERM");
    assert.equal(await task.ended, 0);
    assert.doesNotMatch(task.said(), /NotCapable|Requires \w+ access/);
  });
});

describe("deno task migrate", () => {
  it("says what it needs", async () => {
    const directory = await temporaryDirectory();
    const path = await createBarePath(join(directory, "bin"), { deno: denoBinary() });
    const task = runTask("migrate", path, {});
    assert.equal(await task.ended, 1);
    assert.match(task.said(), /DATABASE_URL is not set/);
    await rm(directory, { recursive: true, force: true });
  });
});
