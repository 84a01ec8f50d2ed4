import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Type } from "@sinclair/typebox";
import { conditional, respond } from "../../src/http/etag.ts";
import { createClient, setup } from "./bundle.ts";

const start = () => {
  const { base } = setup();
  let version = 1;
  let rendered = 0;
  const app = base.get(
    "/job",
    ({ request, set }) =>
      respond({ request, set }, version, () => {
        rendered++;
        return { version };
      }),
    { response: { 200: Type.Object({ version: Type.Integer() }) } },
  );
  return { ...createClient(app), move: () => version++, rendered: () => rendered };
};

describe("a polled resource", () => {
  it("has an ETag that changes with its version, and answers 304 while it does not", async () => {
    const { send, move, rendered } = start();
    const first = await send("/job");
    const etag = first.headers.get("etag") ?? "";
    assert.equal(etag, 'W/"1"');
    assert.equal(first.headers.get("cache-control"), "private, no-cache");
    assert.deepEqual(await first.json(), { version: 1 });
    const again = await send("/job", { headers: { "if-none-match": etag } });
    assert.deepEqual([again.status, await again.text(), again.headers.get("etag")], [304, "", etag]);
    assert.equal(rendered(), 1);
    move();
    const moved = await send("/job", { headers: { "if-none-match": etag } });
    assert.deepEqual([moved.status, moved.headers.get("etag")], [200, 'W/"2"']);
  });

  it("understands lists, strong spellings and the star", () => {
    const fresh = (header: string) =>
      conditional(new Request("http://localhost/", { headers: { "if-none-match": header } }), "7:3").fresh;
    for (const header of ['"a", W/"7:3"', '"7:3"', 'W/"7:3"', "*", ' "x" ,*']) assert.ok(fresh(header), header);
    for (const header of ["", '"7"', "7:3", '"7:30"', "garbage"]) assert.ok(!fresh(header), header);
  });

  it("cannot be made to break out of the header", () => {
    const { etag } = conditional(new Request("http://localhost/"), 'a"b\r\nx: 1');
    assert.equal(etag, 'W/"a_b__x:_1"');
  });
});
