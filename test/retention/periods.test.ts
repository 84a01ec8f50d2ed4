import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Clock } from "../../src/ports.ts";
import { until } from "../streams/until.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { jobWhen, optionsOf, press, say, startChat } from "../support/flow.ts";
import { HASTY, inspect, upload } from "./bundle.ts";

const DAY_MS = 86_400_000;
const GONE_MS = 30_000;

describe("how long things are kept", () => {
  let app: TestApp;
  let look: ReturnType<typeof inspect>;
  let passed = 0;
  const clock: Clock = {
    now: () => Date.now() + passed,
    after: (ms, fire) => {
      const timer = setTimeout(fire, Math.min(ms, 2 ** 31 - 1));
      return () => clearTimeout(timer);
    },
  };
  before(async () => {
    const periods = {
      RETAIN_CHATS_DAYS: "30",
      RETAIN_JOBS_DAYS: "7",
      RETAIN_ATTACHMENTS_DAYS: "2",
      JWT_TTL_S: "2592000",
    };
    app = await startApp({ ...HASTY, ...periods, PUBLIC_URL: "own" }, { clock });
    look = inspect(app);
  });
  after(async () => {
    await look[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
  });
  const someone = () => app.as(randomUUID());
  const gone = (client: Client, path: string) =>
    until(async () => (await client.get(path)).status === 404, GONE_MS).catch(() => assert.fail(`${path} is kept`));
  const there = async (client: Client, path: string) => assert.equal((await client.get(path)).status, 200, path);
  /** A chat with a picture from an upload, another upload that nothing uses, and a request. */
  const furnish = async (client: Client) => {
    const used = await upload(client);
    const unused = await upload(client, "#642");
    // Looked at, so that it is verified.
    assert.equal((await client.get(unused.link)).status, 302);
    const chat = await startChat(client);
    const [option = ""] = optionsOf(await say(client, chat.id, "like this", [used.id]));
    const job = await press(client, option);
    await jobWhen(client, job);
    const { body } = await client.post<{ job_id: string }>("/api/generate", { prompt: "a fox", num_images: 1 });
    await (await client.events(`/api/generate/${body.job_id}/stream`)).rest();
    return {
      used: `/attachments/${used.id}`,
      unused: `/attachments/${unused.id}`,
      chat: `/chats/${chat.id}`,
      job: `/jobs/${job}`,
      batch: `/api/generate/${body.job_id}`,
    };
  };

  it("is up to the operator, by kind; each user may shorten it", { timeout: 120_000 }, async () => {
    const [ada, bob] = [await someone(), await someone()];
    const set = await bob.send("PUT", "/api/auth/me/retention", { body: { chats: 1, jobs: null, attachments: 90 } });
    assert.deepEqual(set.body, {
      own: { chats: 1, jobs: null, attachments: 90 },
      effective: { chats: 1, jobs: 7, attachments: 2 },
    });
    assert.deepEqual((await bob.get("/api/auth/me/retention")).body, set.body);
    const [hers, his] = [await furnish(ada), await furnish(bob)];

    passed += 1.5 * DAY_MS;
    await gone(bob, his.chat);
    for (const path of [his.unused, his.used, his.batch]) await there(bob, path);
    for (const path of Object.values(hers)) await there(ada, path);

    passed += DAY_MS;
    await gone(ada, hers.unused);
    await gone(bob, his.unused);
    // Nothing live uses his any more.
    await gone(bob, his.used);
    for (const path of [hers.used, hers.chat, hers.job, hers.batch]) await there(ada, path);

    const watched = await ada.events(hers.chat.replace("/chats", "/sse"));
    passed += 6 * DAY_MS;
    await gone(ada, hers.job);
    await watched.until(({ event }) => event === "job.deleted");
    watched.close();
    await gone(ada, hers.batch);
    for (const path of [hers.used, hers.chat]) await there(ada, path);

    passed += 30 * DAY_MS;
    await gone(ada, hers.chat);
    await gone(ada, hers.used);
    await until(async () => Object.keys(await look.rows()).length + (await look.objects()).length === 0, GONE_MS);
  });

  it("is refused when it is no number of days", async () => {
    const client = await someone();
    for (const chats of [0, -1, 1.5, "30", 1e9]) {
      const body = { chats, jobs: null, attachments: null };
      assert.equal((await client.send("PUT", "/api/auth/me/retention", { body })).status, 422, String(chats));
    }
    assert.equal((await app.client.get("/api/auth/me/retention")).status, 401);
  });
});
