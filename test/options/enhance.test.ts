import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { findModel, MODELS } from "../../src/models/catalog.ts";
import type { Tool } from "../../src/models/tool.ts";
import { type Enhanceable, enhance } from "../../src/options/enhance.ts";
import { TEMPLATES } from "../../src/options/templates.ts";

const on = { enabled: true };
const ask = (prompt: string, more: Partial<Enhanceable> = {}) =>
  enhance({ prompt, tool: "text_to_image", model: "nano_banana", params: {}, ...more }, on);

const STYLES = Object.values(TEMPLATES).flatMap((template) => Object.values(template).flat());

describe("prompt enhancement", () => {
  it("adds the model's style words behind the user's", () => {
    assert.deepEqual(ask("A red fox in the snow"), {
      prompt: "A red fox in the snow, photorealistic, natural light, sharp focus, high detail",
      added: ["photorealistic", "natural light", "sharp focus", "high detail"],
    });
    assert.equal(
      ask("A red fox.", { tool: "text_to_video", model: "kling" }).prompt,
      "A red fox. cinematic, smooth camera motion, natural lighting",
    );
  });

  it("can be switched off", () => {
    const request = { prompt: "A red fox", tool: "text_to_image", model: "nano_banana", params: {} } as const;
    assert.deepEqual(enhance(request, { enabled: false }), { prompt: "A red fox", added: [] });
  });

  it("adds nothing that is already said, in any case or language", () => {
    assert.ok(!ask("A fox, PhotoRealistic").added.includes("photorealistic"));
    assert.ok(!ask("Photo-realistic fox").added.includes("photorealistic"));
    assert.ok(!ask("Фотореалистичная лиса").added.includes("photorealistic"));
    assert.ok(ask("Лиса").added.includes("photorealistic"));
  });

  it("adds nothing that goes against what the user wants", () => {
    assert.deepEqual(ask("Watercolor of a fox").added, ["high detail"]);
    assert.deepEqual(ask("Нарисуй лису акварелью").added, ["high detail"]);
    assert.ok(!ask("A fox under neon lights").added.includes("natural light"));
    assert.ok(!ask("A fox at night, blurry").added.includes("sharp focus"));
    const video = { tool: "text_to_video", model: "seedance" } as const;
    assert.ok(ask("A fox", video).added.includes("smooth camera motion"));
    assert.ok(!ask("A fox, static shot", video).added.includes("smooth camera motion"));
    assert.ok(!ask("A fox", { ...video, params: { camera_fixed: true } }).added.includes("smooth camera motion"));
  });

  it("leaves prompts alone where there is no template", () => {
    assert.deepEqual(ask("A fox", { model: "unknown" }), { prompt: "A fox", added: [] });
    assert.deepEqual(ask("A fox", { model: "flux_kontext", tool: "image_to_image" }), { prompt: "A fox", added: [] });
  });

  it("joins cleanly behind any ending", () => {
    assert.match(ask("A fox").prompt, /^A fox, photo/);
    assert.match(ask("A fox!").prompt, /^A fox! photo/);
    assert.match(ask("A fox, ").prompt, /^A fox, photo/);
    assert.match(ask("A fox\n").prompt, /^A fox\nphoto/);
    assert.match(ask("一只狐狸。").prompt, /^一只狐狸。 photo/u);
    assert.match(ask("").prompt, /^photo/);
  });

  it("keeps emoji, right-to-left text and Russian byte for byte", () => {
    for (const prompt of [
      "👩‍👩‍👧 🦊",
      "ثعلب أحمر في الثلج",
      "שועל אדום",
      "Лиса ёжится в снегу",
      "e\u0301 \u202Eabc",
      "\uD83E",
    ]) {
      const { prompt: enhanced, added } = ask(prompt);
      assert.ok(enhanced.startsWith(prompt));
      assert.ok(added.length > 0);
    }
  });

  it("fills the model's limit with whole styles only, and never cuts the user's words", () => {
    const limit = findModel("nano_banana")?.max_prompt ?? 0;
    assert.deepEqual(ask("x".repeat(limit - ", high detail".length)).added, ["sharp focus"]);
    assert.deepEqual(ask("x".repeat(limit - ", sharp focus".length + 1)).added, []);
    for (const length of [limit, limit + 1, 100_000]) {
      assert.deepEqual(ask("x".repeat(length)), { prompt: "x".repeat(length), added: [] });
    }
  });

  const uses = MODELS.flatMap((model) => model.tools.map((tool) => ({ model, tool })));
  const pieces = fc.constantFrom(
    ...STYLES.map(({ add }) => add),
    ...STYLES.flatMap(({ unless = [] }) => unless.map((words) => words.replace(/[?*]/g, "").split("|")[0] ?? "")),
    ...["fox", ",", ".", "\n", " ", "лиса", "ثعلب", "🦊", "no", "PHOTOREALISTIC", "\u0301", "\u200D", "_"],
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme", maxLength: 60 }),
    fc.array(pieces, { maxLength: 10 }).map((some) => some.join(" ")),
    fc.array(pieces, { maxLength: 10 }).map((some) => some.join("")),
  );
  const params = fc.record({ camera_fixed: fc.boolean(), generate_audio: fc.boolean() }, { requiredKeys: [] });

  it("keeps every word of the user, stays within the limit, and is the same when applied twice", () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...uses), params, fc.nat({ max: 90 }), (words, use, given, room) => {
        // Near the limit as often as far from it.
        const limit = use.model.max_prompt;
        for (const prompt of [
          words,
          `${words}${"x".repeat(Math.max(0, limit - words.length - room))}`,
          words.padStart(limit - room, "y "),
        ]) {
          const request = { prompt, tool: use.tool as Tool, model: use.model.key, params: given };
          const once = enhance(request, on);
          assert.ok(once.prompt.startsWith(prompt));
          assert.ok(once.prompt.length <= Math.max(limit, prompt.length));
          assert.ok(once.prompt.endsWith(once.added.join(", ")));
          assert.deepEqual(enhance({ ...request, prompt: once.prompt }, on), { prompt: once.prompt, added: [] });
          assert.deepEqual(enhance(request, on), once);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("the templates", () => {
  it("are for models and tools of the catalog, and fit their limits", () => {
    for (const [key, template] of Object.entries(TEMPLATES)) {
      const model = findModel(key);
      assert.ok(model, key);
      for (const [tool, styles] of Object.entries(template)) {
        assert.ok(model.tools.includes(tool as Tool), `${key}: ${tool}`);
        assert.ok(styles.map(({ add }) => add).join(", ").length < model.max_prompt / 10);
        for (const { add } of styles) assert.match(add, /^[a-z][a-z ]+[a-z]$/);
      }
    }
  });

  it("exist for every model and tool", () => {
    for (const model of MODELS) for (const tool of model.tools) assert.ok(TEMPLATES[model.key]?.[tool], model.key);
  });
});
