import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { excerptOf } from "../../src/endpoints/excerpt.ts";
import { createFilterCheck, wants } from "../../src/endpoints/filter.ts";

describe("what is kept of a receiver's answer", () => {
  it("is its beginning", () => {
    assert.equal(excerptOf("taken"), "taken");
    assert.equal(excerptOf("y".repeat(5000)).length, 1000);
  });

  it("has no secrets", () => {
    for (const secret of [
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
      "Bearer abc.def-ghi",
      '{"token":"abc","password": "def"}',
      "https://s3.example/a?X-Amz-Credential=abc&X-Amz-Signature=def&x=1",
      "api_key=abc",
    ])
      assert.doesNotMatch(excerptOf(`before ${secret} after`), /MfKQ|g0hM|abc|def/, secret);
  });

  it("can be stored", () => {
    assert.equal(excerptOf("a\0b"), "ab");
    assert.ok(excerptOf(`${"z".repeat(999)}💡`).isWellFormed());
  });
});

describe("what an endpoint asks for", () => {
  it("is all, a kind or a type, and never what webhooks tell of themselves", () => {
    assert.ok(wants(["*"], "job.succeeded"));
    assert.ok(wants(["job.*"], "job.succeeded"));
    assert.ok(wants(["chat.created", "job.succeeded"], "job.succeeded"));
    for (const events of [["job.failed"], ["chat.*"], ["jo.*"], []]) assert.ok(!wants(events, "job.succeeded"));
    for (const type of ["webhook.disabled", "delivery.failed"]) {
      assert.ok(!wants(["*", type], type));
      assert.equal(createFilterCheck(["job.succeeded", type])([type]).length, 1);
    }
  });
});
