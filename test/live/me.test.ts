import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect } from "../../src/db/connect.ts";
import type { Overview } from "../../src/live/words.ts";
import type { Envelope } from "../../src/streams/envelope.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import type { ServerEvent } from "../support/events.ts";
import { generate, jobWhen, startChat } from "../support/flow.ts";
import { contiguous } from "../support/follower.ts";
import { until } from "../streams/until.ts";

const ADA = "01900000-0000-7000-8000-0000000000ad";
const EVE = "01900000-0000-7000-8000-0000000000ee";
const envelopeOf = ({ data }: ServerEvent) => data as Envelope;

describe("the feed of all that one owns", () => {
  let app: TestApp;
  let ada: Client;
  before(async () => {
    app = await startApp();
    ada = await app.as(ADA);
  });
  after(() => app[Symbol.asyncDispose]());

  it("begins with the whole and goes on from there, and resumes behind any event", async () => {
    const { chat, job } = await generate(ada, "a fox");
    await jobWhen(ada, job);
    const events = await ada.events("/streams/me");
    const first = await events.next();
    assert.equal(first?.event, "snapshot");
    const { cursor, data } = first?.data as { cursor: number; data: Overview };
    assert.deepEqual([first?.id, data.user_id], [String(cursor), ADA]);
    assert.equal(data.chats[0]?.id, chat);
    assert.deepEqual([data.jobs[0]?.job_id, data.jobs[0]?.status], [job, "SUCCEEDED"]);
    assert.match(data.jobs[0]?.result?.raw_url ?? "", /^http/);
    assert.match(data.chats[0]?.last_message_at ?? "", /^\d{4}-.*Z$/);
    await startChat(ada);
    assert.equal((await events.next())?.id, String(cursor + 1));
    events.close();
    const all = await ada.events("/streams/me", { "last-event-id": "0" });
    await all.until(({ id }) => id === String(cursor + 1));
    assert.deepEqual(
      all.seen.map(({ id }) => Number(id)),
      contiguous(cursor + 1),
    );
    for (const event of all.seen) assert.equal(envelopeOf(event).ownersequence, event.id);
    all.close();
  });

  it("tells of uploads, and not where they are stored", async () => {
    const events = await ada.events("/streams/me");
    await events.next();
    const wish = { file_name: "fox.png", content_type: "image/png", size: 3 };
    const { body } = await ada.post<{ upload_id: string; upload_url: string }>("/attachments/presign", wish);
    const issued = await events.until(({ event }) => event === "attachment.updated");
    assert.deepEqual(envelopeOf(issued).data, {
      upload_id: body.upload_id,
      state: "issued",
      mime: null,
      size_bytes: null,
      error: null,
    });
    await ada.send("DELETE", `/attachments/${body.upload_id}`);
    const gone = await events.until(({ event }) => event === "attachment.deleted");
    assert.deepEqual(envelopeOf(gone).data, { upload_id: body.upload_id });
    events.close();
  });

  it("starts over where something was erased behind the cursor, without what is gone", async () => {
    const eve = await app.as(EVE);
    const [stays, goes] = [await startChat(eve), await startChat(eve)];
    await startChat(eve);
    const events = await eve.events("/streams/me?after=3");
    assert.equal((await eve.send("DELETE", `/chats/${goes.id}`)).status, 204);
    assert.equal((await events.next())?.event, "chat.deleted");
    const sql = connect(app.database, { max: 1, role: "admin" });
    const facts = async () => (await sql`select 1 from facts where stream_id = ${goes.id}`).length;
    await until(async () => (await facts()) === 0).finally(() => sql.end());
    await startChat(eve);
    assert.equal((await events.next())?.id, "5", "who has heard of it goes on");
    events.close();
    const again = await eve.events("/streams/me?after=1");
    const reset = await again.next();
    assert.equal(reset?.event, "reset");
    const { cursor, data } = reset?.data as { cursor: number; data: Overview };
    assert.equal(cursor, 5);
    const ids = data.chats.map(({ id }) => id);
    assert.ok(ids.includes(stays.id) && !ids.includes(goes.id));
    await startChat(eve);
    assert.equal((await again.next())?.id, "6");
    again.close();
  });

  it("is each one's own, and wants a good token or, in demo mode, none", async () => {
    await startChat(ada);
    const { client } = app;
    const demo = await client.events("/streams/me?after=0");
    const chat = await startChat(client);
    assert.equal(envelopeOf((await demo.next()) as ServerEvent).subject, chat.id);
    demo.close();
    assert.equal((await client.get("/streams/me", { authorization: "Bearer forged" })).status, 401);
    assert.equal((await ada.get("/streams/me?after=soon")).status, 422);
  });
});
