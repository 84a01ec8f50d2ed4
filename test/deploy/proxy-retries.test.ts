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
    await bothUsed();
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await Promise.all(nodes.map((node) => node.close()));
  });

  const ask = (method = "GET", init: RequestInit = {}) => fetch(`${proxy.url}/`, { method, ...init });
  const body = () => ask().then((response) => response.text());
  const times = (who: string) => asked.filter(({ name }) => name === who).length;
  /** Asks until each node was asked: which one comes first is the proxy's choice. Resolves to the statuses. */
  const askBoth = async (method: string): Promise<number[]> => {
    asked.length = 0;
    const statuses: number[] = [];
    await until(async () => statuses.push((await ask(method)).status) > 0 && times("one") > 0 && times("two") > 0);
    return statuses;
  };
  const bothUsed = () => until(async () => new Set([await body(), await body()]).size === 2);
  /** Follows the proxy's log from now on, until a line fits. */
  const heard = (line: RegExp) => {
    const seen = proxy.log.length;
    return () => until(() => proxy.log.slice(seen).some((said) => line.test(said)));
  };

  for (const [what, broken, refusal] of [
    ["says 503", unavailable, 503],
    ["cuts the connection", cut, 502],
  ] as const) {
    it(`asks the other node when one ${what}, but never repeats a POST or PATCH that was sent`, async () => {
      nodes[0].answer = broken;
      for (const method of METHODS) {
        const statuses = await askBoth(method);
        const count = (wanted: number) => statuses.filter((status) => status === wanted).length;
        if (REPEATABLE.includes(method)) assert.equal(count(200), statuses.length, method);
        else assert.deepEqual([count(refusal), count(200)], [times("one"), times("two")], method);
      }
    });
  }

  it("asks the other node for everything when one refuses connections, and both when it is back", async () => {
    await nodes[0].close();
    for (const method of METHODS) for (let n = 0; n < 4; n++) assert.equal((await ask(method)).status, 200, method);
    await nodes[0].listen(ports[0]);
    await bothUsed();
  });

  it("does not ask a node that is not ready, but for what it has begun", async () => {
    const begun = Promise.withResolvers<ServerResponse>();
    nodes[0].answer = (_, response) => {
      response.write("begun, ");
      begun.resolve(response);
    };
    const asking: Promise<string>[] = [];
    let first: ServerResponse | undefined;
    void begun.promise.then((response) => {
      first = response;
    });
    await until(async () => {
      asking.push(body());
      await Promise.race([begun.promise, asking.at(-1)]);
      return first !== undefined;
    });
    const down = heard(/darkroom\/darkroom-1 is DOWN/);
    nodes[0].health = unavailable;
    await down();
    first?.end("ended");
    assert.ok((await Promise.all(asking)).includes("begun, ended"));
    for (let n = 0; n < 4; n++) assert.equal(await body(), "two");
  });

  it("finds a container that was made anew at its new address, once it is ready", async () => {
    const down = heard(/darkroom\/darkroom-1 is DOWN/);
    await nodes[0].close();
    proxy.addresses.delete("darkroom-1");
    await down();
    nodes[0].health = unavailable;
    await nodes[0].listen(ports[0], "127.0.0.2");
    try {
      const moved = heard(/darkroom-1.* from '?127\.0\.0\.1'? to '?127\.0\.0\.2/);
      proxy.addresses.set("darkroom-1", "127.0.0.2");
      await moved();
      for (let n = 0; n < 4; n++) assert.equal(await body(), "two");
      nodes[0].fine();
      await bothUsed();
    } finally {
      await nodes[0].close();
      await nodes[0].listen(ports[0]);
      proxy.addresses.set("darkroom-1", "127.0.0.1");
    }
  });

  it("lets them say so themselves when neither is ready", async () => {
    const none = heard(/backend '?darkroom'? has no server available/);
    for (const node of nodes) Object.assign(node, { health: unavailable, answer: unavailable });
    await none();
    for (const response of [await ask("GET"), await ask("POST"), await ask("GET"), await ask("POST")]) {
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
    asked.length = 0;
    await ask("GET", { headers: { host: "darkroom.example.com", "x-forwarded-for": "10.9.8.7" } });
    assert.equal(asked.length, 1);
    for (const { headers } of asked) {
      assert.equal(headers.host, "darkroom.example.com");
      assert.equal(headers["x-forwarded-for"], "127.0.0.1");
      assert.equal(headers["x-forwarded-host"], "darkroom.example.com");
      assert.equal(headers["x-forwarded-proto"], "http");
      assert.equal(headers.connection, "close");
    }
  });

  it("logs what became of a request, but not its URL, which may hold a token", async () => {
    const logged = heard(/ GET 200 .*\/darkroom-\d /);
    await fetch(`${proxy.url}/api/generate/x?token=very-secret`);
    await logged();
    assert.doesNotMatch(proxy.log.join("\n"), /generate|very-secret/);
  });
});
