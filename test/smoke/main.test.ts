import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { afterEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { PROVIDERS, openTarget, type ProviderName } from "../chaos/submit-providers.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const TIMES = { latencyMs: 5, queueMs: 100, runMs: 400, timers: true };
const FAST = { POLL_MIN_MS: "100", POLL_MAX_MS: "300" };

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** The program with these settings and no others. `stopAt`: interrupted when it says this. */
const smoke = (args: string[], env: Record<string, string>, stopAt?: RegExp) =>
  new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const child = spawn(process.execPath, ["--no-env-file", MAIN, ...args], {
      env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR, ...FAST, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [out, err] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text) => {
      out += text;
      if (!stopAt?.test(out)) return;
      stopAt = undefined;
      child.kill("SIGINT");
    });
    child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
    child.once("close", (code) => resolve({ code, out, err }));
  });

const emulated = async (name: ProviderName) => {
  const target = await openTarget(name, TIMES);
  closers.push(target.close);
  return target;
};
const KEYS: Record<ProviderName, string[]> = {
  higgsfield: ["HIGGSFIELD_API_KEY", "HIGGSFIELD_SECRET"],
  replicate: ["REPLICATE_API_TOKEN"],
  fal: ["FAL_KEY"],
};

describe("a smoke test", { timeout: 60_000 }, () => {
  for (const name of PROVIDERS) {
    it(`of ${name} makes one generation and shows each step, with the request's id, and no key`, async () => {
      const { settings, emulator } = await emulated(name);
      const { code, out, err } = await smoke([name], settings);
      assert.equal(code, 0, out + err);
      const [bill] = emulator.ledger;
      assert.equal(emulator.ledger.length, 1, "one generation is billed");
      for (const step of ["model", "submit", "check 1", "download 1", "done"]) {
        assert.match(out, new RegExp(`^${step} `, "m"));
      }
      assert.match(out, /\d\.\d\d s/);
      assert.ok(bill && out.includes(bill.id), "the request's id is shown");
      const [, path = ""] = /^download 1 .* at (\S+)$/m.exec(out) ?? [];
      assert.ok((await readFile(path)).length > 0, "the file is there");
      await rm(dirname(path), { recursive: true });
      for (const variable of KEYS[name]) assert.ok(!(out + err).includes(settings[variable] ?? ""), variable);
    });

    it(`of ${name} says which variable is missing, and asks nothing of anybody`, async () => {
      const { settings, emulator } = await emulated(name);
      const [first = "", ...others] = KEYS[name];
      const given = Object.fromEntries(Object.entries(settings).filter(([variable]) => variable !== first));
      const { code, err } = await smoke([name], given);
      assert.equal(code, 1);
      assert.match(err, new RegExp(`${first} must be set`));
      for (const other of others) assert.ok(!err.includes(other));
      assert.equal(emulator.ledger.length, 0);
    });
  }

  it("of the simulated provider needs nothing", async () => {
    const { code, out, err } = await smoke(["simulated"], { SIMULATED_LATENCY_MS: "50", SIMULATED_QUEUE_MS: "0" });
    assert.equal(code, 0, out + err);
    const [, path = ""] = /^download 1 .* at (\S+)$/m.exec(out) ?? [];
    await rm(dirname(path), { recursive: true });
  });

  it("fails when the generation does, when it is refused, and for a provider that there is not", async () => {
    const { settings } = await emulated("replicate");
    const failed = await smoke(["replicate", "--prompt", "a fox [fail]"], settings);
    assert.equal(failed.code, 1);
    assert.match(failed.err, /ended as failed/);
    const wrong = "r8_not-the-token";
    const refused = await smoke(["replicate"], { ...settings, REPLICATE_API_TOKEN: wrong });
    assert.equal(refused.code, 1);
    assert.match(refused.err, /submit rejected .*/);
    assert.ok(!(refused.out + refused.err).includes(wrong));
    assert.match((await smoke(["nobody"], settings)).err, /usage: /);
  });

  it("that is interrupted cancels what it has submitted", async () => {
    const { settings, emulator, endingOf } = await emulated("replicate");
    const { code, out } = await smoke(["replicate"], settings, /^check 1/m);
    assert.equal(code, 1);
    assert.match(out, /^cancel/m);
    assert.equal(endingOf(emulator.ledger[0]?.id ?? ""), "canceled");
  });
});
