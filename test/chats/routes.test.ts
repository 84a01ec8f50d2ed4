import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Chat, ChatDetail, Message } from "../../src/chats/words.ts";
import { connect } from "../../src/db/connect.ts";
import type { Envelope } from "../../src/streams/envelope.ts";
import { until } from "../streams/until.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { ProblemBody } from "../support/client.ts";
import { generate, jobWhen, optionsOf, press, type Said, say, startChat } from "../support/flow.ts";
import { metricsOf } from "../support/metrics.ts";

type Page<T> = { items: T[]; next_cursor: string | null };

describe("bad input to chats", () => {
  let app: TestApp;
  let chat: Chat;
  before(async () => {
    app = await startApp();
    chat = await startChat(app.client);
  });
  after(() => app[Symbol.asyncDispose]());

  const refuse = async (path: string, body: unknown, status: number, code: string, field?: string) => {
    const answer = await app.client.post<ProblemBody>(path, body);
    const what = `${path} ${String(typeof body === "string" ? body : JSON.stringify(body)).slice(0, 60)}`;
    assert.deepEqual([answer.status, answer.body.code], [status, code], what);
    assert.equal(answer.headers.get("content-type"), "application/problem+json", what);
    if (field !== undefined) assert.equal(answer.body.errors?.[0]?.path, field, what);
  };
  const everything = async () => {
    const sql = connect(app.database, { max: 1, role: "admin" });
    const [row] = await sql`select (select count(*) from chats) as chats, (select count(*) from messages) as messages,
      (select count(*) from options) as options, (select count(*) from facts) as facts,
      (select count(*) from actors) as actors, (select count(*) from jobs) as jobs`.finally(() => sql.end());
    return row;
  };

  it("is refused field by field, and nothing is written", async () => {
    const before = await everything();
    const path = `/chats/${chat.id}/messages`;
    for (const body of ["{", '{"text":', "not json", '{"text":"\\x"}']) await refuse(path, body, 400, "malformed_json");
    await refuse(path, {}, 422, "validation_failed", "/text");
    await refuse(path, { text: 7 }, 422, "validation_failed", "/text");
    await refuse(path, { text: null }, 422, "validation_failed", "/text");
    await refuse(path, { text: "" }, 422, "validation_failed", "/text");
    await refuse(path, { text: " \n\u3000" }, 422, "validation_failed", "/text");
    await refuse("/chats", { title: "  " }, 422, "validation_failed", "/title");
    await refuse(path, { text: "a fox\0" }, 422, "validation_failed", "/text");
    await refuse(path, '{"text":"a fox\\ud800"}', 422, "validation_failed", "/text");
    await refuse(path, { text: "x".repeat(100_000) }, 422, "validation_failed", "/text");
    await refuse(path, { text: "x", attachments: "one" }, 422, "validation_failed", "/attachments");
    await refuse(path, { text: "x", attachments: ["one"] }, 422, "validation_failed", "/attachments/0");
    await refuse(path, { text: "x", attachments: Array(11).fill(chat.id) }, 422, "validation_failed", "/attachments");
    await refuse(path, { text: "x", attachments: [chat.id, chat.id] }, 422, "validation_failed", "/attachments");
    await refuse(path, [], 422, "validation_failed");
    await refuse(path, "null", 422, "validation_failed");
    await refuse("/chats", { title: "" }, 422, "validation_failed", "/title");
    await refuse("/chats", { title: 1 }, 422, "validation_failed", "/title");
    await refuse("/chats", { title: "t".repeat(201) }, 422, "validation_failed", "/title");
    await refuse("/chats", { title: "a\0b" }, 422, "validation_failed", "/title");
    await refuse(path, { text: "x".repeat(2_000_000) }, 413, "too_large");
    await refuse(path, `${"[".repeat(100)}${"]".repeat(100)}`, 422, "validation_failed");
    const form = await app.client.post<ProblemBody>(path, "text=fox", {
      "content-type": "application/x-www-form-urlencoded",
    });
    assert.deepEqual([form.status, form.body.code], [415, "unsupported_media_type"]);
    assert.deepEqual(await everything(), before);
  });

  it("does not include any text that people write: emoji, right to left, combining, quotes", async () => {
    for (const text of [
      "🦊❄️👨‍👩‍👧‍👦🏳️‍🌈",
      "ثعلب أحمر في الثلج \u202e مقلوب",
      "Z̸̡̛a̷͎͝l̶͇̾g̵̱̽o̸̺͌",
      `'; drop table chats; -- "${"\\"}" $1 {{x}} <b>`,
      "a\n\tb\r\n  c  ",
      "x".repeat(4000),
      "🦊".repeat(1000),
    ]) {
      const { id } = await startChat(app.client, text.slice(0, 40));
      const said = await say(app.client, id, text);
      const { body } = await app.client.get<Page<Message>>(`/chats/${id}/messages`);
      assert.equal(body.items[0]?.content_text, text);
      const [option] = optionsOf(said);
      const shown = await app.client.get<{ prompt: string; enhanced_prompt: string }>(`/options/${option}`);
      assert.equal(shown.body.prompt, text);
      assert.ok(shown.body.enhanced_prompt.startsWith(text));
    }
  });

  it("is refused in paths and pages", async () => {
    const lists = ["/chats", `/chats/${chat.id}/messages`, `/chats/${chat.id}/options`, "/jobs"];
    for (const list of lists) {
      for (const query of ["limit=0", "limit=-1", "limit=101", "limit=1e9", "limit=ten", "limit=", "cursor=nonsense"]) {
        const { status, body } = await app.client.get<ProblemBody>(`${list}?${query}`);
        assert.deepEqual([status, body.code], [422, "validation_failed"], `${list}?${query}`);
        assert.equal(body.errors?.[0]?.path, `/${query.split("=")[0]}`, `${list}?${query}`);
      }
      const forged = Buffer.from(JSON.stringify([1e300, chat.id])).toString("base64url");
      assert.equal((await app.client.get(`${list}?cursor=${forged}`)).status, 422);
      const epoch = Buffer.from(JSON.stringify([0, "00000000-0000-0000-0000-000000000000"])).toString("base64url");
      assert.equal((await app.client.get(`${list}?cursor=${epoch}`)).status, 200);
    }
    for (const id of ["1", "not-a-uuid", chat.id.toUpperCase(), `${chat.id}0`, "..%2f", "%00", "'"]) {
      const { status, body } = await app.client.get<ProblemBody>(`/chats/${id}`);
      assert.deepEqual([status, body.code], [404, "not_found"], id);
    }
  });

  it("names a message that is not of this chat as not found, and its options too", async () => {
    const other = await startChat(app.client);
    const { message } = await say(app.client, other.id, "A red fox");
    for (const id of [message.id, "01900000-0000-7000-8000-000000000000"]) {
      const path = `/chats/${chat.id}/messages/${id}`;
      assert.equal((await app.client.get(path)).status, 404);
      assert.equal((await app.client.get(`${path}/options`)).status, 404);
    }
  });
});

