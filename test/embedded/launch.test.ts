import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { chooseIdentity, launch } from "../../src/embedded/postgres-process.ts";

describe("a server process", () => {
  it("gets every signal that it is sent, until it is gone", async () => {
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const stubborn = "trap '' INT; echo ready >&2; while :; do sleep 0.05; done";
    const server = launch(await chooseIdentity(), "/bin/sh", ["-c", stubborn], "/", () => resolve());
    await ready;
    server.signal("SIGINT");
    server.signal("SIGSTOP");
    server.signal("SIGCONT");
    server.signal("SIGKILL");
    await server.ended;
    assert.throws(() => process.kill(server.pid, 0), { code: "ESRCH" });
    server.signal("SIGKILL");
  });
});
