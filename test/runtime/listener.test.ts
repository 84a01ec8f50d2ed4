import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const bin = (name: string) => fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));
const ECHO = fileURLToPath(new URL("./echo.ts", import.meta.url));
const RUNTIMES = { bun: [bin("bun")], deno: [bin("deno"), "run", "-A", "--no-check"] };

const spawnEcho = (runtime: string[], port: number) => {
  const [command = "", ...args] = runtime;
  const child = spawn(command, [...args, ECHO, String(port)], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => String((await lines.next()).value);
  return { child, line };
};

for (const [name, runtime] of Object.entries(RUNTIMES))
  describe(`the listener on ${name}`, () => {
    let child: ChildProcess;
    let line: () => Promise<string>;
    let port: number;
    let base: string;
    before(async () => {
      ({ child, line } = spawnEcho(runtime, 0));
      port = Number(await line());
      base = `127.0.0.1:${port}`;
    });
    after(() => child.kill("SIGKILL"));

    const post = (body: BodyInit) =>
      fetch(`http://${base}/`, { method: "POST", body, duplex: "half" } as RequestInit & { duplex: "half" });

    it("tells the app who is calling", async () => {
      assert.equal(await (await fetch(`http://${base}/peer`)).text(), "127.0.0.1");
    });

    it("passes bodies up to the limit and answers longer ones with a problem", async () => {
      assert.equal(await (await post("x".repeat(1000))).text(), "1000");
      const refused = await post("x".repeat(1001));
      assert.equal(refused.status, 413);
      assert.equal(refused.headers.get("content-type"), "application/problem+json");
      assert.equal((await refused.json()).code, "too_large");
    });

    it("counts a body that declares no length", async () => {
      const stream = (chunks: number) =>
        new ReadableStream<Uint8Array>({
          start: (controller) => {
            for (let n = 0; n < chunks; n++) controller.enqueue(new TextEncoder().encode("x".repeat(100)));
            controller.close();
          },
        });
      assert.equal(await (await post(stream(10))).text(), "1000");
      const refused = await post(stream(11));
      assert.equal(refused.status, 413);
    });

    it("reads away what the app did not read, and hears the next request", async () => {
      for (const size of [900, 900, 600_000, 600_000, 600_000]) {
        const init = { method: "PUT", body: new Uint8Array(size), signal: AbortSignal.timeout(5000) };
        const { status, body } = await fetch(`http://${base}/unread`, init);
        assert.equal(status, size > 1000 ? 413 : 403);
        await body?.cancel();
      }
    });

    it("streams server-sent events as they happen and notices when the client leaves", async () => {
      const leave = new AbortController();
      const response = await fetch(`http://${base}/ticks`, { signal: leave.signal });
      const reader = (response.body as ReadableStream<Uint8Array>).getReader();
      let text = "";
      while (!text.includes("tick")) text += new TextDecoder().decode((await reader.read()).value);
      assert.match(text, /^: open\n\n/);
      leave.abort();
      assert.equal(await line(), "left");
    });

    it("refuses an upgrade with the app's own answer", async () => {
      const headers = {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
      };
      const { get } = await import("node:http");
      const status = await new Promise((resolve, reject) => {
        const request = get(`http://${base}/`, { headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        request.on("upgrade", () => reject(new Error("upgraded"))).on("error", reject);
      });
      assert.equal(status, 401);
    });

    it("carries text both ways over a WebSocket and closes it as the session says", async () => {
      const socket = new WebSocket(`ws://${base}/?token=1`);
      const got: string[] = [];
      const closed = new Promise<CloseEvent>((resolve) => {
        socket.onclose = resolve;
      });
      socket.onmessage = ({ data }) => {
        got.push(data);
        socket.send(got.length === 1 ? "ping" : "bye");
      };
      const { code, reason } = await closed;
      assert.deepEqual(got, ["hello 0", "ping!"]);
      assert.deepEqual([code, reason], [4000, "as you wish"]);
      assert.equal(await line(), "closed");
    });

    it("closes a socket whose client sends a message that is too long", async () => {
      const socket = new WebSocket(`ws://${base}/?token=1`);
      const closed = new Promise<CloseEvent>((resolve) => {
        socket.onclose = resolve;
      });
      socket.onopen = () => socket.send("x".repeat(65 * 1024));
      assert.ok([1006, 1009].includes((await closed).code));
      assert.equal(await line(), "closed");
    });

    it("says which port is busy and how to choose another", async () => {
      const second = spawnEcho(runtime, port);
      const said = await second.line();
      second.child.kill("SIGKILL");
      assert.match(said, new RegExp(`port ${port} is busy.*PORT=`));
    });

    it("stops although clients hold connections open", async () => {
      const socket = new WebSocket(`ws://${base}/?token=1`);
      await new Promise((resolve) => {
        socket.onmessage = resolve;
      });
      await fetch(`http://${base}/ticks`);
      child.kill("SIGTERM");
      assert.deepEqual([await line(), await line(), await line()].sort(), ["closed", "left", "stopped"]);
    });
  });
