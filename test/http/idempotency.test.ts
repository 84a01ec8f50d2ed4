import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Problem } from "../../src/errors.ts";
import { canonical, idempotency } from "../../src/http/idempotency.ts";

const request = (key: string | undefined, path = "/options/1/generate") =>
  new Request(`http://localhost${path}`, {
    method: "POST",
    headers: key === undefined ? {} : { "idempotency-key": key },
  });
const hash = (body: unknown, path?: string) => idempotency(request("k", path), "u", "r", body).bodyHash;

describe("an idempotent request", () => {
  it("is known by user, route and key", () => {
    const known = idempotency(request("key-1"), "user", "POST /options/:id/generate", undefined);
    assert.deepEqual(
      { ...known, bodyHash: "" },
      { userId: "user", route: "POST /options/:id/generate", key: "key-1", bodyHash: "" },
    );
    assert.match(known.bodyHash, /^[0-9a-f]{64}$/);
  });

  it("without a key, or with one that is no visible ASCII, is 400", () => {
    for (const key of [undefined, "", "x".repeat(256), "two words", "naïve"])
      assert.throws(
        () => idempotency(request(key), "u", "r", null),
        (error) =>
          error instanceof Problem && error.code === "bad_request" && /Idempotency-Key/.test(error.detail ?? ""),
        key,
      );
    assert.equal(idempotency(request("~".repeat(255)), "u", "r", null).key.length, 255);
  });

  it("has the same hash for the same values in any order", () => {
    assert.equal(
      hash({ a: 1, b: { c: [1, "x"], d: null } }),
      hash({ b: { d: null, c: [1, "x"] }, a: 1, e: undefined }),
    );
    assert.equal(hash(undefined), hash(null));
    const bodies = [
      {},
      null,
      [],
      "",
      { a: 1 },
      { a: "1" },
      { a: [1] },
      { a: { 0: 1 } },
      { a: 1, b: 1 },
      "{}",
      [null],
      [[]],
    ];
    assert.equal(new Set(bodies.map((body) => hash(body))).size, bodies.length);
  });

  it("has another hash at another resource, so that a key never replays another's answer", () => {
    assert.notEqual(hash({}, "/options/1/generate"), hash({}, "/options/2/generate"));
    assert.equal(hash({}, "/options/1/generate"), hash({}, "/options/1/generate/?x=1"));
  });

  it("is hashed over plain JSON with sorted keys", () => {
    assert.equal(
      canonical({ b: [true, undefined, 1.5], a: { d: "é", c: null } }),
      '{"a":{"c":null,"d":"é"},"b":[true,null,1.5]}',
    );
  });
});
