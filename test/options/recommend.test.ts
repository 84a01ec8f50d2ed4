import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { findModel, MODELS, offered } from "../../src/models/catalog.ts";
import { imagesFor } from "../../src/models/model.ts";
import { TOOLS, type Tool } from "../../src/models/tool.ts";
import { validateParams } from "../../src/models/validate.ts";
import { recommend } from "../../src/options/recommend.ts";
import { RULES } from "../../src/options/rules.ts";

const models = offered({ providers: new Set(["simulated"]) });
const image = { mime: "image/png" };
const clip = { mime: "video/mp4" };
const ask = (text: string, attachments: { mime: string }[] = []) => recommend({ text, attachments }, models);
const short = (tool: Tool) => tool.replace(/^(.).*_to_(.).*$/, "$1$2");
const tools = (text: string, attachments: { mime: string }[] = []) =>
  ask(text, attachments)
    .map(({ tool }) => short(tool))
    .join(" ");

/** Sentence, then the tools in order with nothing, an image, a video attached. `ti` is text_to_image, and so on. */
const EXPECTED: [string, string, string, string][] = [
  // Neutral: the picture first, it is cheaper; an image attached is there to be used.
  ["A red fox in the snow", "ti tv", "ii iv ti tv", "tv ti"],
  ["Make an ad with a cat", "ti tv", "ii iv ti tv", "tv ti"],
  ["", "ti tv", "ii iv ti tv", "tv ti"],
  ["🦊❄️", "ti tv", "ii iv ti tv", "tv ti"],
  ["ثعلب أحمر في الثلج", "ti tv", "ii iv ti tv", "tv ti"],
  ["Рыжая лиса в снегу", "ti tv", "ii iv ti tv", "tv ti"],
  ["Сделай рекламу с котом", "ti tv", "ii iv ti tv", "tv ti"],
  // A medium named.
  ["A photo of a red fox", "ti tv", "ii iv ti tv", "ti tv"],
  ["Make a video of a red fox", "tv ti", "iv ii tv ti", "tv ti"],
  ["Logo for a coffee shop, flat design", "ti tv", "ii iv ti tv", "ti tv"],
  ["Looping GIF of a dancing banana", "tv ti", "iv ii tv ti", "tv ti"],
  ["Нарисуй кота в шляпе", "ti tv", "ii iv ti tv", "ti tv"],
  ["Сделай видео с котом", "tv ti", "iv ii tv ti", "tv ti"],
  ["Короткий рекламный ролик про кофе", "tv ti", "iv ii tv ti", "tv ti"],
  ["Картинка: закат над морем", "ti tv", "ii iv ti tv", "ti tv"],
  ["Slow motion of a wave, 24fps", "tv ti", "iv ii tv ti", "tv ti"],
  ["A fox runs through the snow, 5 seconds", "tv ti", "iv ii tv ti", "tv ti"],
  ["Лиса бежит по снегу, 5 секунд", "tv ti", "iv ii tv ti", "tv ti"],
  ["Something for TikTok with my sneakers", "tv ti", "iv ii tv ti", "tv ti"],
  // Both named: the one named first is the one wanted, unless one is to become the other.
  ["Picture of a man watching a video", "ti tv", "ii iv ti tv", "ti tv"],
  ["A video of a photographer taking pictures", "tv ti", "iv ii tv ti", "tv ti"],
  ["Turn this photo into a video", "tv ti", "iv ii tv ti", "tv ti"],
  ["Сделай видео из этого фото", "tv ti", "iv ii tv ti", "tv ti"],
  ["image-to-video, please", "tv ti", "iv ii tv ti", "tv ti"],
  // What only looks like a medium.
  ["Movie poster in the style of the 60s", "ti tv", "ii iv ti tv", "ti tv"],
  ["A boy plays a video game on the sofa", "ti tv", "ii iv ti tv", "tv ti"],
  ["Portrait, 35mm film, soft light", "ti tv", "ii iv ti tv", "ti tv"],
  ["A film photo of a girl on a bridge", "ti tv", "ii iv ti tv", "ti tv"],
  ["Девочка на роликах", "ti tv", "ii iv ti tv", "tv ti"],
  ["A room with no pictures on the wall", "ti tv", "ii iv ti tv", "tv ti"],
  ["Street in the 90s, her 20s, iPhone 5", "ti tv", "ii iv ti tv", "tv ti"],
  // Work on what is attached.
  ["Animate it", "tv ti", "iv ii tv ti", "tv ti"],
  ["Оживи фотографию", "tv ti", "iv ii tv ti", "tv ti"],
  ["Bring this old photograph to life", "tv ti", "iv ii tv ti", "tv ti"],
  ["Make the cat dance", "tv ti", "iv ii tv ti", "tv ti"],
  ["Remove the background", "ti tv", "ii iv ti tv", "tv ti"],
  ["Make this picture look like a watercolor", "ti tv", "ii iv ti tv", "ti tv"],
  // Negation takes a medium away, but only where it is the medium that is negated.
  ["A red fox, no video", "ti", "ii ti", "ti"],
  ["I don't want a picture, animate it", "tv", "iv tv", "tv"],
  ["Not a photo but a video", "tv", "iv tv", "tv"],
  ["No people in the video", "tv ti", "iv ii tv ti", "tv ti"],
  ["Not only a picture but a video too", "ti tv", "ii iv ti tv", "ti tv"],
  ["A red fox, no text, no logo", "ti tv", "ii iv ti tv", "tv ti"],
  ["No, a video please", "tv ti", "iv ii tv ti", "tv ti"],
  ["Video without sound", "tv ti", "iv ii tv ti", "tv ti"],
  ["No photos or videos", "ti", "ii", "tv"],
  ["Без видео, просто лиса", "ti", "ii ti", "ti"],
  ["Не фото, а видео", "tv", "iv tv", "tv"],
  ["Видео не нужно, только картинка", "ti", "ii ti", "ti"],
  ["Вместо картинки хочу ролик", "tv", "iv tv", "tv"],
];

