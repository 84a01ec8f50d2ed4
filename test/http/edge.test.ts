import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Elysia } from "elysia";
import { createClient, problemOf, setup } from "./bundle.ts";

const start = (env: Record<string, string> = {}) => {
  const bundle = setup(env);
  let canceled = false;
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("data: x\n\n")),
      cancel: () => {
        canceled = true;
      },
    });
  const app = bundle.base
    .use(
      new Elysia()
        .get("/things/:id", ({ params }) => ({ id: params.id }))
        .post("/things", ({ body }) => body as object)
        .get("/page", () => new Response("<p>", { headers: { "content-type": "text/html" } }))
        .get("/sse", () => new Response(endless(), { headers: { "content-type": "text/event-stream" } }))
        .get("/elsewhere", () => Response.redirect("http://localhost/things/1"))
        .delete("/things/:id", ({ set }) => {
          set.status = 204;
        })
        .delete("/things", () => new Response(null, { status: 204 })),
    )
    .get("/health", () => ({ status: "ok" }));
  return { ...bundle, ...createClient(app), app, canceled: () => canceled };
};

describe("every answer", () => {
  it("carries the request id that came in, or a new UUIDv7 when that is not a plain word", async () => {
    const { send } = start();
    const given = await send("/things/1", { headers: { "x-request-id": "trace_1-A" } });
    assert.equal(given.headers.get("x-request-id"), "trace_1-A");
    for (const id of ["a b", "x".repeat(65), "", 'a"b']) {
      const made = (await send("/nothing", { headers: { "x-request-id": id } })).headers.get("x-request-id");
      assert.match(made ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    }
  });

  it("carries the security headers, an HTML page also against framing", async () => {
    const { send } = start();
    for (const path of ["/things/1", "/nothing", "/page", "/elsewhere"]) {
      const { headers } = await send(path);
      assert.equal(headers.get("x-content-type-options"), "nosniff", path);
      assert.equal(headers.get("referrer-policy"), "no-referrer", path);
      assert.equal(headers.get("cache-control"), "no-store", path);
    }
    assert.match((await send("/page")).headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/);
    assert.equal((await send("/things/1")).headers.get("content-security-policy"), null);
  });

  it("to HEAD is that to GET without a body, and an endless stream is let go", async () => {
    const { send, canceled } = start();
    const plain = await send("/things/1", { method: "HEAD" });
    assert.deepEqual([plain.status, await plain.text()], [200, ""]);
    const live = await send("/sse", { method: "HEAD" });
    assert.deepEqual([live.status, live.headers.get("content-type"), live.body], [200, "text/event-stream", null]);
    assert.ok(canceled());
    assert.equal((await send("/nothing", { method: "HEAD" })).status, 404);
  });

  it("may have no content", async () => {
    const { send } = start();
    for (const path of ["/things/1", "/things"]) {
      const response = await send(path, { method: "DELETE" });
      assert.deepEqual([response.status, response.body], [204, null], path);
      assert.ok(response.headers.get("x-request-id"));
    }
  });

  it("leaves one access line and one duration, by route, without query, headers or unknown paths", async () => {
    const { send, post, lines, metrics } = start();
    await send("/things/42?token=hush", { headers: { authorization: "Bearer hush" } });
    await send("/nothing/hush");
    await send("/things/42", { method: "PROPFIND" });
    await post("/things", "{");
    await send("/health");
    const access = lines.filter(({ event }) => event === "http_request");
    assert.deepEqual(
      access.map(({ level, method, route, status }) => [level, method, route, status]),
      [
        ["info", "GET", "/things/:id", 200],
        ["info", "GET", "unmatched", 404],
        ["info", "OTHER", "unmatched", 405],
        ["info", "POST", "/things", 400],
        ["debug", "GET", "/health", 200],
      ],
    );
    assert.equal(typeof access[0]?.ms, "number");
    assert.doesNotMatch(JSON.stringify(lines), /hush/);
    const text = await metrics.registry.metrics();
    assert.match(text, /http_request_duration_seconds_count\{method="GET",route="\/things\/:id",status="200"\} 1/);
    assert.match(text, /method="OTHER",route="unmatched"/);
  });
});

describe("a body", () => {
  const chunked = (bytes: number) => {
    let left = bytes;
    return new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (left <= 0) return controller.close();
        controller.enqueue(new Uint8Array(Math.min(left, 512)).fill(0x20));
        left -= 512;
      },
    });
  };

  it("over the limit is 413 by its declared length, before it is read, and a browser may see why", async () => {
    const { send } = start({ BODY_LIMIT_BYTES: "2048" });
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          pulled++;
          controller.enqueue(new Uint8Array(8));
        },
      },
      { highWaterMark: 0 },
    );
    const headers = { "content-length": "2049", "content-type": "application/json", origin: "http://localhost:3000" };
    const init = { method: "POST", headers, body, duplex: "half" } as RequestInit;
    const response = await send("/things", init);
    assert.deepEqual([response.status, (await problemOf(response)).code], [413, "too_large"]);
    assert.equal(response.headers.get("access-control-allow-origin"), "http://localhost:3000");
    assert.equal(pulled, 0);
  });

  it("over the limit is 413 when it comes in pieces of no declared length", async () => {
    const { send } = start({ BODY_LIMIT_BYTES: "2048" });
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: chunked(1 << 20), duplex: "half" } as RequestInit;
    assert.equal((await send("/things", init)).status, 413);
  });

  it("of exactly the limit passes; on a raw route its bytes are left as they come, for signatures", async () => {
    const { base, exchanges } = setup({ BODY_LIMIT_BYTES: "1024" });
    let raw: Uint8Array | undefined;
    const { post } = createClient(
      base
        .post("/hook", ({ body }) => body)
        .post("/raw", ({ request }) => {
          raw = exchanges.of(request).rawBody;
          return "taken";
        }),
    );
    const json = `{"a":1}${" ".repeat(1024 - 7)}`;
    assert.equal((await post("/hook", json)).status, 200);
    assert.equal((await post("/hook", `${json} `)).status, 413);
    const text = "x".repeat(1024);
    assert.equal((await post("/raw", text, { "content-type": "text/plain" })).status, 200);
    assert.equal(new TextDecoder().decode(raw), text);
    assert.equal((await post("/raw", `${text}x`)).status, 413);
  });
});

