import assert from "node:assert/strict";
import { it, describe as suite } from "node:test";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { errorCatalog } from "../../src/errors.ts";
import { describe, describeStream } from "../../src/http/describe.ts";
import { createDocs } from "../../src/http/docs.ts";
import { createGuard } from "../../src/http/guard.ts";
import { createHealth } from "../../src/http/health.ts";
import { Id } from "../../src/http/ids.ts";
import { createMetricsRoute } from "../../src/http/metrics.ts";
import { Page, PageQuery } from "../../src/http/pagination.ts";
import { createClient, setup } from "./bundle.ts";

type Media = { schema?: object; example?: unknown; examples?: Record<string, { value: unknown }> };
type Operation = {
  summary: string;
  description?: string;
  operationId: string;
  security: object[];
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { description: string; headers?: object; content?: Record<string, Media> }>;
};
type Document = {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> };
};

const Thing = Type.Object({ id: Id, title: Type.String() }, { description: "A thing" });

const start = () => {
  const { base, exchanges, log, metrics } = setup();
  const guard = createGuard({ verify: async () => null, provision: async () => {}, demo: null, exchanges });
  const slice = new Elysia({ prefix: "/things" })
    .use(guard.plugin)
    .get("/", () => ({ items: [], next_cursor: null }), {
      auth: "user",
      query: PageQuery,
      response: { 200: Page(Thing) },
      detail: describe({ tag: "things", summary: "List things" }),
    })
    .post("/:id/make", ({ body }) => ({ id: "x", title: body.title }), {
      auth: "bearer",
      params: Type.Object({ id: Id }),
      body: Type.Object({ title: Type.String() }),
      response: { 202: Thing, 200: Type.Union([Thing, Type.Null()]) },
      detail: describe({
        tag: "things",
        summary: "Make a thing",
        idempotent: true,
        problems: ["conflict"],
        example: { title: "sunset" },
        answers: { 202: { description: "Under way", example: { id: "1" }, headers: { Location: "Where to look" } } },
      }),
    })
    .get("/:id/stream", () => new Response("x"), {
      auth: "bearer",
      params: Type.Object({ id: Id }),
      detail: describeStream({ tag: "things", summary: "Watch", events: ["id: 1\nevent: job.updated\ndata: {}"] }),
    })
    .get("/:id", () => new Response("x"), {
      params: Type.Object({ id: Id }),
      detail: describe({ tag: "things", summary: "Get" }),
    });
  const sockets = [
    { path: "/things/{id}", tag: "things", summary: "Live", description: "The same events." },
    { path: "/socket", tag: "things", summary: "Live", description: "All events." },
  ];
  const app = base
    .use(createHealth({ checks: {}, log }))
    .use(createMetricsRoute(metrics))
    .use(
      createDocs({ publicUrl: "https://darkroom.example", version: "1.2.3", sockets, asyncapi: { asyncapi: "3.0.0" } }),
    )
    .use(slice);
  return createClient(app);
};

suite("the docs page", () => {
  it("loads nothing from anywhere else", async () => {
    const { send } = start();
    const response = await send("/docs");
    const html = await response.text();
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
    assert.doesNotMatch(html, /https?:|\/\/[a-z]/i);
    const policy = response.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /https?:|script-src[^;]*unsafe/);
    const linked = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? "");
    assert.equal(linked.length, 4);
    for (const path of linked) {
      const asset = await send(path);
      assert.equal(asset.status, 200, path);
      assert.ok((await asset.arrayBuffer()).byteLength > 0, path);
    }
  });

  it("has assets with a type and an ETag, and no other files", async () => {
    const { send } = start();
    const script = await send("/docs/assets/swagger-ui-bundle.js");
    assert.match(script.headers.get("content-type") ?? "", /^text\/javascript/);
    const etag = script.headers.get("etag") ?? "";
    const again = await send("/docs/assets/swagger-ui-bundle.js", { headers: { "if-none-match": etag } });
    assert.deepEqual([again.status, await again.text()], [304, ""]);
    for (const name of ["package.json", "..%2fpackage.json", "constructor", "swagger-ui.js.map"])
      assert.equal((await send(`/docs/assets/${name}`)).status, 404, name);
  });

  it("explains every error code where the problem's type points", async () => {
    const { send } = start();
    const html = await (await send("/docs/errors")).text();
    for (const { code } of errorCatalog) assert.ok(html.includes(`id="${code}"`), code);
  });
});

