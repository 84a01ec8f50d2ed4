import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Value } from "@sinclair/typebox/value";
import { findModel, MODELS } from "../../src/models/catalog.ts";
import { validateParams } from "../../src/models/validate.ts";

const model = (key: string) => {
  const found = findModel(key);
  assert.ok(found);
  return found;
};
const errors = (key: string, params: unknown) => {
  const result = validateParams(model(key), params);
  return result.ok ? [] : result.errors;
};

describe("the parameters of every model", () => {
  for (const entry of MODELS) {
    it(`accept their own defaults: ${entry.key}`, () => {
      const result = validateParams(entry, {});
      assert.ok(result.ok);
      assert.ok(Value.Check(entry.parameters, result.value));
      assert.deepEqual(validateParams(entry, result.value), result);
      for (const [name, schema] of Object.entries(entry.parameters.properties)) {
        assert.match(name, /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
        assert.equal(result.value[name], schema.default);
        assert.ok(schema.description, name);
      }
    });

    it(`refuse what they do not name: ${entry.key}`, () => {
      for (const name of ["unknown", "prompt", "webhook", "constructor", "__proto__"]) {
        const params = JSON.parse(`{"${name}": {"a": 1}}`);
        assert.deepEqual(validateParams(entry, params), {
          ok: false,
          errors: [{ path: `/${name}`, message: "is not a parameter of this model" }],
        });
      }
    });

    it(`are a JSON Schema that refuses unknown fields: ${entry.key}`, () => {
      const schema = JSON.parse(JSON.stringify(entry.parameters));
      assert.equal(schema.type, "object");
      assert.equal(schema.additionalProperties, false);
      assert.equal(schema.required, undefined);
    });
  }
});

describe("validating parameters", () => {
  it("fills in defaults and leaves what was given as it was", () => {
    const given = { aspect_ratio: "9:16" };
    assert.deepEqual(validateParams(model("nano_banana"), given), {
      ok: true,
      value: { aspect_ratio: "9:16", num_images: 1, output_format: "jpeg" },
    });
    assert.deepEqual(given, { aspect_ratio: "9:16" });
    assert.deepEqual(validateParams(model("dop"), undefined), { ok: true, value: { enhance_prompt: false } });
  });

  it("names every wrong field by a JSON pointer and says what is allowed", () => {
    assert.deepEqual(errors("nano_banana", { aspect_ratio: "7:5", num_images: 9, "a/b~c": 1 }), [
      { path: "/a~1b~0c", message: "is not a parameter of this model" },
      {
        path: "/aspect_ratio",
        message: `must be one of ${["auto", "1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "21:9", "5:4", "4:5"].map((ratio) => `"${ratio}"`).join(", ")}`,
      },
      { path: "/num_images", message: "expected integer to be less or equal to 4" },
    ]);
    assert.deepEqual(errors("kling", { duration: "5" }), [{ path: "/duration", message: "must be one of 5, 10" }]);
  });

  it("takes no number for text, no fraction for a whole number, no text for a flag", () => {
    assert.equal(errors("nano_banana", { num_images: "2" }).length, 1);
    assert.equal(errors("nano_banana", { num_images: 1.5 }).length, 1);
    assert.equal(errors("seedance", { camera_fixed: "true" }).length, 1);
    assert.equal(errors("kling", { cfg_scale: Number.NaN }).length, 1);
  });

  it("takes nothing but an object", () => {
    for (const params of [null, [], "x", 1, true]) {
      const [first] = errors("nano_banana", params);
      assert.equal(first?.path, "");
    }
  });

  it("answers a flood of unknown fields with a bounded list", () => {
    const flood = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`x${index}`, 1]));
    assert.equal(errors("nano_banana", flood).length, 20);
  });
});
