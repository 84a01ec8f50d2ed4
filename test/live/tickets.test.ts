import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { v7 } from "uuid";
import { connect, type Sql } from "../../src/db/connect.ts";
import { createQueries, loadQueries } from "../../src/db/queries.ts";
import { createTickets } from "../../src/live/tickets.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { type Client, createClient, type ProblemBody } from "../support/client.ts";
import { generate, say, startChat } from "../support/flow.ts";
import { upgradeStatus } from "../support/socket.ts";
import { recordingLog } from "../http/bundle.ts";
import { createVirtualClock } from "../streams/clock.ts";
import { openLive } from "./frames.ts";

const ADA = "01900000-0000-7000-8000-0000000000ad";
const BOB = "01900000-0000-7000-8000-0000000000bb";
type Issued = { ticket: string; expires_at: string };

describe("a ticket", () => {
  let app: TestApp;
  let ada: Client;
  /** A browser: it has no token to send. Demo mode is off, so it is nobody. */
  let browser: Client;
  let sql: Sql;
  const { log, lines } = recordingLog();
  before(async () => {
    app = await startApp({ DEMO: "0" }, { log });
    ada = await app.as(ADA);
    browser = createClient(() => app.url);
    sql = connect(app.database, { max: 1, role: "admin" });
  });
  after(async () => {
    await sql.end();
    await app[Symbol.asyncDispose]();
  });

  const issue = async (streams: string[], client = ada): Promise<Issued> => {
    const { status, body } = await client.post<Issued>("/streams/tickets", { streams });
    assert.equal(status, 201, JSON.stringify(body));
    return body;
  };
  const refusal = async (path: string) => {
    const { status, body } = await browser.get<ProblemBody>(path);
    return [status, body.code];
  };

  it("opens the streams that it is for, by server-sent events and on the socket, and no others", async () => {
    const { chat, job } = await generate(ada, "a fox");
    const batch = (await ada.post<{ job_id: string }>("/api/generate", { prompt: "a fox" })).body.job_id;
    const other = await startChat(ada);
    const { ticket } = await issue([`chat:${chat}`, `job:${job}`, `batch:${batch}`, "me"]);
    for (const path of [`/sse/${chat}?after=0`, `/jobs/${job}/stream?after=0`, "/streams/me"]) {
      const events = await browser.events(`${path}${path.includes("?") ? "&" : "?"}ticket=${ticket}`);
      assert.ok(await events.next(), path);
      events.close();
    }
    await (await browser.events(`/api/generate/${batch}/stream?ticket=${ticket}`)).rest();
    assert.deepEqual(await refusal(`/sse/${other.id}?ticket=${ticket}`), [404, "not_found"]);
    const socket = await openLive(`${app.url}/ws?ticket=${ticket}`);
    socket.send({ type: "subscribe", id: "mine", stream: `chat:${chat}`, after: 0 });
    socket.send({ type: "subscribe", id: "other", stream: `chat:${other.id}` });
    await socket.next("event", ({ id }) => id === "mine");
    const { problem } = await socket.next("error", ({ id }) => id === "other");
    assert.equal(problem.code, "not_found");
    socket.close();
    assert.equal(await upgradeStatus(`${app.url}/api/generate/${batch}?ticket=${ticket}`), 101);
    const narrow = await issue([`chat:${chat}`]);
    assert.equal(await upgradeStatus(`${app.url}/api/generate/${batch}?ticket=${narrow.ticket}`), 404);
  });

  it("is good for nothing but streams", async () => {
    const chat = await startChat(ada);
    const { ticket } = await issue(["me", `chat:${chat.id}`]);
    for (const path of [`/chats/${chat.id}`, "/jobs", "/api/auth/me"])
      assert.deepEqual(await refusal(`${path}?ticket=${ticket}`), [401, "unauthenticated"], path);
    assert.equal((await browser.post(`/streams/tickets?ticket=${ticket}`, { streams: ["me"] })).status, 401);
  });

  it("lets an EventSource come back by the same URL, and go on behind what it has seen", async () => {
    const chat = await startChat(ada);
    const { ticket } = await issue([`chat:${chat.id}`]);
    const path = `/sse/${chat.id}?ticket=${ticket}`;
    const first = await browser.events(path);
    // The head of the answer has the cursor, so that nothing is lost by a cut before the first event.
    await say(ada, chat.id, "A red fox");
    const { id } = await first.until(({ event }) => event === "message.created");
    first.close();
    const { body } = await ada.get<{ cursor: number }>(`/chats/${chat.id}`);
    const again = await browser.events(path, { "last-event-id": id ?? "" });
    await again.until((event) => event.id === String(body.cursor));
    assert.equal(again.seen[0]?.id, String(Number(id) + 1));
    again.close();
  });

  it("is not given for what is not one's own, nor for what there is not", async () => {
    const { chat, job } = await generate(await app.as(BOB), "a fox");
    for (const streams of [[`chat:${chat}`], ["me", `job:${job}`], [`batch:${v7()}`]]) {
      const { status, body } = await ada.post<ProblemBody>("/streams/tickets", { streams });
      assert.deepEqual([status, body.code], [404, "not_found"]);
    }
    for (const streams of [[], ["chat:1"], ["everything"], ["me", "me"], "me"]) {
      const { status, body } = await ada.post<ProblemBody>("/streams/tickets", { streams });
      assert.deepEqual([status, body.code], [422, "validation_failed"], JSON.stringify(streams));
    }
    assert.equal((await browser.post("/streams/tickets", { streams: ["me"] })).status, 401);
  });

  it("that nobody was given is refused, also beside demo mode", async () => {
    for (const ticket of ["", "forged", "x".repeat(43), "%00", "x".repeat(10_000)])
      assert.equal((await browser.get(`/streams/me?ticket=${ticket}`)).status, ticket === "%00" ? 422 : 401, ticket);
    await using demo = await startApp();
    assert.equal((await demo.client.get("/streams/me?ticket=forged")).status, 401);
    const { ticket } = (await demo.client.post<Issued>("/streams/tickets", { streams: ["me"] })).body;
    const events = await demo.client.events(`/streams/me?ticket=${ticket}`);
    assert.equal((await events.next())?.event, "snapshot");
    events.close();
  });

  it("is stored as a hash and written to no log", async () => {
    const { ticket } = await issue(["me"]);
    const events = await browser.events(`/streams/me?ticket=${ticket}`);
    events.close();
    assert.equal(await upgradeStatus(`${app.url}/ws?ticket=${ticket}`), 101);
    await browser.get(`/jobs?ticket=${ticket}`);
    const rows = await sql`select hash, tickets::text as text from tickets`;
    assert.ok(rows.length > 0);
    for (const { text } of rows) assert.ok(!text.includes(ticket));
    const wanted = createHash("sha256").update(ticket).digest("hex");
    assert.ok(rows.some(({ hash }) => hash === wanted));
    assert.ok(lines.some(({ route }) => route === "/streams/me"));
    assert.ok(!JSON.stringify(lines).includes(ticket));
  });

  it("ends with the token that it was had for: an auth event, and no more", async () => {
    await using brief = await startApp({ JWT_TTL_S: "2", DEMO: "0" });
    const { body } = await (await brief.as(ADA)).post<Issued>("/streams/tickets", { streams: ["me"] });
    const events = await createClient(() => brief.url).events(`/streams/me?ticket=${body.ticket}`);
    assert.deepEqual((await events.rest()).at(-1), { event: "auth", data: { reason: "token_expired" } });
    const { status } = await brief.client.get(`/streams/me?ticket=${body.ticket}`);
    assert.equal(status, 401);
  });

  it("dies with its user", async () => {
    const id = v7();
    const doomed = await app.as(id);
    const { ticket } = await issue(["me"], doomed);
    const events = await browser.events(`/streams/me?ticket=${ticket}`);
    assert.equal((await doomed.send("DELETE", "/api/auth/me")).status, 204);
    assert.equal((await browser.get(`/streams/me?ticket=${ticket}`)).status, 401);
    events.close();
  });
});

