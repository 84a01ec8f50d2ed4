import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { alternativesTo, type Wanted } from "../../src/models/alternatives.ts";
import { offered } from "../../src/models/catalog.ts";

const models = offered({ providers: new Set(["higgsfield", "higgsfield_v1", "replicate", "fal", "simulated"]) });
const find = (key: string, among = models) => among.find((model) => model.key === key) ?? assert.fail(key);
const to = (key: string, wanted: Partial<Wanted> = {}, among = models) =>
  alternativesTo(
    find(key, among),
    { tool: "text_to_image", prompt: "a fox", params: {}, mimes: [], ...wanted },
    among,
  ).map(({ model }) => model.key);

describe("alternatives to a model", () => {
  it("are the first fitting one of each other provider", () => {
    assert.deepEqual(to("nano_banana"), ["seedream", "flux_kontext"]);
  });

  it("take the same input images", () => {
    const photos = ["image/png", "image/png"];
    assert.deepEqual(to("nano_banana", { tool: "image_to_image", mimes: photos }), ["seedream"]);
    assert.deepEqual(to("nano_banana", { tool: "image_to_image", mimes: ["image/gif"] }), []);
  });

  it("take a prompt of that length", () => {
    assert.deepEqual(to("flux_schnell", { prompt: "x".repeat(3000) }), ["nano_banana", "flux_kontext"]);
    assert.deepEqual(to("nano_banana", { prompt: "x".repeat(5000) }), []);
  });

  it("keep the parameters that mean the same to them, and have their own defaults for the rest", () => {
    const wanted = { tool: "text_to_image", prompt: "a fox", mimes: [] } as const;
    const [seedream] = alternativesTo(
      find("nano_banana"),
      { ...wanted, params: { aspect_ratio: "16:9", num_images: 2, output_format: "png" } },
      models,
    );
    assert.deepEqual(seedream?.params, { aspect_ratio: "16:9", size: "2K" });
  });

  it("are never simulated", () => {
    const few = offered({ providers: new Set(["higgsfield", "simulated"]) });
    assert.deepEqual(to("nano_banana", {}, few), []);
  });
});
