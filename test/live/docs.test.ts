import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startApp, type TestApp } from "../support/app.ts";

type Operation = {
  security: Record<string, unknown>[];
  parameters?: { name: string; in: string }[];
  responses: Record<string, { headers?: Record<string, unknown> }>;
  description?: string;
};
type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { securitySchemes: Record<string, { in?: string; name?: string }> };
};

describe("the docs of what is live", () => {
  let app: TestApp;
  let document: Document;
  before(async () => {
    app = await startApp();
    document = (await app.client.get<Document>("/openapi.json")).body;
  });
  after(() => app[Symbol.asyncDispose]());

  const operation = (method: string, path: string): Operation => {
    const found = document.paths[path]?.[method];
    assert.ok(found, `${method} ${path}`);
    return found;
  };

  it("say that every stream takes a ticket", () => {
    const { ticket } = document.components.securitySchemes;
    assert.deepEqual([ticket?.in, ticket?.name], ["query", "ticket"]);
    for (const path of ["/streams/me", "/sse/{id}", "/jobs/{id}/stream", "/api/generate/{job_id}/stream"])
      assert.ok(
        operation("get", path).security.some((one) => "ticket" in one),
        path,
      );
    const names = operation("get", "/ws").parameters?.map(({ name }) => name);
    assert.deepEqual(names, ["token", "ticket"]);
    assert.ok(operation("get", "/ws").responses[101]);
    assert.ok(operation("post", "/streams/tickets").responses[404]);
  });

  it("say where one may wait for the end, and what is answered then", () => {
    for (const path of ["/options/{id}/generate", "/api/generate", "/jobs/{id}/retry"]) {
      const { parameters, responses } = operation("post", path);
      assert.ok(parameters?.some(({ name }) => name === "Prefer"));
      assert.ok(responses[202] && "Preference-Applied" in (responses[200]?.headers ?? {}), path);
    }
  });
});