describe("the life of a ticket", () => {
  it("is 30 s until its first use, and then that of its token; what is past it is swept", async () => {
    await using app = await startApp();
    const client = await app.as(ADA);
    await startChat(client);
    const sql = connect(app.database, { max: 1, role: "admin" });
    const query = createQueries(sql, loadQueries());
    const clock = createVirtualClock();
    const { issue, redeem } = createTickets({ write: query, clock, lifeMs: 3_600_000 });
    const principal = { userId: ADA, role: "admin" as const, expiresAt: clock.now() + 600_000, anonymous: false };
    const left = async () => {
      await query("sweepTickets", [new Date(clock.now())]);
      const [row] = await sql`select count(*)::int as n from tickets`;
      return row?.n;
    };
    const used = await issue(principal, ["me"]);
    const unused = await issue(principal, ["me"]);
    assert.equal(used.expires_at, new Date(principal.expiresAt).toISOString());
    clock.advance(29_999);
    const both = await Promise.all([redeem(used.ticket), redeem(used.ticket)]);
    for (const redeemed of both) {
      assert.deepEqual(redeemed, { ...principal, role: "user", streams: ["me"] }, "the least that it needs to be");
    }
    assert.equal(await left(), 2);
    clock.advance(2);
    assert.equal(await redeem(unused.ticket), null);
    assert.ok(await redeem(used.ticket));
    assert.equal(await left(), 1);
    clock.advance(569_998);
    assert.ok(await redeem(used.ticket));
    clock.advance(1);
    assert.equal(await redeem(used.ticket), null);
    clock.advance(1);
    assert.equal(await left(), 0);
    await sql.end();
  });
});
