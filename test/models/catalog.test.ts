import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Value } from "@sinclair/typebox/value";
import { findModel, MODELS, offered } from "../../src/models/catalog.ts";
import { imagesFor, Model, OfferedModel, pathOf } from "../../src/models/model.ts";
import { TOOLS, Tool, takesImages, toolTitle } from "../../src/models/tool.ts";

const through = (...providers: string[]) =>
  Object.fromEntries(offered({ providers: new Set(providers) }).map((model) => [model.key, model.through]));

describe("the model catalog", () => {
  it("has unique snake_case keys, the contract's nano_banana first", () => {
    const keys = MODELS.map(({ key }) => key);
    assert.equal(new Set(keys).size, keys.length);
    for (const key of keys) assert.match(key, /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
    assert.equal(keys[0], "nano_banana");
  });

  it("keeps to its own schema, which survives JSON", () => {
    for (const model of MODELS) {
      assert.deepEqual([...Value.Errors(Model, model)], [], model.key);
      assert.ok(Value.Check(Model, JSON.parse(JSON.stringify(model))));
    }
    for (const model of offered({ providers: new Set(["simulated"]) })) assert.ok(Value.Check(OfferedModel, model));
  });

  it("says for each tool its path, its one-line description and how many images it takes", () => {
    for (const model of MODELS) {
      assert.equal(new Set(model.tools).size, model.tools.length);
      assert.deepEqual(new Set(Object.keys(model.descriptions)), new Set(model.tools), model.key);
      for (const tool of Object.keys(model.paths ?? {})) assert.ok(model.tools.includes(tool as Tool));
      for (const tool of model.tools) {
        assert.match(pathOf(model, tool), /^[a-z0-9]+([-./][a-z0-9]+)*$/);
        const { min, max } = imagesFor(model, tool);
        assert.ok(takesImages(tool) ? min >= 1 && max >= min : max === 0, `${model.key} ${tool}`);
      }
      assert.equal(model.accepts.mimes.length > 0, model.accepts.images.max > 0, model.key);
      assert.ok(model.max_prompt >= 1000);
    }
  });

  it("gives every video model its own limit, well above its usual time", () => {
    for (const model of MODELS) {
      if (model.tools.some((tool) => tool.endsWith("video"))) assert.ok(model.timeout_ms, model.key);
      if (model.timeout_ms) assert.ok(model.timeout_ms >= 5 * 1000 * model.latency.typical_s, model.key);
    }
  });

  it("says how long it takes in seconds and in a word that fits them, and what it costs", () => {
    for (const { key, latency, cost } of MODELS) {
      const { typical_s: seconds } = latency;
      assert.equal(latency.word, seconds <= 15 ? "fast" : seconds <= 60 ? "moderate" : "slow", key);
      assert.ok(cost.text.length > 0, key);
    }
  });

  it("names no path twice for one provider and tool", () => {
    const paths = MODELS.flatMap((model) =>
      model.tools.map((tool) => `${model.provider} ${tool} ${pathOf(model, tool)}`),
    );
    assert.equal(new Set(paths).size, paths.length);
  });

  it("has a model for each tool of each provider", () => {
    const able = (provider: string, tool: Tool) =>
      MODELS.some((model) => model.provider === provider && model.tools.includes(tool));
    for (const provider of ["higgsfield", "replicate", "fal"]) {
      for (const tool of TOOLS) assert.ok(able(provider, tool), `${provider} ${tool}`);
    }
  });

  it("finds a model by its key", () => {
    assert.equal(findModel("nano_banana")?.name, "Nano Banana");
    assert.equal(findModel("Nano Banana"), undefined);
    assert.equal(findModel("constructor"), undefined);
  });
});

describe("what is on offer", () => {
  it("is nothing without providers", () => {
    assert.deepEqual(through(), {});
    assert.deepEqual(through("elsewhere"), {});
  });

  it("is everything, simulated, in the demo", () => {
    const demo = through("simulated");
    assert.deepEqual(
      Object.keys(demo),
      MODELS.map(({ key }) => key),
    );
    assert.deepEqual(new Set(Object.values(demo)), new Set(["simulated"]));
  });

  it("goes through the real provider where that one is configured, and those come first", () => {
    const mixed = through("replicate", "simulated");
    assert.equal(mixed.seedream, "replicate");
    assert.equal(mixed.nano_banana, "simulated");
    assert.equal(Object.keys(mixed).length, MODELS.length);
    assert.equal(Object.keys(mixed)[0], "seedream");
  });

  it("leaves out what no configured provider serves when the simulated one is off", () => {
    assert.deepEqual(new Set(Object.values(through("higgsfield", "fal"))), new Set(["higgsfield", "fal"]));
    assert.ok(!("flux_schnell" in through("higgsfield")));
    assert.equal(Object.keys(through("higgsfield"))[0], "nano_banana");
  });
});

describe("the tools", () => {
  it("are a closed set with titles for buttons", () => {
    assert.deepEqual(TOOLS.map(toolTitle), ["Text To Image", "Image To Image", "Text To Video", "Image To Video"]);
    assert.ok(Value.Check(Tool, "text_to_image"));
    assert.ok(!Value.Check(Tool, "text_to_speech"));
  });
});
