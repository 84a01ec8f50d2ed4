import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { type ConfigError, readConfig } from "../../src/config.ts";
import { flawOf } from "../../src/endpoints/target.ts";
import { SELF_SIGNED } from "../providers/self-signed.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { startApp } from "../support/app.ts";
import { deliveryWhen, sendTest, SETTINGS, subscribe } from "./bundle.ts";
import { openReceiver } from "./receiver.ts";

const PRIVATE = [
  "127.0.0.1",
  "2130706433",
  "0x7f.1",
  "10.1.2.3",
  "169.254.169.254",
  "100.64.0.1",
  "0.0.0.0",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "[fd00::1]",
  "[64:ff9b::7f00:1]",
];

describe("what webhooks are sent to", () => {
  it("is public and has TLS, by its URL", () => {
    const strict = { plain: false, anywhere: false };
    for (const host of PRIVATE) {
      assert.equal(flawOf(`https://${host}/`, strict), "Must be at a public address", host);
      assert.equal(flawOf(`http://${host}/`, { plain: true, anywhere: true }), null, host);
    }
    assert.equal(flawOf("http://app.example", strict), "Must be an https URL");
    for (const good of ["https://app.example/a?b=c", "https://8.8.8.8:8443", "https://[2606:4700::1]"])
      assert.equal(flawOf(good, strict), null, good);
  });

  it("has a certificate that somebody vouches for", async () => {
    const server = createServer(SELF_SIGNED, (_, response) => void response.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await using app = await startApp({ ...SETTINGS, WEBHOOK_RETRY_LIMIT: "0" });
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { body } = await app.client.post<{ id: string }>("/webhooks", { url });
    const { log } = await deliveryWhen(app.client, await sendTest(app.client, body.id), "FAILED");
    assert.equal(log[0]?.error, "tls");
    server.close();
  });

  it("may only outside of production be anything else", () => {
    const production = { NODE_ENV: "production", JWT_SECRET: "0123456789abcdef0123456789abcdef" };
    assert.throws(
      () => readConfig({ ...production, WEBHOOKS_ALLOW_PRIVATE: "1" }),
      (error: ConfigError) => error.problems.some((line) => /WEBHOOKS_ALLOW_PRIVATE/.test(line)),
    );
  });

  it("is looked up and checked with each connection, whatever its name says, and whatever was allowed before", async () => {
    const database = await cloneDatabase();
    await using receiver = await openReceiver();
    const user = randomUUID();
    const webhooks: string[] = [];
    {
      await using loose = await startApp(SETTINGS, { database: database.url });
      const client = await loose.as(user);
      webhooks.push((await subscribe(client, receiver)).id);
      await deliveryWhen(client, await sendTest(client, webhooks[0] ?? ""), "SUCCEEDED");
    }
    {
      await using strict = await startApp(
        { ...SETTINGS, WEBHOOKS_ALLOW_PRIVATE: "0", WEBHOOK_RETRY_LIMIT: "1" },
        { database: database.url },
      );
      const client = await strict.as(user);
      const { body } = await client.post<{ id: string }>("/webhooks", {
        url: receiver.url.replace("127.0.0.1", "localhost"),
      });
      webhooks.push(body.id);
      for (const webhook of webhooks) {
        const { log } = await deliveryWhen(client, await sendTest(client, webhook), "FAILED");
        assert.deepEqual(
          log.map(({ error }) => error),
          ["refused_address", "refused_address"],
        );
      }
      assert.equal((await client.post("/webhooks", { url: receiver.url })).status, 422);
    }
    assert.equal(receiver.all.length, 1);
    await database.drop();
  });
});
