import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRandom } from "../../src/embedded/simulated/drawing/random.ts";
import { type Reading, readPrompt } from "../../src/embedded/simulated/prompt/reading.ts";

const read = (prompt: string, seed = 1) => readPrompt(prompt, createRandom(seed));

const subject = ({ family, setting }: Reading) => (setting ? `${family} in ${setting}` : family);

describe("reading a prompt", () => {
  for (const [prompt, family] of [
    ["a portrait of an old sailor in warm light", "portrait"],
    ["an old sailor", "portrait"],
    ["sailing at sunset", "sea"],
    ["A FOX in the autumn forest", "animal"],
    ["cat on a windowsill", "animal"],
    ["coffee on the window sill", "cup"],
    ["king with a crown", "portrait"],
    ["waterfall of stars over a mountain", "mountains"],
    ["рыжий кот на подоконнике", "animal"],
    ["Горное озеро на рассвете", "mountains"],
    ["ёлки в зимнем лесу", "forest"],
    ["портрет рыбака", "portrait"],
    ["ночной город под дождём", "city"],
    ["пляж с пальмами", "sea"],
    ["quantum banana", "abstract"],
    ["", "abstract"],
  ] as const) {
    it(`sees ${family} in "${prompt}"`, () => assert.equal(read(prompt).family, family));
  }

  it("knows the place beside the subject", () => {
    assert.equal(subject(read("a cat in the forest")), "animal in forest");
    assert.equal(subject(read("a cat")), "animal");
  });

  it("sees time, season, weather, colour and things", () => {
    const { time, season, weather, colour, things } = read("red car on a snowy road at night, northern lights");
    assert.deepEqual([time, season, weather, colour], ["night", "winter", "snow", "#c8322b"]);
    assert.ok(things.has("car") && things.has("aurora") && !things.has("boats"));
  });

  it("lets a rainbow shine without rain", () => {
    assert.equal(read("a rainbow over the hills").weather, null);
    assert.equal(read("rain over the hills").weather, "rain");
  });

  it("makes nights dark and noir colourless", () => {
    assert.equal(read("a pastel village at night").palette.dark, true);
    assert.equal(read("a village at noon").palette.dark, false);
    assert.equal(read("a street, black and white").monochrome, true);
    assert.equal(read("a black cat").monochrome, false);
  });

  it("is not led astray by the style words that are added to prompts", () => {
    const style = "photorealistic, natural light, sharp focus, high detail, cinematic, smooth camera motion";
    for (const prompt of ["neon city at night in the rain", "a cat", "spring flowers in a vase", "something"]) {
      assert.deepEqual(read(`${prompt}, ${style}`), read(prompt));
    }
  });

  it("leaves only what is open to chance", () => {
    const readings = Array.from({ length: 20 }, (_, seed) => read("the sea", seed));
    assert.deepEqual(new Set(readings.map(subject)), new Set(["sea"]));
    assert.ok(new Set(readings.map(({ palette }) => palette)).size > 1);
  });
});