describe("a chat", () => {
  let app: TestApp;
  before(async () => {
    app = await startApp();
  });
  after(() => app[Symbol.asyncDispose]());

  it("gets a title by itself", async () => {
    for (const body of [undefined, {}]) {
      const answer = await app.client.post<Chat>("/chats", body);
      assert.deepEqual([answer.status, answer.body.title], [201, "New chat"]);
    }
  });

  it("keeps the order of messages that are said at the same time", async () => {
    const chat = await startChat(app.client);
    const said = await Promise.all(Array.from({ length: 20 }, (_, n) => say(app.client, chat.id, `Fox ${n}`)));
    const listed: Message[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: { body: Page<Message> } = await app.client.get(
        `/chats/${chat.id}/messages?limit=7${cursor && `&cursor=${cursor}`}`,
      );
      listed.push(...page.body.items);
      cursor = page.body.next_cursor;
    }
    assert.equal(listed.length, 40);
    assert.equal(new Set(listed.map(({ id }) => id)).size, 40);
    const answers = listed.filter(({ author_type }) => author_type === "assistant").map(({ id }) => id);
    assert.deepEqual(new Set(answers), new Set(said.map(({ message }) => message.id)));
    const { body } = await app.client.get<ChatDetail>(`/chats/${chat.id}`);
    assert.equal(body.message_count, 40);
    const live = await app.client.events(`/sse/${chat.id}?after=0`);
    await live.until(({ id }) => id === String(body.cursor));
    live.close();
    assert.deepEqual(
      live.seen.map(({ id }) => Number(id)),
      Array.from({ length: body.cursor }, (_, n) => n + 1),
    );
  });

  it("is gone everywhere at once when it is deleted, and its live jobs are canceled", async () => {
    const { chat, option, job } = await generate(app.client, "[stuck] a fox");
    const said = await say(app.client, chat, "[fail] another");
    const ended = await press(app.client, optionsOf(said)[0] ?? "");
    await jobWhen(app.client, ended);
    await jobWhen(app.client, job, ({ state }) => state === "running.waiting");
    const live = await app.client.events(`/sse/${chat}?after=0`);
    const watch = await app.client.events(`/jobs/${job}/stream`);

    assert.equal((await app.client.send("DELETE", `/chats/${chat}`)).status, 204);
    const paths = [
      `/chats/${chat}`,
      `/chats/${chat}/messages`,
      `/chats/${chat}/messages/${said.message.id}`,
      `/chats/${chat}/messages/${said.message.id}/options`,
      `/chats/${chat}/options`,
      `/options/${option}`,
      `/options/jobs/${job}`,
      `/jobs/${job}`,
      `/jobs/${ended}`,
      `/jobs/${job}/timeline`,
      `/jobs/${job}/stream`,
      `/sse/${chat}`,
    ];
    for (const path of paths) assert.equal((await app.client.get(path)).status, 404, path);
    assert.equal((await app.client.send("PATCH", `/chats/${chat}`, { body: { title: "x" } })).status, 404);
    assert.equal((await app.client.send("DELETE", `/chats/${chat}`)).status, 404);
    assert.equal((await app.client.post(`/chats/${chat}/messages`, { text: "x" })).status, 404);
    assert.equal((await app.client.post(`/options/${option}/generate`, {}, { "idempotency-key": "late" })).status, 404);
    assert.equal((await app.client.post(`/jobs/${job}/cancel`)).status, 404);
    assert.equal((await app.client.post(`/jobs/${ended}/retry`)).status, 404);
    for (const list of ["/chats", "/jobs"]) {
      const { body } = await app.client.get<Page<{ id?: string; chat_id?: string }>>(list);
      assert.ok(!body.items.some((item) => item.id === chat || item.chat_id === chat), list);
    }

    const last = (await live.rest()).at(-1);
    assert.deepEqual([last?.event, (last?.data as Envelope).type], ["chat.deleted", "darkroom.chat.deleted"]);
    assert.equal(((await watch.rest()).at(-1)?.data as Envelope).type, "darkroom.chat.deleted");
    const sql = connect(app.database, { max: 1, role: "read" });
    const outcome = () => sql`select snapshot->'context'->>'cancel' as cancel from actors where id = ${job}`;
    await until(async () => (await outcome())[0]?.cancel === "canceled_upstream").finally(() => sql.end());
  });

  it("takes nothing any more once it is being deleted, whatever comes at the same time", async () => {
    const { chat, option } = await generate(app.client, "[stuck] a fox");
    const answers = await Promise.all([
      ...Array.from({ length: 5 }, (_, n) =>
        app.client.post(`/options/${option}/generate`, {}, { "idempotency-key": `race-${n}` }),
      ),
      app.client.send("DELETE", `/chats/${chat}`),
      ...Array.from({ length: 5 }, (_, n) =>
        app.client.post(`/options/${option}/generate`, {}, { "idempotency-key": `late-${n}` }),
      ),
      app.client.post<Said>(`/chats/${chat}/messages`, { text: "still there?" }),
    ]);
    for (const { status } of answers) assert.ok([201, 202, 204, 404].includes(status), String(status));
    const sql = connect(app.database, { max: 1, role: "admin" });
    const live = () =>
      sql`select 1 from jobs j join actors a on a.id = j.id where j.chat_id = ${chat} and a.finished_at is null`;
    for (const until = performance.now() + 5000; (await live()).length > 0; ) {
      assert.ok(performance.now() < until, "a job of a deleted chat is still running");
      await app.settle();
    }
    await sql.end();
  });

  it("is watched no longer by a client that left", async () => {
    const chat = await startChat(app.client);
    const open = async () => (await metricsOf(app.client)).value("darkroom_streams_open");
    const before = await open();
    const streams = await Promise.all(Array.from({ length: 5 }, () => app.client.events(`/sse/${chat.id}`)));
    assert.equal(await open(), before + 5);
    for (const stream of streams) stream.close();
    for (const until = performance.now() + 5000; (await open()) > before; )
      assert.ok(performance.now() < until, "streams are still counted");
  });
});
