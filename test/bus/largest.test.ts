import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { v7 } from "uuid";
import { jobContext } from "../../machines/job.context.ts";
import { jobView } from "../../machines/job.view.ts";
import { defaultPolicy } from "../../machines/policy.ts";
import { encodeFact } from "../../src/bus/message.ts";
import { LARGEST_FACT } from "../../src/bus/stream-config.ts";
import { subjectOf } from "../../src/bus/subjects.ts";
import { connect } from "../../src/db/connect.ts";
import { createQueries, loadQueries } from "../../src/db/queries.ts";
import { createFactLog } from "../../src/facts/log.ts";
import { MODELS } from "../../src/models/catalog.ts";
import type { Fact } from "../../src/ports.ts";
import { mediaKey } from "../../src/storage/keys.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { say, startChat } from "../support/flow.ts";
import { factsOf } from "./facts.ts";

/** Each is six bytes of JSON; no character takes more. */
const COSTLY = "\u0001";
/** As long a prompt as any model takes. */
const LONGEST = Math.max(...MODELS.map(({ max_prompt }) => max_prompt));
/** As many outputs as a provider's answer is read for. */
const OUTPUTS = 64;

const sizeOf = (fact: Fact) => {
  const { data, headers } = encodeFact(fact, `https://${"x".repeat(250)}.example`);
  const text = [...headers.keys()].reduce((sum, name) => sum + name.length + headers.get(name).length + 4, 0);
  return data.length + text + subjectOf(fact).length;
};

describe("the largest fact", () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app[Symbol.asyncDispose]());

  it("that words can make fits what NATS is asked to take", async () => {
    const chat = await startChat(app.client, `${COSTLY.repeat(199)}x`);
    await say(app.client, chat.id, `${COSTLY.repeat(LONGEST - 1)}x`);
    const sql = connect(app.database, { max: 1, role: "read" });
    const facts = await createFactLog(createQueries(sql, loadQueries())).read(chat.id, 0, 100);
    await sql.end({ timeout: 5 });
    const sizes = facts.map(sizeOf);
    console.log(`largest fact of words: ${Math.max(...sizes)} bytes`);
    assert.ok(Math.max(...sizes) > 40_000, `${sizes}`);
    assert.ok(Math.max(...sizes) < LARGEST_FACT, `${sizes}`);
  });

  it("that pictures can make fits, too", () => {
    const [fact] = factsOf(v7(), 1, 1);
    assert.ok(fact);
    const sha256 = "f".repeat(64);
    const key = (variant?: string) => mediaKey(v7(), sha256, "webp", variant);
    const outputs = Array.from({ length: OUTPUTS }, () => ({
      id: v7(),
      sha256,
      mime: "video/quicktime",
      size_bytes: Number.MAX_SAFE_INTEGER,
      raw_key: key(),
      min_key: key("min"),
      thumbnails: [256, 512, 1280].map((width) => ({ key: key(String(width)), width, height: 1280 })),
    }));
    const data = jobView("succeeded", { ...jobContext(defaultPolicy, undefined), outputs });
    const size = sizeOf({ ...fact, data });
    console.log(`largest fact of pictures: ${size} bytes`);
    assert.ok(size < LARGEST_FACT, `${size}`);
  });
});
