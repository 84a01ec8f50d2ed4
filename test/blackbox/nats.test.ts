import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AckPolicy, connect } from "nats";
import { generate, jobWhen } from "../support/flow.ts";
import { startNats } from "../support/nats.ts";
import { startRemote } from "../support/remote.ts";
import { RUNTIMES } from "../support/server.ts";
import { until } from "../streams/until.ts";

type Health = { status: string; checks: Record<string, { status: string }> };

for (const runtime of RUNTIMES)
  describe(`Darkroom on ${runtime} with NATS`, () => {
    it("publishes every fact once and in order, also those from the time when NATS was away", async () => {
      await using opened = new AsyncDisposableStack();
      const nats = await startNats();
      opened.defer(() => nats.stop());
      const app = opened.use(await startRemote(runtime, { NATS_URL: nats.url, S3_EMBEDDED_SHARED: "1" }));
      const first = await generate(app.client, "a fox");
      await jobWhen(app.client, first.job);
      await nats.kill();
      const second = await generate(app.client, "another fox");
      const { cursor, status } = await jobWhen(app.client, second.job);
      assert.equal(status, "SUCCEEDED", "nothing that is answered needs it");
      await nats.restart();

      const connection = await connect({ servers: nats.url });
      opened.defer(() => connection.close());
      const manager = await connection.jetstreamManager();
      await manager.consumers.add("DARKROOM", { durable_name: "all", ack_policy: AckPolicy.None });
      const consumer = await connection.jetstream().consumers.get("DARKROOM", "all");
      const seen: string[] = [];
      for await (const message of await consumer.consume()) {
        if (message.headers?.get("ce-stream") === second.chat) seen.push(message.headers.get("ce-sequence"));
        if (seen.length === cursor) break;
      }
      assert.deepEqual(
        seen,
        Array.from({ length: cursor }, (_, index) => String(index + 1)),
      );
      await until(async () => (await app.client.get<Health>("/healthz")).body.checks.bus?.status === "ok");
    });
  });