describe("the Host header", () => {
  const statusFor = async (host: string, env: Record<string, string> = {}, path = "/things/1") =>
    (await start(env).app.handle(new Request(`http://${host}${path}`))).status;

  it("may be loopback or the public URL's, with any port", async () => {
    for (const host of [
      "localhost",
      "localhost:1234",
      "127.0.0.1:8080",
      "127.1.2.3",
      "[::1]:80",
      "darkroom.example",
      "DARKROOM.example:444",
    ])
      assert.equal(await statusFor(host), 200, host);
  });

  it("of a stranger is 403, so that a rebound name reaches nothing", async () => {
    for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "xdarkroom.example"]) {
      const response = await start().app.handle(new Request(`http://${host}/things/1`));
      assert.deepEqual([response.status, (await problemOf(response)).code], [403, "host_not_allowed"], host);
    }
  });

  it("may be listed, with a port or without", async () => {
    const env = { ALLOWED_HOSTS: "node-1, node-2:9000" };
    assert.equal(await statusFor("node-1", env), 200);
    assert.equal(await statusFor("node-1:8080", env), 200);
    assert.equal(await statusFor("node-2:9000", env), 200);
    assert.equal(await statusFor("node-2:9001", env), 403);
  });

  it("does not matter to a health probe", async () => {
    assert.equal(await statusFor("10.1.2.3:8080", {}, "/health"), 200);
    assert.equal(await statusFor("10.1.2.3:8080", {}, "/health/../things/1"), 403);
  });

  it("that is malformed or tiny is refused like any other", async () => {
    const { app } = start();
    for (const url of ["http://a b/things/1", "http://a/things/1", "http://a/health?x=/things/1", "http:///things/1"]) {
      // As a runtime makes it from the request line; the constructor would refuse some of these.
      const request = Object.defineProperty(new Request("http://localhost/things/1"), "url", { value: url });
      Object.defineProperty(request, "headers", { value: new Headers({ host: "a b" }) });
      assert.equal((await app.handle(request)).status, 403, url);
    }
  });

  it("counts, not the URL, where the two differ", async () => {
    const request = new Request("http://localhost/things/1", { headers: { host: "evil.example" } });
    if (request.headers.get("host") !== "evil.example") return; // a runtime that forbids setting it
    assert.equal((await start().app.handle(request)).status, 403);
  });
});

describe("an Origin", () => {
  const preflight = { "access-control-request-method": "POST", "access-control-request-headers": "idempotency-key" };

  it("on loopback is allowed by default, and sees our headers", async () => {
    const { send } = start();
    const origin = "http://localhost:5173";
    const response = await send("/things/1", { headers: { origin } });
    assert.equal(response.headers.get("access-control-allow-origin"), origin);
    assert.equal(response.headers.get("access-control-allow-credentials"), null);
    assert.match(response.headers.get("vary") ?? "", /Origin/);
    const exposed = response.headers.get("access-control-expose-headers") ?? "";
    for (const name of ["ETag", "Location", "Retry-After", "Idempotency-Replayed", "X-Request-Id"])
      assert.ok(exposed.includes(name), name);
    const asked = await send("/things", { method: "OPTIONS", headers: { origin, ...preflight } });
    assert.equal(asked.status, 204);
    assert.equal(asked.headers.get("access-control-allow-origin"), origin);
    assert.match(asked.headers.get("access-control-allow-headers") ?? "", /Idempotency-Key/i);
    assert.match(asked.headers.get("access-control-allow-methods") ?? "", /PATCH/);
  });

  it("of a stranger gets no CORS headers, and its writes are refused outright", async () => {
    const { send, post } = start();
    for (const origin of ["https://evil.example", "http://localhost.evil.example", "null", "constructor"]) {
      const read = await send("/things/1", { headers: { origin } });
      assert.deepEqual([read.status, read.headers.get("access-control-allow-origin")], [200, null], origin);
      const asked = await send("/things", { method: "OPTIONS", headers: { origin, ...preflight } });
      assert.equal(asked.headers.get("access-control-allow-origin"), null, origin);
      const write = await post("/things", {}, { origin });
      assert.deepEqual([write.status, (await problemOf(write)).code], [403, "origin_not_allowed"], origin);
    }
  });

  it("of our own pages may write, behind a proxy too", async () => {
    const { post } = start();
    assert.equal((await post("/things", {}, { origin: "http://localhost" })).status, 200);
    assert.equal((await post("/things", {}, { origin: "https://darkroom.example" })).status, 200);
  });

  it("may be listed, and then loopback is a stranger", async () => {
    const { send } = start({ CORS_ORIGINS: "https://app.example, https://other.example/" });
    const allowed = async (origin: string) =>
      (await send("/things/1", { headers: { origin } })).headers.get("access-control-allow-origin");
    assert.equal(await allowed("https://app.example"), "https://app.example");
    assert.equal(await allowed("https://other.example"), "https://other.example");
    assert.equal(await allowed("http://localhost:3000"), null);
  });
});
