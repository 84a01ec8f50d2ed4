import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { rm } from "node:fs/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { until } from "../streams/until.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { openWay, type Way } from "./proxy.ts";

/** A server that says its name, then whatever it hears in capitals. */
const startEcho = async (name: string, at: string | 0 = 0) => {
  const sockets = new Set<Socket>();
  const heard: string[] = [];
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    socket.write(`${name}:`);
    socket.on("data", (chunk) => {
      heard.push(String(chunk));
      socket.write(String(chunk).toUpperCase());
    });
  });
  await new Promise<void>((resolve) =>
    typeof at === "string" ? server.listen(at, resolve) : server.listen(at, "127.0.0.1", resolve),
  );
  return {
    port: () => (server.address() as AddressInfo).port,
    heard: () => heard.join(""),
    open: () => sockets.size,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};

const dial = (port: number) => {
  let said = "";
  let over = false;
  const socket = connect(port, "127.0.0.1");
  socket.on("data", (chunk) => {
    said += String(chunk);
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    over = true;
  });
  return {
    say: (text: string) => void socket.write(text),
    heard: (text: string) => until(() => said === text),
    said: () => said,
    isOver: () => over,
    over: () => until(() => over),
    hangUp: () => void socket.destroy(),
  };
};

describe("a way to a service", () => {
  let opened: AsyncDisposableStack;
  let echo: Awaited<ReturnType<typeof startEcho>>;
  let proxy: Way;
  const call = () => {
    const client = dial(proxy.port);
    opened.defer(() => client.hangUp());
    return client;
  };
  beforeEach(async () => {
    opened = new AsyncDisposableStack();
    echo = await startEcho("a");
    opened.defer(() => echo.stop());
    proxy = await openWay({ port: echo.port() });
    opened.defer(() => proxy.close());
  });
  afterEach(() => opened.disposeAsync());

  it("carries both directions, and the end of a connection", async () => {
    const client = call();
    client.say("hello");
    await client.heard("a:HELLO");
    client.hangUp();
    await until(() => echo.open() === 0);
    assert.equal(proxy.connections(), 1);
  });

  it("ends at a unix socket as well", async () => {
    const directory = await temporaryDirectory();
    opened.defer(() => rm(directory, { recursive: true, force: true }));
    const path = join(directory, "echo.sock");
    const other = await startEcho("u", path);
    opened.defer(() => other.stop());
    const way = await openWay({ path });
    opened.defer(() => way.close());
    const client = dial(way.port);
    opened.defer(() => client.hangUp());
    await client.heard("u:");
  });

  it("can be slow", async () => {
    const client = call();
    await client.heard("a:");
    proxy.slow(100);
    const before = performance.now();
    client.say("hello");
    await client.heard("a:HELLO");
    assert.ok(performance.now() - before >= 190, "there and back");
  });

  it("breaks what is open, and lets in who comes again", async () => {
    const client = call();
    await client.heard("a:");
    proxy.reset();
    await client.over();
    await until(() => echo.open() === 0);
    await call().heard("a:");
  });

  it("lets nobody in while it is shut", async () => {
    const client = call();
    await client.heard("a:");
    proxy.shut();
    await client.over();
    const refused = call();
    await refused.over();
    assert.equal(refused.said(), "");
    proxy.heal();
    await call().heard("a:");
  });

  it("passes nothing on to the service while that is swallowed, nor that a client has gone; then all of it", async () => {
    const [stays, goes] = [call(), call()];
    await stays.heard("a:");
    await goes.heard("a:");
    proxy.swallow("up");
    stays.say("one");
    goes.hangUp();
    const newcomer = call();
    await until(() => proxy.connections() === 3);
    assert.equal(echo.heard(), "");
    assert.equal(echo.open(), 2);
    stays.say("two");
    proxy.heal();
    await stays.heard("a:ONETWO");
    await newcomer.heard("a:");
    await until(() => echo.open() === 2);
  });

  it("can swallow only what comes back", async () => {
    const client = call();
    await client.heard("a:");
    proxy.swallow("down");
    client.say("hello");
    await until(() => echo.heard() === "hello");
    assert.equal(client.said(), "a:");
    assert.ok(!client.isOver());
    proxy.heal();
    await client.heard("a:HELLO");
  });

  it("can forget what is open, which then hangs for good, and lets in who comes again", async () => {
    const [client, leaver] = [call(), call()];
    await client.heard("a:");
    await leaver.heard("a:");
    proxy.forget();
    client.say("lost");
    leaver.hangUp();
    await call().heard("a:");
    proxy.heal();
    await call().heard("a:");
    assert.equal(echo.heard(), "");
    assert.equal(echo.open(), 4);
    assert.ok(!client.isOver());
  });

  it("breaks what it has swallowed when it is told to", async () => {
    const client = call();
    await client.heard("a:");
    proxy.swallow();
    client.say("lost");
    proxy.reset();
    await client.over();
    proxy.heal();
    await call().heard("a:");
    assert.equal(echo.heard(), "");
  });

  it("takes several services in turn, and passes over those that are away", async () => {
    const other = await startEcho("b");
    const both = await openWay({ port: echo.port() }, { port: other.port() });
    opened.defer(() => both.close());
    const greetings = async () => {
      const clients = Array.from({ length: 4 }, () => dial(both.port));
      await until(() => clients.every((client) => client.said() !== ""));
      for (const client of clients) client.hangUp();
      return clients.map((client) => client.said()).sort();
    };
    assert.deepEqual(await greetings(), ["a:", "a:", "b:", "b:"]);
    await other.stop();
    assert.deepEqual(await greetings(), ["a:", "a:", "a:", "a:"]);
  });
});