describe("the recommender", () => {
  for (const [text, none, withImage, withVideo] of EXPECTED) {
    it(`reads ${JSON.stringify(text)}`, () => {
      assert.deepEqual(
        { none: tools(text), image: tools(text, [image]), video: tools(text, [clip]) },
        { none, image: withImage, video: withVideo },
      );
    });
  }

  it("gives a neutral sentence the two options of the contract, word for word and in that order", () => {
    for (const text of ["A red fox in the snow", "Make an ad with a cat"]) {
      const [first, second, ...rest] = ask(text);
      assert.deepEqual(rest, []);
      assert.equal(first?.description, "Fast & low-cost photorealistic image generation");
      assert.equal(first?.label, "Generate (Text To Image)");
      assert.deepEqual([first?.tool, first?.model, first?.params], ["text_to_image", "nano_banana", {}]);
      assert.equal(second?.description, "Cinematic video with smooth motion, higher cost & latency");
      assert.equal(second?.label, "Generate (Text To Video)");
      assert.deepEqual([second?.tool, second?.model, second?.params], ["text_to_video", "kling", {}]);
    }
  });

  it("counts an attached image before a video, and other files as nothing", () => {
    assert.equal(tools("A red fox", [clip, image]), "ii iv ti tv");
    assert.equal(tools("A red fox", [{ mime: "application/pdf" }]), "ti tv");
    assert.equal(tools("A red fox", [{ mime: "IMAGE/PNG; charset=binary" }]), "ii iv ti tv");
    assert.equal(tools("A red fox", [{ mime: "image/gif" }]), "ti tv", "no model takes a GIF");
  });

  it("offers no image tool to models that would need an image that is not there", () => {
    for (const { tool, model } of ask("A red fox", [image])) {
      const found = findModel(model);
      assert.ok(found && imagesFor(found, tool).min <= 1);
    }
    const onlyAnimates = models.filter(({ key }) => key === "dop");
    assert.deepEqual(recommend({ text: "A red fox", attachments: [] }, onlyAnimates), []);
    assert.deepEqual(recommend({ text: "A red fox", attachments: [image] }, onlyAnimates).length, 1);
  });

  it("offers something even when everything is refused, as long as there is a model", () => {
    assert.equal(tools("no image, no video"), "ti");
    assert.equal(tools("ни фото, ни видео"), "ti");
    const videoOnly = models.filter(({ key }) => key === "kling");
    assert.deepEqual(
      recommend({ text: "no video", attachments: [] }, videoOnly).map(({ tool }) => tool),
      ["text_to_video"],
    );
    assert.deepEqual(recommend({ text: "a fox", attachments: [] }, []), []);
  });

  const params = (text: string, tool: Tool, attachments: { mime: string }[] = []) => {
    const option = ask(text, attachments).find((candidate) => candidate.tool === tool);
    return option && { model: option.model, ...option.params };
  };

  it("reads shape, length and size out of the text", () => {
    assert.deepEqual(params("A red fox, 9:16", "text_to_image"), { model: "nano_banana", aspect_ratio: "9:16" });
    assert.deepEqual(params("vertical video of a fox, 5 seconds", "text_to_video"), {
      model: "kling",
      aspect_ratio: "9:16",
      duration: 5,
    });
    assert.deepEqual(params("a fox, square", "text_to_video"), { model: "kling", aspect_ratio: "1:1" });
    assert.deepEqual(params("квадратная картинка лисы", "text_to_image"), {
      model: "nano_banana",
      aspect_ratio: "1:1",
    });
    assert.deepEqual(params("вертикальное видео, пять секунд", "text_to_video"), {
      model: "kling",
      aspect_ratio: "9:16",
      duration: 5,
    });
    assert.deepEqual(params("a fox 1920x1080", "text_to_image"), { model: "nano_banana", aspect_ratio: "16:9" });
    assert.deepEqual(params("ten-second clip for instagram stories", "text_to_video"), {
      model: "kling",
      aspect_ratio: "9:16",
      duration: 10,
    });
  });

  it("does not take words and numbers of the scene for wishes about the format", () => {
    for (const text of [
      "Red Square at night",
      "the town square in 1980s",
      "a fox in the 80s",
      "vertical lines on a shirt",
      "a man in shorts",
      "a train at 9:16 pm",
      "a recipe with ratio 10:30",
      "a landscape of hills, a portrait on the wall",
      "not vertical",
    ]) {
      assert.deepEqual(
        ask(text).map(({ params }) => params),
        [{}, {}],
        text,
      );
    }
  });

  it("prefers a model that can do exactly what was asked, and comes near where none can", () => {
    assert.deepEqual(params("video of a fox, 3 seconds", "text_to_video"), { model: "seedance", duration: 3 });
    assert.deepEqual(params("video of a fox, 4:3", "text_to_video"), { model: "seedance", aspect_ratio: "4:3" });
    assert.deepEqual(params("video of a fox, 1 minute", "text_to_video"), { model: "kling", duration: 10 });
    assert.deepEqual(params("photo of a fox in 4k", "text_to_image"), { model: "seedream", size: "4K" });
    assert.deepEqual(params("video of a fox in 1080p", "text_to_video"), { model: "seedance", resolution: "1080p" });
    assert.deepEqual(params("video with sound, 8 seconds", "text_to_video"), { model: "veo_fast", duration: "8s" });
  });

  it("takes the model that the text names", () => {
    assert.equal(ask("a fox with flux")[0]?.model, "flux_schnell");
    assert.equal(ask("kling, a fox runs")[0]?.model, "kling");
    assert.equal(ask("use Seedance for a fox")[0]?.model, "seedance");
    assert.equal(ask("change the sky with flux kontext", [image])[0]?.model, "flux_kontext");
    assert.equal(ask("a fox, not flux")[0]?.model, "nano_banana");
  });

  it("prefers a model that takes all attached images and a prompt of this length", () => {
    assert.equal(ask("blend these", [image, image, image])[0]?.model, "nano_banana");
    assert.equal(ask("blend these with flux kontext", [image])[0]?.model, "flux_kontext");
    assert.equal(ask(`${"fox ".repeat(600)}`).find(({ tool }) => tool === "text_to_video")?.model, "kling");
    assert.equal(ask(`${"fox ".repeat(700)}`).find(({ tool }) => tool === "text_to_video")?.model, "veo_fast");
  });

  it("prefers a real provider to the simulated one", () => {
    const mixed = offered({ providers: new Set(["simulated", "replicate"]) });
    assert.deepEqual(
      recommend({ text: "A red fox", attachments: [] }, mixed).map(({ model }) => model),
      ["seedream", "seedance"],
    );
  });

  it("offers nothing but models of providers that are configured", () => {
    const names = ["higgsfield", "higgsfield_v1", "replicate", "fal", "simulated"];
    const texts = ["A red fox", "a video of a fox", "kling, a fox runs", "flux schnell fox", "use Veo", "seedream fox"];
    for (let mask = 0; mask < 2 ** names.length; mask++) {
      const providers = new Set(names.filter((_, index) => mask & (2 ** index)));
      const available = offered({ providers });
      for (const text of texts) {
        for (const { model } of recommend({ text, attachments: [image] }, available)) {
          const through = available.find(({ key }) => key === model)?.through;
          assert.ok(through && providers.has(through), `${model} with ${[...providers]}`);
          assert.ok(through === "simulated" || through === findModel(model)?.provider);
        }
      }
    }
    assert.deepEqual(recommend({ text: "A red fox", attachments: [] }, offered({ providers: new Set() })), []);
  });

  it("knows the models of Higgsfield by their names", () => {
    for (const [text, model] of [
      ["sora, a fox runs", "sora"],
      ["a fox by Hailuo", "hailuo"],
      ["flux kontext max fox", "flux_kontext_max"],
    ]) {
      assert.equal(ask(text ?? "")[0]?.model, model);
    }
  });

  it("gives valid options for any text: possible, ranked, one per tool, with parameters the model accepts", () => {
    const words = fc.constantFrom(
      ...RULES.flatMap(({ words = [] }) => words.map((pattern) => pattern.replace(/[?*]/g, "").split("|")[0] ?? "")),
      ...["no", "not", "without", "не", "без", ",", ".", "9:16", "7 seconds", "4k", "square", "vertical"],
    );
    const text = fc.oneof(
      fc.array(words, { maxLength: 12 }).map((some) => some.join(" ")),
      fc.string({ unit: "binary" }),
    );
    const attachments = fc.array(fc.constantFrom(image, clip, { mime: "application/pdf" }), { maxLength: 4 });
    fc.assert(
      fc.property(text, attachments, (said, files) => {
        const options = ask(said, files);
        assert.ok(options.length >= 1);
        assert.deepEqual(ask(said, files), options);
        assert.equal(new Set(options.map(({ tool }) => tool)).size, options.length);
        const hasImage = files.includes(image);
        options.forEach((option, index) => {
          const model = findModel(option.model);
          assert.ok(model);
          assert.ok(model.tools.includes(option.tool));
          assert.ok(hasImage || option.tool.startsWith("text_"));
          assert.ok(index === 0 || (options[index - 1]?.score ?? 0) >= option.score);
          assert.equal(validateParams(model, option.params).ok, true);
        });
      }),
      { numRuns: 300 },
    );
  });

  it("reads no more than the beginning of a huge text", () => {
    const started = performance.now();
    assert.equal(tools(`${"fox ".repeat(25_000)} make a video`), "ti tv");
    assert.ok(performance.now() - started < 1000);
  });
});

describe("the rule table", () => {
  it("has unique names, no phrase twice, and scores only for tools and models that exist", () => {
    const names = RULES.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    const phrases = RULES.flatMap(({ words = [] }) => words);
    assert.equal(new Set(phrases).size, phrases.length);
    const keys = new Set(MODELS.map(({ key }) => key));
    for (const { name, scores, models: preferred = {}, denies = [] } of RULES) {
      for (const tool of [...Object.keys(scores), ...denies]) assert.ok(TOOLS.includes(tool as Tool), name);
      for (const key of Object.keys(preferred)) assert.ok(keys.has(key), `${name}: ${key}`);
    }
  });
});
