import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect } from "nats";
import { startNats, type TestNats } from "./nats.ts";

describe("the test's nats-server", () => {
  let nats: TestNats;
  before(async () => {
    nats = await startNats();
  });
  after(() => nats.stop());

  it("keeps what JetStream acknowledged over a kill and a restart", async () => {
    const first = await connect({ servers: nats.url });
    await (await first.jetstreamManager()).streams.add({ name: "KEPT", subjects: ["kept.>"] });
    await first.jetstream().publish("kept.one", "1");
    await first.close();
    await nats.kill();
    await assert.rejects(connect({ servers: nats.url, reconnect: false, timeout: 500 }));
    await nats.restart();
    const second = await connect({ servers: nats.url });
    const { state } = await (await second.jetstreamManager()).streams.info("KEPT");
    await second.close();
    assert.equal(state.messages, 1);
  });
});
