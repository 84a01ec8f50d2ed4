import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { describe, it } from "node:test";
import { v7 } from "uuid";
import { createNatsBus } from "../../src/bus/nats.ts";
import { createLog } from "../../src/log.ts";
import { until } from "../streams/until.ts";
import { startNats } from "../support/nats.ts";
import { factsOf } from "./facts.ts";

/** Where it finds the packages. */
const CACHE = fileURLToPath(new URL("../../.cache/", import.meta.url));

describe("the README's consumer", () => {
  it("hears every finished job once, also those of before, and goes on where it stopped", async () => {
    await using opened = new AsyncDisposableStack();
    const nats = await startNats();
    opened.defer(() => nats.stop());
    const config = { NATS_URL: nats.url, NATS_DEDUPE_WINDOW_S: 10 };
    const bus = await createNatsBus({ config, source: "https://darkroom.example", log: createLog("silent") });
    opened.defer(() => bus.close());

    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
    const [, code = ""] = /```ts\n(import [\s\S]*?)```/.exec(readme) ?? [];
    await mkdir(CACHE, { recursive: true });
    const file = `${CACHE}readme-consumer-${process.pid}.ts`;
    await writeFile(file, code.replace("nats://localhost:4222", nats.url));
    opened.defer(() => rm(file));
    let output = "";
    const start = () => {
      const child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
      child.stdout.on("data", (text) => {
        output += text;
      });
      opened.defer(() => void child.kill("SIGKILL"));
      return child;
    };
    const heard = () => output.match(/^darkroom\.job\.succeeded/gm)?.length ?? 0;

    const job = { type: "job.succeeded", actorKind: "job" };
    const facts = factsOf(v7(), 1, 6).map((fact, n) => (n % 2 === 0 ? { ...fact, ...job } : fact));
    await bus.publish(facts.slice(0, 4));
    const first = start();
    await until(() => heard() === 2);
    first.kill("SIGKILL");
    await once(first, "exit");
    await bus.publish(facts);
    start();
    await until(() => heard() === 3, 40_000);
    assert.match(output, /number 5/);
  });
});
