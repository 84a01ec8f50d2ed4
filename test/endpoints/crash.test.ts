import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createRandom } from "../../src/embedded/simulated/drawing/random.ts";
import { until } from "../streams/until.ts";
import { createClient } from "../support/client.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { deliveriesOf, SETTINGS, subscribe } from "./bundle.ts";
import { openReceiver } from "./receiver.ts";

const KILLS = 4;
const CHATS = 15;
const SECONDS = 1000;

describe("kill -9 of a node that sends webhooks", () => {
  it("loses none, between its commit and sending as between sending and its answer, and tells no secret", async () => {
    const random = createRandom(20_261_125);
    const dataDir = await temporaryDirectory();
    await using receiver = await openReceiver();
    const settings = { ...SETTINGS, LOG_LEVEL: "trace", DATA_DIR: dataDir };
    let server: TestServer = await startServer(settings);
    let logs = "";
    const port = new URL(server.url).port;
    const again = async () => {
      await server.kill9();
      logs += server.logs();
      server = await startServer({ ...settings, PORT: port });
    };
    try {
      const client = createClient(() => server.url);
      const webhook = await subscribe(client, receiver, { events: ["chat.created"] });
      const created: string[] = [];
      const create = async () => {
        const { body } = await client.post<{ id: string }>("/chats", { title: "Foxes" });
        created.push(body.id);
      };

      // Somewhere between the commit of the fact and the receiver's answer.
      for (let kill = 0; kill < KILLS; kill++) {
        await Promise.all(Array.from({ length: CHATS }, create));
        await wait(random.between(0, 60));
        await again();
      }
      const hasAll = () => {
        const chats = new Set(receiver.all.map(({ event }) => event?.subject));
        return created.every((id) => chats.has(id));
      };
      await until(hasAll, 60 * SECONDS);

      // With certainty after it was sent, and before it is answered.
      let killed: Promise<void> | null = null;
      const before = receiver.all.length;
      receiver.answer((response) => {
        if (killed) return void response.writeHead(204).end();
        killed = again();
      });
      await create();
      await until(() => receiver.all.length >= before + 2, 60 * SECONDS);
      await killed;
      const [first, second] = receiver.all.slice(before);
      assert.deepEqual(
        [first?.id, first?.event?.data.id],
        [second?.id, created.at(-1)],
        "it came again by the same name",
      );

      const done = async () => {
        const deliveries = await deliveriesOf(client, webhook.id);
        return deliveries.length === created.length && deliveries.every(({ status }) => status === "SUCCEEDED");
      };
      await until(done, 60 * SECONDS);
      const ids = new Set(receiver.all.map(({ id }) => id));
      assert.equal(ids.size, created.length, "each event has one name");
      assert.ok(receiver.all.every(({ event }) => event !== null));
      console.log(`webhooks: ${created.length} events, ${KILLS + 1} kills, ${receiver.all.length} sent`);

      await client.post(`/webhooks/${webhook.id}/rotate`);
      await server.stop();
      logs += server.logs();
      assert.match(logs, /POST.*\/webhooks/);
      assert.doesNotMatch(logs, /whsec_|v1,[A-Za-z0-9+/]{43}=/);
    } finally {
      await server[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    }
  });
});
