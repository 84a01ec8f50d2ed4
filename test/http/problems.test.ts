import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Type } from "@sinclair/typebox";
import { type AnyElysia, Elysia } from "elysia";
import { Problem } from "../../src/errors.ts";
import { Id } from "../../src/http/ids.ts";
import { createClient, problemOf, setup } from "./bundle.ts";

const thrower = (error: unknown) => () => {
  throw error;
};
const coded = (code: string, extra: object = {}) =>
  Object.assign(new Error("SELECT secret FROM vault"), { code, ...extra });

const start = (routes: AnyElysia = new Elysia()) => {
  const bundle = setup();
  return { ...bundle, ...createClient(bundle.base.use(routes)) };
};

describe("a problem document", () => {
  it("holds the members of RFC 9457 and the request id, and no-one stores it", async () => {
    const { send } = start(new Elysia().get("/x", thrower(new Problem("conflict", "It runs already"))));
    const response = await send("/x?token=hush");
    assert.equal(response.status, 409);
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.deepEqual(await problemOf(response), {
      type: "https://darkroom.example/docs/errors#conflict",
      title: "The resource is not in a state that allows this",
      status: 409,
      detail: "It runs already",
      code: "conflict",
      retryable: false,
      instance: "/x",
      request_id: response.headers.get("x-request-id"),
    });
  });

  it("tells when to come back with 503 and 429, in whole seconds", async () => {
    const routes = new Elysia()
      .get("/a", thrower(new Problem("unavailable")))
      .get("/b", thrower(new Problem("too_many_connections", undefined, { retryAfter: 2.2 })))
      .get("/c", thrower(new Problem("internal")));
    const { send } = start(routes);
    assert.equal((await send("/a")).headers.get("retry-after"), "1");
    assert.equal((await send("/b")).headers.get("retry-after"), "3");
    assert.equal((await send("/c")).headers.get("retry-after"), null);
  });

  it("takes the place of whatever else is thrown, and shows none of its text", async () => {
    const { send, lines } = start(
      new Elysia().get("/x", thrower(coded("23505", { detail: "Key (email)=(a@b) exists" }))),
    );
    const response = await send("/x");
    const text = await response.text();
    assert.equal(response.status, 500);
    assert.equal(JSON.parse(text).code, "internal");
    assert.doesNotMatch(text, /secret|email|SELECT|23505/);
    const line = lines.find(({ level }) => level === "error");
    assert.equal(line?.request_id, response.headers.get("x-request-id"));
    assert.match(JSON.stringify(line?.err), /"message":"SELECT secret FROM vault"/);
    assert.doesNotMatch(JSON.stringify(line), /a@b/);
  });

  it("comes from async handlers and from things that are no errors too", async () => {
    const routes = new Elysia()
      .get("/a", async () => Promise.reject(new Problem("forbidden")))
      .get("/b", thrower("a string"))
      .get("/c", thrower(null))
      .get("/d", ({ status }) => {
        throw status(409);
      });
    const { send } = start(routes);
    assert.equal((await problemOf(await send("/a"))).code, "forbidden");
    assert.equal((await problemOf(await send("/b"))).code, "internal");
    assert.equal((await problemOf(await send("/c"))).code, "internal");
    assert.equal((await problemOf(await send("/d"))).code, "conflict");
  });

  it("says 503 while a dependency is away", async () => {
    const away = [
      coded("CONNECTION_CLOSED"),
      coded("CONNECT_TIMEOUT"),
      coded("ECONNREFUSED"),
      coded("57P01"),
      coded("57014"),
      coded("55P03"),
      coded("08006"),
      coded("53300"),
      coded("ENOENT", { syscall: "connect" }),
      new DOMException("too late", "TimeoutError"),
      new Error("wrapped", { cause: coded("ECONNRESET") }),
    ];
    for (const error of away) {
      const { send } = start(new Elysia().get("/x", thrower(error)));
      const response = await send("/x");
      const problem = await problemOf(response);
      assert.deepEqual([response.status, problem.code, problem.retryable], [503, "unavailable", true], String(error));
      assert.equal(response.headers.get("retry-after"), "1");
    }
    const { send } = start(new Elysia().get("/x", thrower(coded("ENOENT", { syscall: "open" }))));
    assert.equal((await send("/x")).status, 500);
  });
});

