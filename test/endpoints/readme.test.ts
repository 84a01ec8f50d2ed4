import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "../streams/until.ts";
import { startApp } from "../support/app.ts";
import { startChat } from "../support/flow.ts";
import { freePort } from "../support/port.ts";
import { deliveriesOf, type Made, SETTINGS } from "./bundle.ts";

/** Where it finds the packages. */
const CACHE = fileURLToPath(new URL("../../.cache/", import.meta.url));

describe("the README's receiver", () => {
  it("takes each event once, and nothing that is signed by another secret", async () => {
    await using opened = new AsyncDisposableStack();
    const app = opened.use(await startApp({ ...SETTINGS, WEBHOOK_RETRY_LIMIT: "30" }));
    const port = await freePort();
    const { body } = await app.client.post<Made>("/webhooks", { url: `http://127.0.0.1:${port}` });

    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
    const [, code = ""] = /```ts\n(import (?:(?!```)[\s\S])*?standardwebhooks[\s\S]*?)```/.exec(readme) ?? [];
    await mkdir(CACHE, { recursive: true });
    const file = `${CACHE}readme-receiver-${process.pid}.ts`;
    await writeFile(file, code);
    opened.defer(() => rm(file));
    let output = "";
    const env = { PATH: process.env.PATH, PORT: String(port), WEBHOOK_SECRET: body.secret };
    const child = spawn(process.execPath, [file], { env, stdio: ["ignore", "pipe", "inherit"] });
    opened.defer(() => void child.kill("SIGKILL"));
    child.stdout.on("data", (text) => {
      output += text;
    });

    await startChat(app.client);
    const [delivery] = await (async () => {
      await until(async () => (await deliveriesOf(app.client, body.id, "&status=SUCCEEDED")).length === 1, 20_000);
      return deliveriesOf(app.client, body.id);
    })();
    await app.client.post(`/webhooks/deliveries/${delivery?.id}/redeliver`);
    await until(async () => (await deliveriesOf(app.client, body.id, "&status=SUCCEEDED")).length === 2);
    assert.equal(output, `darkroom.chat.created ${delivery?.event.id}\n`);
    const forged = await fetch(`http://127.0.0.1:${port}`, { method: "POST", body: "{}" });
    assert.equal(forged.status, 401);
  });
});
