import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import sharp from "sharp";
import { outputUrl } from "../../src/embedded/simulated/answer.ts";
import { createLedger } from "../../src/embedded/simulated/ledger.ts";
import { type Plan, planOf } from "../../src/embedded/simulated/plan.ts";
import { createSimulatedProvider } from "../../src/embedded/simulated/provider.ts";
import { createSeal } from "../../src/embedded/simulated/ref.ts";
import { createLog } from "../../src/log.ts";

const START = 1_800_000_000_000;
const SECRET = "a secret of the simulated provider";
const TEMPER = { latencyMs: 0, queueMs: 0, failureRate: 0 };
const never = new AbortController().signal;

/** A provider that has just started; downloads need no ledger. */
const start = () =>
  createSimulatedProvider({
    ledger: createLedger(() => Promise.reject(new Error("not needed"))),
    now: () => START,
    secret: SECRET,
    lostRate: 0,
    log: createLog("silent"),
    ...TEMPER,
  });

const refOf = (params: Record<string, unknown> = {}, tool = "text_to_image", more: Partial<Plan> = {}) => {
  const asked = {
    attempt: "1",
    model: "m",
    tool,
    prompt: "a cup of coffee",
    params,
    inputs: [],
    deadline: START,
    webhook: null,
  };
  return createSeal(SECRET).seal({ ...planOf(asked, START, TEMPER, false), ...more });
};

const download = async (ref: string, index = 0, provider = start()) => {
  const { body, size, mime } = await provider.download({ url: outputUrl(ref, index) }, never);
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  const bytes = Buffer.concat(chunks);
  assert.equal(bytes.length, size);
  return { bytes, mime };
};

describe("a simulated image", () => {
  for (const [params, width, height] of [
    [{}, 1024, 1024],
    [{ aspect_ratio: "16:9" }, 1368, 768],
    [{ aspect_ratio: "9:16" }, 768, 1368],
    [{ aspect_ratio: "4:3" }, 1184, 888],
    [{ aspect_ratio: "auto", size: "2K" }, 1024, 1024],
    [{ aspect_ratio: "900:1" }, 1584, 664],
    [{ width: 500, height: 1000 }, 728, 1448],
  ] as const) {
    it(`is ${width} × ${height} for ${JSON.stringify(params)}`, async () => {
      const { bytes, mime } = await download(refOf(params));
      const found = await sharp(bytes).metadata();
      assert.deepEqual([found.format, found.width, found.height, mime], ["jpeg", width, height, "image/jpeg"]);
      assert.ok(bytes.length > 20_000, "it shows something");
    });
  }

  it("has the same bytes each time, also after a restart", async () => {
    const ref = refOf();
    const first = await download(ref);
    await download(refOf({ seed: 7 }));
    assert.ok(first.bytes.equals((await download(ref)).bytes));
  });

  it("differs among the outputs of one generation", async () => {
    const ref = refOf({ num_outputs: 4 });
    const all = await Promise.all([0, 1, 2, 3].map((index) => download(ref, index)));
    assert.equal(new Set(all.map(({ bytes }) => bytes.toString("base64"))).size, 4);
  });

  it("is the same for the same prompt and seed, whatever the attempt", async () => {
    const [one, two] = [refOf({ seed: 7 }), refOf({ seed: 7 }, "text_to_image", { attempt: "2" })];
    assert.notEqual(one, two);
    assert.ok((await download(one)).bytes.equals((await download(two)).bytes));
  });
});

describe("a simulated video", () => {
  it("is an animated WebP of more than ten frames that loops", async () => {
    const { bytes, mime } = await download(refOf({ aspect_ratio: "9:16", duration: 5 }, "image_to_video"));
    const found = await sharp(bytes, { animated: true }).metadata();
    assert.deepEqual([mime, found.format, found.width, found.pageHeight], ["image/webp", "webp", 270, 480]);
    assert.ok((found.pages ?? 0) > 10);
    assert.equal(found.loop, 0);
    const frame = (page: number) => sharp(bytes, { page }).removeAlpha().raw().toBuffer();
    assert.ok(!(await frame(0)).equals(await frame(5)), "it moves");
  });
});

describe("a download", () => {
  it("is refused for what is not there", async () => {
    const ref = refOf();
    for (const url of [
      outputUrl(refOf({}, "text_to_image", { at: START + 1 }), 0),
      outputUrl(refOf({}, "text_to_image", { ending: "moderated" }), 0),
      outputUrl(ref, 1),
      outputUrl(`${ref}x`, 0),
      `simulated:${ref}`,
      "https://example.com/cat.jpg",
    ]) {
      await assert.rejects(start().download({ url }, never), /gone/);
    }
  });

  it("ends when its signal aborts, in line or in the middle of a film", async () => {
    const provider = start();
    const ref = refOf({}, "text_to_video");
    const aborts = [0, 1, 2, 3].map(() => new AbortController());
    const films = aborts.map(({ signal }) => provider.download({ url: outputUrl(ref, 0) }, signal));
    for (const abort of aborts) abort.abort(new Error("enough"));
    for (const film of films) await assert.rejects(film, /enough/);
    assert.equal((await download(refOf(), 0, provider)).mime, "image/jpeg");
  });
});
