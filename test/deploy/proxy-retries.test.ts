import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import { until } from "../streams/until.ts";
import type { ProblemBody } from "../support/client.ts";
import { freePort } from "../support/port.ts";
import { type TestProxy, startProxy } from "./proxy.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
type Asked = { name: string; method?: string; headers: IncomingMessage["headers"] };

/** Says who it is. */
const fineOf =
  (name: string): Answer =>
  (_, response) =>
    void response.end(name);
const unavailable: Answer = (_, response) => void response.writeHead(503, { "retry-after": "7" }).end("busy");
const cut: Answer = (request) => void request.socket.destroy();

const METHODS = ["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH"];
const REPEATABLE = METHODS.slice(0, 4);

/** A node that answers as it is told; health checks are answered apart, and not counted. */
const createNode = (name: string, asked: Asked[]) => {
  const fine = fineOf(name);
  const node = { answer: fine, health: fine };
  const server: Server = createServer(async (request, response) => {
    if (request.url === "/healthz") return node.health(request, response);
    for await (const _ of request);
    asked.push({ name, method: request.method, headers: request.headers });
    node.answer(request, response);
  });
  return Object.assign(node, {
    fine: () => Object.assign(node, { answer: fine, health: fine }),
    listen: (port = 0, host = "127.0.0.1") =>
      new Promise<number>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
      }),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
};
type Node = ReturnType<typeof createNode>;

describe("the proxy of docker-compose.yml", () => {
  let proxy: TestProxy;
  let asked: Asked[];
  let nodes: [Node, Node];
  let ports: [number, number];
  before(async () => {
    asked = [];
    nodes = [createNode("one", asked), createNode("two", asked)];
    ports = [await nodes[0].listen(), await nodes[1].listen()];
    proxy = await startProxy(ports, await freePort());
  });
  beforeEach(async () => {
    for (const node of nodes) node.fine();
    await used("one", "two");
    asked.length = 0;
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await Promise.all(nodes.map((node) => node.close()));
  });

  /** Twice, so that each of two nodes is the first that is asked. */
  const twice = async (method: string, init: RequestInit = {}) => [
    await fetch(`${proxy.url}/`, { method, ...init }),
    await fetch(`${proxy.url}/`, { method, ...init }),
  ];
  const statuses = async (method: string) => (await twice(method)).map(({ status }) => status).sort();
  const bodies = async () => Promise.all((await twice("GET")).map((response) => response.text()));
  /** Resolves when exactly these are asked for what comes. */
  const used = (...names: string[]) => until(async () => [...new Set(await bodies())].sort().join() === names.join());

  for (const [what, broken, refusal] of [
    ["says 503", unavailable, 503],
    ["cuts the connection", cut, 502],
  ] as const) {
    it(`asks the other node when one ${what}, but never repeats a POST or PATCH that was sent`, async () => {
      nodes[0].answer = broken;
      for (const method of METHODS) {
        asked.length = 0;
        const repeatable = REPEATABLE.includes(method);
        assert.deepEqual(await statuses(method), [200, repeatable ? 200 : refusal], method);
        const times = (who: string) => asked.filter(({ name }) => name === who).length;
        assert.equal(times("two"), repeatable ? 2 : 1, method);
        assert.ok(times("one") >= 1 && (repeatable || times("one") === 1), method);
      }
    });
  }

  it("asks the other node for everything when one refuses connections, and both when it is back", async () => {
    await nodes[0].close();
    for (const method of METHODS) assert.deepEqual(await statuses(method), [200, 200], method);
    await used("two");
    await nodes[0].listen(ports[0]);
  });

  it("does not ask a node that is not ready, but for what it has begun", async () => {
    const begun = Promise.withResolvers<ServerResponse>();
    nodes[0].answer = (_, response) => {
      response.write("begun, ");
      begun.resolve(response);
    };
    const both = bodies();
    const response = await begun.promise;
    const seen = proxy.log.length;
    nodes[0].health = unavailable;
    await until(() => proxy.log.slice(seen).some((line) => line.includes("darkroom/darkroom-1 is DOWN")));
    response.end("ended");
    assert.ok((await both).includes("begun, ended"));
    assert.deepEqual([...(await bodies()), ...(await bodies())], ["two", "two", "two", "two"]);
  });

  it("finds a container that was made anew at its new address, once it is ready", async () => {
    await nodes[0].close();
    proxy.addresses.delete("darkroom-1");
    await used("two");
    nodes[0].health = unavailable;
    await nodes[0].listen(ports[0], "127.0.0.2");
    proxy.addresses.set("darkroom-1", "127.0.0.2");
    await until(() =>
      proxy.log.some((line) => /darkroom-1 changed its IP from 127\.0\.0\.1 to 127\.0\.0\.2/.test(line)),
    );
    asked.length = 0;
    for (const method of METHODS) assert.deepEqual(await statuses(method), [200, 200], method);
    assert.ok(asked.every(({ name }) => name === "two"));
    nodes[0].fine();
    await used("one", "two");
    await nodes[0].close();
    await nodes[0].listen(ports[0]);
    proxy.addresses.set("darkroom-1", "127.0.0.1");
  });

  it("lets them say so themselves when neither is ready", async () => {
    for (const node of nodes) Object.assign(node, { health: unavailable, answer: unavailable });
    await until(() => proxy.log.some((line) => line.includes("backend 'darkroom' has no server available")));
    for (const response of [...(await twice("GET")), ...(await twice("POST"))]) {
      assert.deepEqual([response.status, response.headers.get("retry-after")], [503, "7"]);
      assert.equal(await response.text(), "busy");
    }
  });

  it("answers with a problem of our kind when there is no node", async () => {
    await Promise.all(nodes.map((node) => node.close()));
    try {
      const response = await fetch(proxy.url);
      assert.deepEqual([response.status, response.headers.get("retry-after")], [503, "1"]);
      assert.equal(response.headers.get("content-type"), "application/problem+json");
      const { status, code, retryable } = (await response.json()) as ProblemBody;
      assert.deepEqual([status, code, retryable], [503, "unavailable", true]);
    } finally {
      await Promise.all(nodes.map((node, index) => node.listen(ports[index])));
    }
  });

  it("tells the nodes who asked, and whom; what the client claims about that is dropped", async () => {
    await twice("GET", { headers: { host: "darkroom.example.com", "x-forwarded-for": "10.9.8.7" } });
    for (const { headers } of asked) {
      assert.equal(headers.host, "darkroom.example.com");
      assert.equal(headers["x-forwarded-for"], "127.0.0.1");
      assert.equal(headers["x-forwarded-host"], "darkroom.example.com");
      assert.equal(headers["x-forwarded-proto"], "http");
      assert.equal(headers.connection, "close");
    }
  });

  it("logs what became of a request, but not its URL, which may hold a token", async () => {
    const seen = proxy.log.length;
    await fetch(`${proxy.url}/api/generate/x?token=very-secret`);
    await until(() => proxy.log.slice(seen).some((line) => / GET 200 .*\/darkroom-\d /.test(line)));
    assert.doesNotMatch(proxy.log.join("\n"), /generate|very-secret/);
  });
});
