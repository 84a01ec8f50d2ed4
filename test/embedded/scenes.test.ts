import assert from "node:assert/strict";
import { describe, it } from "node:test";
import sharp from "sharp";
import { renderMedia, stageOf } from "../../src/embedded/simulated/render.ts";
import { SCENES } from "../../src/embedded/simulated/scenes/families.ts";

const PROMPTS = [
  "a portrait of an old sailor in warm light",
  "neon city at night in the rain",
  "misty mountains at dawn",
  "a cat on a windowsill",
  "abstract geometry in pastel",
  "sunset over the sea with sailing boats",
  "autumn forest path",
  "a cup of coffee, minimal product shot",
  "planet with rings in deep space",
  "desert dunes under stars",
  "spring flowers in a vase",
  "snowy village at night",
];
/** Prompts that call for what the ones above do not. */
const MORE = [
  "a cosmonaut",
  "cute robot",
  "wizard portrait",
  "queen with glasses, noir",
  "an owl at night",
  "red bird in spring",
  "fox in the snow",
  "city skyline at noon",
  "synthwave car with palms",
  "a red car on a road",
  "whale under water",
  "jellyfish",
  "lighthouse and palms, stormy sea",
  "mountain lake with aurora",
  "windmill, balloons, rainbow and lavender",
  "camel caravan and cactus at noon",
  "rocket in a purple galaxy",
  "summer village with a tree",
  "latte art",
  "green tea on a window sill",
  "perfume bottle",
  "face cream",
  "yellow tulips and daisies",
  "liquid swirls",
  "circles",
  "a cozy room with a window",
  "bauhaus poster",
  "<script>alert('&amp;\"')</script> \0 \u202e 👩‍🚀",
  "",
];

const order = (prompt: string, seed: number, size = 512) => ({
  prompt,
  seed,
  width: size,
  height: size,
  tool: "text_to_image",
});

/** What is left of a picture from far away: 16 × 16 colours. */
const glance = async (prompt: string, seed = 1, index = 0): Promise<Uint8Array> => {
  const { bytes } = await renderMedia(order(prompt, seed), index, new AbortController().signal);
  return sharp(bytes).resize(16, 16, { fit: "fill" }).removeAlpha().raw().toBuffer();
};

/** Mean difference of colour, 0 to 255. */
const distance = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;

describe("scenes", () => {
  it("look different for twelve different prompts", async () => {
    const glances = await Promise.all(PROMPTS.map((prompt) => glance(prompt)));
    glances.forEach((one, i) => {
      for (let k = i + 1; k < glances.length; k++) {
        const apart = distance(one, glances[k] ?? one);
        assert.ok(apart > 14, `"${PROMPTS[i]}" and "${PROMPTS[k]}" are only ${apart.toFixed(1)} apart`);
      }
    });
  });

  it("vary with the seed and with the index, yet keep to the prompt", async () => {
    const prompt = "neon city at night in the rain";
    const [first, again, second, other] = await Promise.all([
      glance(prompt),
      glance(prompt),
      glance(prompt, 1, 1),
      glance(prompt, 2),
    ]);
    assert.deepEqual(first, again);
    assert.ok(distance(first, second) > 2 && distance(first, other) > 2);
    assert.equal(stageOf(order(prompt, 2), 3).reading.family, "city");
  });

  it("are sound SVG for every subject and format, and repeat none of the prompt", () => {
    const families = new Set<string>();
    const sizes = [[1024, 1024] as const, [1368, 768] as const, [270, 480] as const];
    [...PROMPTS, ...MORE].forEach((prompt, seed) => {
      const [width, height] = sizes[seed % sizes.length] ?? [1, 1];
      const stage = stageOf({ ...order(prompt, seed), width, height }, 0);
      const { reading, ink } = stage;
      families.add(reading.family);
      const draw = SCENES[reading.family](stage);
      const parts = ink.assets.flatMap((asset) => ("raster" in asset ? [] : Object.values(asset)));
      const text = [draw(0), draw(0.6), ink.defs(), ...parts].join("");
      assert.doesNotMatch(text, /NaN|undefined|null|Infinity|script|alert/, prompt);
    });
    assert.deepEqual(families, new Set(Object.keys(SCENES)));
  });

  it("return to their first frame at the end of the loop", () => {
    const stage = stageOf(order("autumn forest path", 1), 0);
    const draw = SCENES.forest(stage);
    assert.equal(draw(1), draw(0));
    assert.notEqual(draw(0.4), draw(0));
  });
});