suite("the OpenAPI document", () => {
  const load = async () => (await start().json("/openapi.json")) as Document;

  it("is the same under both names", async () => {
    const { json } = start();
    assert.deepEqual(await json("/docs/json"), await json("/openapi.json"));
  });

  it("is whole: ids are unique, references lead somewhere, every answer has a description", async () => {
    const document = await load();
    assert.equal(document.openapi, "3.1.0");
    assert.deepEqual([document.info.title, document.info.version], ["Darkroom", "1.2.3"]);
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
    );
    const ids = operations.map(({ operation }) => operation.operationId).filter(Boolean);
    assert.equal(new Set(ids).size, ids.length);
    for (const { path, operation } of operations) {
      assert.ok(operation.summary, path);
      for (const [, name] of path.matchAll(/\{(\w+)\}/g))
        assert.ok(
          operation.parameters?.some((parameter) => parameter.name === name && parameter.in === "path"),
          path,
        );
      const keys = operation.parameters?.map((parameter) => `${parameter.in} ${parameter.name}`) ?? [];
      assert.equal(new Set(keys).size, keys.length, path);
      for (const [status, response] of Object.entries(operation.responses)) {
        assert.match(status, /^[1-5]\d\d$/);
        assert.equal(typeof response.description, "string", `${path} ${status}`);
        for (const key of Object.keys(response)) assert.ok(["description", "headers", "content"].includes(key), key);
      }
    }
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      assert.ok(document.components.schemas[name ?? ""], name);
    assert.doesNotMatch(text, /x-darkroom|multipart/);
  });

  it("leaves the docs themselves out and holds the operator's routes", async () => {
    const paths = Object.keys((await load()).paths);
    assert.deepEqual(
      paths.filter((path) => path.startsWith("/docs") || path.includes("openapi")),
      [],
    );
    for (const path of ["/health", "/healthz", "/livez", "/metrics"]) assert.ok(paths.includes(path), path);
  });

  it("shows bodies, examples, headers and the errors that a route can end with", async () => {
    const make = (await load()).paths["/things/{id}/make"]?.post;
    assert.deepEqual(make?.security, [{ bearer: [] }]);
    assert.deepEqual(Object.keys(make?.requestBody?.content ?? {}), ["application/json"]);
    assert.deepEqual(make?.requestBody?.content["application/json"]?.example, { title: "sunset" });
    assert.ok(make?.parameters?.some(({ name, required }) => name === "Idempotency-Key" && required));
    const accepted = make?.responses[202];
    assert.equal(accepted?.description, "Under way");
    assert.ok(accepted?.headers && "Location" in accepted.headers);
    assert.deepEqual(accepted?.content?.["application/json"]?.example, { id: "1" });
    assert.ok(accepted?.content?.["application/json"]?.schema);
    for (const status of [400, 401, 404, 409, 413, 415, 422, 500, 503]) {
      const media: Media | undefined = make?.responses[status]?.content?.["application/problem+json"];
      assert.deepEqual(media?.schema, { $ref: "#/components/schemas/Problem" }, String(status));
    }
    const invalid = make?.responses[422]?.content?.["application/problem+json"];
    assert.deepEqual(Object.keys(invalid?.examples ?? {}), ["validation_failed", "idempotency_key_reused"]);
  });

  it("shows a page's limit as the integer that it is", async () => {
    const limit = (await load()).paths["/things"]?.get?.parameters?.find(({ name }) => name === "limit");
    assert.deepEqual(limit && "schema" in limit && limit.schema, {
      type: "integer",
      minimum: 1,
      maximum: 100,
      default: 20,
    });
  });

  it("says where a token may be left out", async () => {
    const { paths } = await load();
    assert.deepEqual(paths["/things"]?.get?.security, [{ bearer: [] }, {}]);
    assert.deepEqual(paths["/health"]?.get?.security, []);
    assert.equal(paths["/health"]?.get?.responses[503]?.description, "Something does not");
  });

  it("describes streams and sockets, which schemas cannot", async () => {
    const { paths } = await load();
    const stream = paths["/things/{id}/stream"]?.get;
    assert.match(String(stream?.responses[200]?.content?.["text/event-stream"]?.example), /event: job\.updated/);
    assert.ok(stream?.parameters?.some(({ name }) => name === "Last-Event-ID"));
    const both = paths["/things/{id}"]?.get;
    assert.ok(both?.responses[101] && both.responses[200]);
    assert.match(both?.description ?? "", /WebSocket/);
    assert.ok(both?.parameters?.some(({ name }) => name === "token"));
    assert.ok(paths["/socket"]?.get?.responses[101]);
  });
});
