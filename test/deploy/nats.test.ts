import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Running } from "../../src/embedded/postgres-process.ts";
import { until } from "../streams/until.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { launchEngine } from "../support/engine.ts";
import { obtainNats } from "../support/nats-binary.ts";
import { freePort } from "../support/port.ts";
import { configOf, readCompose, serviceOf } from "./compose.ts";

const MONITOR = "127.0.0.1:8222";

describe("NATS, configured as in docker-compose.yml", () => {
  let directory: string;
  let monitor: string;
  let health: string;
  let server: Running | undefined;
  before(async () => {
    directory = await temporaryDirectory();
    monitor = `127.0.0.1:${await freePort()}`;
    const compose = await readCompose();
    health = (serviceOf(compose, "nats").healthcheck?.test?.at(-1) ?? "").replace(MONITOR, monitor);
    const config = configOf(compose, "nats")
      .replace("0.0.0.0:4222", `127.0.0.1:${await freePort()}`)
      .replace(MONITOR, monitor)
      .replace("/data", join(directory, "store"));
    const file = join(directory, "nats-server.conf");
    await writeFile(file, config);
    server = await launchEngine(await obtainNats(), ["--config", file]);
  });
  after(async () => {
    server?.signal("SIGTERM");
    await server?.ended;
    await rm(directory, { recursive: true, force: true });
  });

  it("is healthy by its own health check, and bounds what JetStream stores", async () => {
    await until(() =>
      fetch(health).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    const { config } = (await (await fetch(`http://${monitor}/jsz`)).json()) as { config: Record<string, unknown> };
    assert.deepEqual([config.max_memory, config.max_storage], [64 * 1024 ** 2, 10 * 1024 ** 3]);
    assert.ok(String(config.store_dir).startsWith(directory));
  });
});
