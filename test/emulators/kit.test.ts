import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { after, afterEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { fileTypeFromBuffer } from "file-type";
import { createLog } from "../../src/log.ts";
import { createCaller } from "../../src/providers/call.ts";
import { createEmulator, type EmulatorOptions } from "./kit.ts";
import type { How } from "./kit-faults.ts";
import { endingIn } from "./kit-prompt.ts";
import { createRuns, type Phase } from "./kit-runs.ts";

const never = new AbortController().signal;
const closers: (() => Promise<void>)[] = [];
const closeAll = async () => {
  for (const close of closers.splice(0)) await close();
};
afterEach(closeAll);
after(closeAll);

const setup = async (options: EmulatorOptions = {}) => {
  const emulator = await createEmulator(options);
  closers.push(emulator.close);
  emulator.route("submit", "POST", /^\/(\w+)$/, ({ captured: [model = ""], json, headers }) => {
    emulator.bill({ id: "1", key: headers.get("idempotency-key"), endpoint: model, body: json, webhook: null });
    return { json: { model } };
  });
  const call = createCaller({ baseUrl: emulator.url, headers: () => ({}), log: createLog("silent") });
  const post = (signal = never) => call({ method: "POST", path: "m", json: { a: 1 }, signal });
  return { emulator, call, post };
};

describe("an emulator", () => {
  it("answers by its routes, writes down what is billed, and keeps every request", async () => {
    const { emulator, call, post } = await setup({ now: () => 42 });
    const called = await post();
    assert.deepEqual(called.kind === "answer" && [called.status, called.body], [200, { model: "m" }]);
    const lost = await call({ method: "GET", path: "nowhere", signal: never });
    assert.deepEqual(lost.kind === "answer" && [lost.status, lost.body], [404, { detail: "Not found" }]);
    assert.deepEqual(emulator.ledger, [{ id: "1", key: null, endpoint: "m", body: { a: 1 }, webhook: null, at: 42 }]);
    assert.deepEqual(
      emulator.requests.map(({ on, path }) => [on, path]),
      [
        ["submit", "/m"],
        ["unknown", "/nowhere"],
      ],
    );
  });

  const faults: [How, string, number | undefined, number][] = [
    ["reset_before_read", "lost", undefined, 0],
    ["reset_after_accept", "lost", undefined, 1],
    ["hang", "lost", undefined, 0],
    ["hang_after_accept", "lost", undefined, 1],
    ["html", "answer", 502, 0],
    ["empty", "answer", 200, 0],
    [{ delayMs: 5 }, "answer", 200, 1],
    [{ status: 429, json: {} }, "answer", 429, 0],
    [{ status: 500, carriedOut: true }, "answer", 500, 1],
  ];
  for (const [how, kind, status, bills] of faults) {
    it(`has the fault ${JSON.stringify(how)}, once`, async () => {
      const { emulator, post } = await setup();
      emulator.faults.add({ on: "submit", how });
      const called = await post(AbortSignal.timeout(how === "hang" || how === "hang_after_accept" ? 50 : 5000));
      assert.deepEqual([called.kind, called.kind === "answer" ? called.status : undefined], [kind, status]);
      assert.deepEqual([emulator.ledger.length, emulator.requests.length], [bills, 1]);
      assert.equal((await post()).kind, "answer");
      assert.equal(emulator.ledger.length, bills + 1);
    });
  }

  it("keeps a standing fault until it is taken back, and strikes only what it is meant for", async () => {
    const { emulator, call, post } = await setup();
    const undo = emulator.faults.add({
      on: "submit",
      how: "html",
      times: Number.POSITIVE_INFINITY,
      when: ({ captured }) => captured[0] === "m",
    });
    const statusOf = async (path: string) => {
      const called = await call({ method: "POST", path, json: {}, signal: never });
      return called.kind === "answer" && called.status;
    };
    assert.deepEqual([await statusOf("m"), await statusOf("m"), await statusOf("other")], [502, 502, 200]);
    undo();
    const called = await post();
    assert.equal(called.kind === "answer" && called.status, 200);
  });

  it("calls back around a submit: before it is read, before it is answered, after", async () => {
    const { emulator, post } = await setup();
    const seen: unknown[] = [];
    for (const stage of ["before_read", "before_answer", "after_answer"] as const) {
      emulator.onSubmit(stage, ({ json }) => void seen.push([stage, json, emulator.ledger.length]));
    }
    await post();
    assert.deepEqual(seen.slice(0, 2), [
      ["before_read", undefined, 0],
      ["before_answer", { a: 1 }, 1],
    ]);
  });

  it("serves pictures and videos of any size, and expired and empty ones", async () => {
    const { emulator } = await setup();
    const { outputs } = emulator;
    const picture = outputs.add("a b.png");
    const movie = outputs.add("b.mp4", { mime: "video/mp4", size: 300_000 });
    const get = async (url: string) => {
      const response = await fetch(url);
      return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
    };
    assert.equal((await fileTypeFromBuffer((await get(picture)).bytes))?.mime, "image/png");
    const { bytes } = await get(movie);
    assert.deepEqual([(await fileTypeFromBuffer(bytes))?.mime, bytes.length], ["video/mp4", 300_000]);
    outputs.expire(picture, 403);
    outputs.empty(movie);
    assert.equal((await get(picture)).status, 403);
    assert.equal((await get(movie)).bytes.length, 0);
    assert.equal((await get(`${emulator.url}/outputs/none.png`)).status, 404);
  });
});

describe("a run", () => {
  const runsAt = (clock: { now: number }, changes: [string, Phase][] = []) =>
    createRuns<null>({
      now: () => clock.now,
      queueMs: 10,
      runMs: 20,
      onChange: (id, phase) => void changes.push([id, phase]),
    });

  it("moves by the clock", () => {
    const clock = { now: 100 };
    const runs = runsAt(clock);
    const run = runs.add("a", null);
    const phases = [100, 109, 110, 129, 130].map((at) => {
      clock.now = at;
      return runs.phaseOf(run);
    });
    assert.deepEqual(phases, ["queued", "queued", "running", "running", "ended"]);
  });

  it("moves by hand, and tells it", () => {
    const clock = { now: 100 };
    const changes: [string, Phase][] = [];
    const runs = runsAt(clock, changes);
    const run = runs.add("a", null, { kind: "completed" }, true);
    clock.now = 1000;
    assert.equal(runs.phaseOf(run), "queued");
    runs.start("a");
    runs.finish("a", { kind: "moderated" });
    runs.finish("a", { kind: "canceled" });
    assert.equal(run.ending.kind, "moderated");
    assert.deepEqual(changes, [
      ["a", "running"],
      ["a", "ended"],
    ]);
  });

  it("ends as the prompt asks", () => {
    assert.equal(endingIn("a cat").kind, "completed");
    assert.equal(endingIn("a cat [Fail]").kind, "failed");
    assert.equal(endingIn("a cat [moderate]").kind, "moderated");
    assert.equal(endingIn(undefined).kind, "completed");
  });
});

describe("npm run emulator", () => {
  const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
  const runtime = process.versions.bun ? [MAIN] : ["run", "-A", "--no-check", MAIN];

  for (const [provider, setting] of Object.entries({
    higgsfield: "HIGGSFIELD_BASE_URL",
    replicate: "REPLICATE_BASE_URL",
    fal: "FAL_BASE_URL",
  })) {
    it(`starts ${provider}, says how to use it, and stops when it is told to`, { timeout: 30_000 }, async () => {
      const child = spawn(process.execPath, [...runtime, provider], { stdio: ["ignore", "pipe", "inherit"] });
      closers.push(async () => void child.kill("SIGKILL"));
      let text = "";
      await new Promise<void>((resolve, reject) => {
        child.once("exit", () => reject(new Error(`it ended: ${text}`)));
        child.stdout.on("data", (chunk) => {
          text += chunk;
          if (text.includes(setting) && text.split("\n").length > 2) resolve();
        });
      });
      const url = new RegExp(`${setting}=(http://127\\.0\\.0\\.1:\\d+)`).exec(text)?.[1];
      assert.equal((await fetch(`${url}/outputs/none.png`)).status, 404);
      const gone = once(child, "exit");
      assert.ok(child.pid);
      // Not child.kill(): Deno then reports the signal, whatever the program made of it.
      process.kill(child.pid, "SIGTERM");
      assert.deepEqual(await gone, [0, null]);
    });
  }
});
