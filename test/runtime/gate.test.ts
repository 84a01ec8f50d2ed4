import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createGate } from "../../src/runtime/gate.ts";
import type { Served } from "../../src/streams/session.ts";

const app: Served = {
  fetch: async () => new Response("served"),
  socket: async () => new Response("refused", { status: 401 }),
};

describe("the gate in front of the app", () => {
  const setup = () => {
    const gate = createGate();
    const ask = (path: string) => gate.fetch(new Request(`http://localhost${path}`), { address: "127.0.0.1" });
    return { gate, ask };
  };

  it("tells callers to come back in a second while the app starts", async () => {
    const { gate, ask } = setup();
    const response = await ask("/chats");
    assert.equal(response.status, 503);
    assert.equal(response.headers.get("retry-after"), "1");
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    const { code, retryable } = (await response.json()) as { code: string; retryable: boolean };
    assert.deepEqual({ code, retryable }, { code: "unavailable", retryable: true });
    const upgrade = await gate.socket(new Request("http://localhost/ws"));
    assert.equal((upgrade as Response).status, 503);
  });

  it("is alive, but not ready, before the app is", async () => {
    const { ask } = setup();
    assert.equal((await ask("/livez")).status, 200);
    assert.equal((await ask("/healthz")).status, 503);
  });

  it("fails readiness while it drains, and serves on, each answer the last of its connection", async () => {
    const { gate, ask } = setup();
    gate.open(app);
    const before = await ask("/healthz");
    assert.equal(await before.text(), "served");
    assert.equal(before.headers.get("connection"), null);
    gate.drain();
    const readiness = await ask("/healthz");
    assert.deepEqual(
      [readiness.status, ((await readiness.json()) as { code: string }).code, readiness.headers.get("connection")],
      [503, "draining", "close"],
    );
    const served = await ask("/chats");
    assert.deepEqual([await served.text(), served.headers.get("connection")], ["served", "close"]);
  });
});