describe("bad input", () => {
  const Body = Type.Object({ title: Type.String({ minLength: 1 }), tags: Type.Optional(Type.Array(Type.String())) });
  const routes = () =>
    new Elysia()
      .post("/things", ({ body }) => body, { body: Body })
      .get("/things", ({ query }) => query, { query: Type.Object({ n: Type.Optional(Type.Integer({ minimum: 1 })) }) })
      .get("/things/:id", ({ params }) => params, { params: Type.Object({ id: Id }) })
      .post("/things/:id/cancel", () => "canceled")
      .get("/broken", () => ({ title: 1 }) as unknown as { title: string }, {
        response: { 200: Type.Object({ title: Type.String() }) },
      });

  it("of a wrong shape is 422 with a JSON pointer for each field", async () => {
    const { post } = start(routes());
    const response = await post("/things", { title: 7, tags: ["a", null] });
    assert.equal(response.status, 422);
    const problem = await problemOf(response);
    assert.equal(problem.code, "validation_failed");
    assert.deepEqual(problem.errors?.map(({ path }) => path).sort(), ["/tags/1", "/title"]);
  });

  it("that is no JSON is 400", async () => {
    const { post } = start(routes());
    for (const body of ["{", "nope", '{"title":"a"} x', "\u0000", "[".repeat(100_000)]) {
      const response = await post("/things", body);
      assert.deepEqual([response.status, (await problemOf(response)).code], [400, "malformed_json"], body.slice(0, 20));
    }
    const { send } = start(routes());
    const bytes = new Uint8Array([0x22, 0xff, 0xfe, 0x22]);
    const headers = { "content-type": "application/json" };
    assert.equal((await send("/things", { method: "POST", headers, body: bytes })).status, 400);
  });

  it("in another content type is 415, but JSON under its other names is taken", async () => {
    const { post, send } = start(routes());
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
      assert.equal((await post("/things", { title: "a" }, { "content-type": type })).status, 415, type);
    for (const type of ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json"])
      assert.equal((await post("/things", { title: "a" }, { "content-type": type })).status, 200, type);
    const bytes = new TextEncoder().encode('{"title":"a"}');
    assert.equal((await send("/things", { method: "POST", body: bytes })).status, 200);
  });

  it("holding what PostgreSQL cannot store is 422, wherever it hides", async () => {
    const { post } = start(routes());
    const cases: [string, string][] = [
      ['{"title":"a\\u0000b"}', "/title"],
      ['{"title":"a","extra":{"deep":["\\u0000"]}}', "/extra/deep/0"],
      ['{"title":"a","tags":["\\ud800"]}', "/tags/0"],
      ['{"title":"a","a~b/c":"\\u0000"}', "/a~0b~1c"],
      ['{"title":"a","\\u0000":1}', "/"],
    ];
    for (const [body, path] of cases) {
      const response = await post("/things", body);
      assert.equal(response.status, 422, body);
      assert.deepEqual(
        (await problemOf(response)).errors?.map((error) => error.path),
        [path],
      );
    }
    const nested = `{"title":"a","tags":${"[".repeat(200)}${"]".repeat(200)}}`;
    assert.equal((await post("/things", nested)).status, 422);
    assert.equal((await post("/things", '{"title":"\\\\u0000 is only text, 🎞️ and ‏RTL too"}')).status, 200);
  });

  it("loses unknown properties without a word", async () => {
    const { post } = start(routes());
    assert.deepEqual(await (await post("/things", { title: "a", admin: true })).json(), { title: "a" });
  });

  it("missing altogether is 422, and an empty body where none is needed is fine", async () => {
    const { send, post } = start(routes());
    for (const response of [await send("/things", { method: "POST" }), await post("/things", "")]) {
      assert.equal(response.status, 422);
      assert.deepEqual(
        (await problemOf(response)).errors?.map(({ path }) => path),
        ["/title"],
      );
    }
    assert.equal((await send("/things/1/cancel", { method: "POST" })).status, 200);
    assert.equal((await post("/things/1/cancel", "")).status, 200);
  });

  it("in the query is 422, in a path id 404", async () => {
    const { send } = start(routes());
    for (const query of ["n=0", "n=x", "n=1.5", "n=", "n=1&n=2", "n=1&x=%00"])
      assert.equal((await send(`/things?${query}`)).status, 422, query);
    const id = "019a5b0e-0000-7000-8000-00000000000a";
    assert.equal((await send(`/things/${id}`)).status, 200);
    for (const other of ["1", id.toUpperCase(), `urn:uuid:${id}`, `${id}%00`, "%E0%A4%A", `${id}x`, "null", "..%2f"])
      assert.equal((await send(`/things/${other}`)).status, 404, other);
  });

  it("is told from our own mistakes: an answer of a wrong shape is 500", async () => {
    const { send, lines } = start(routes());
    const response = await send("/broken");
    assert.deepEqual([response.status, (await problemOf(response)).code], [500, "internal"]);
    assert.ok(lines.some(({ level }) => level === "error"));
  });
});

describe("an unknown place", () => {
  const routes = () =>
    new Elysia({ prefix: "/things" })
      .get("/", () => "list")
      .post("/", () => "made")
      .get("/:id", () => "one")
      .delete("/:id", () => "gone");

  it("is 404, and a known one under another method 405 with Allow", async () => {
    const { send } = start(routes());
    for (const path of ["/nothing", "/things/1/2", "/things//", "//things", "/"]) {
      const response = await send(path, { method: "PUT" });
      assert.deepEqual([response.status, (await problemOf(response)).code], [404, "not_found"], path);
    }
    const cases: [string, string, string][] = [
      ["PUT", "/things", "GET, HEAD, POST"],
      ["PATCH", "/things/1", "DELETE, GET, HEAD"],
      ["POST", "/things/1/", "DELETE, GET, HEAD"],
    ];
    for (const [method, path, allow] of cases) {
      const response = await send(path, { method });
      assert.deepEqual([response.status, response.headers.get("allow")], [405, allow]);
      assert.equal((await problemOf(response)).code, "method_not_allowed");
    }
  });

  it("that a handler does not find stays 404", async () => {
    const { send } = start(new Elysia().get("/things/:id", thrower(new Problem("not_found"))));
    const response = await send("/things/1");
    assert.deepEqual([response.status, response.headers.get("allow")], [404, null]);
  });
});
