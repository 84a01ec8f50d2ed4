import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Static } from "@sinclair/typebox";
import sharp from "sharp";
import type { BatchDetail, BatchMetrics } from "../../src/batches/words.ts";
import type { Envelope } from "../../src/streams/envelope.ts";
import { type Client, createClient, type ProblemBody } from "../support/client.ts";
import { type Remote, startRemote } from "../support/remote.ts";
import { RUNTIMES, type Runtime } from "../support/server.ts";
import { openSocket, upgradeStatus } from "../support/socket.ts";

type Token = { access_token: string; token_type: string; expires_in: number };
type Created = { job_id: string; status: string };
type Snapshot = { event: string; cursor: number; data: BatchDetail };

const NOWHERE = "01900000-0000-7000-8000-000000000000";
const isEnd = (frame: unknown) => (frame as Envelope).type === "darkroom.batch.succeeded";
/** The signature and its date change from one signing to the next; the rest of a URL does not. */
const unsigned = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll(/\?X-Amz[^"]*/g, ""));

const contract = (runtime: Runtime) => () => {
  let app: Remote;
  let client: Client;
  let token: string;
  before(async () => {
    app = await startRemote(runtime);
    const { body } = await app.client.post<Token>("/api/auth/login", {
      email: "test@example.com",
      password: "password123",
    });
    token = body.access_token;
    client = createClient(() => app.url, { Authorization: `Bearer ${token}` });
  });
  after(() => app[Symbol.asyncDispose]());

  it("tells its health", async () => {
    const { status, body } = await app.client.get<{ status: string }>("/health");
    assert.deepEqual([status, body.status], [200, "ok"]);
  });

  it("logs the demo user in with a JWT", async () => {
    const { status, body } = await app.client.post<Token>("/api/auth/login", {
      email: "test@example.com",
      password: "password123",
    });
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body).sort(), ["access_token", "expires_in", "token_type"]);
    assert.equal(body.token_type, "bearer");
    assert.equal(body.expires_in, 3600);
    assert.equal(body.access_token.split(".").length, 3);
    const wrong = await app.client.post<ProblemBody>("/api/auth/login", {
      email: "test@example.com",
      password: "password1234",
    });
    assert.deepEqual([wrong.status, wrong.body.code], [401, "invalid_credentials"]);
  });

  it("always needs a token", async () => {
    const refused = await app.client.post<ProblemBody>("/api/generate", { prompt: "A fox", num_images: 1 });
    assert.deepEqual([refused.status, refused.body.code], [401, "unauthenticated"]);
    assert.match(refused.headers.get("www-authenticate") ?? "", /^Bearer/);
    for (const path of ["", `/${NOWHERE}`, `/${NOWHERE}/stream`, `/${NOWHERE}/metrics`]) {
      assert.equal((await app.client.get(`/api/generate${path}`)).status, 401, path);
    }
    assert.equal((await app.client.post(`/api/generate/${NOWHERE}/cancel`)).status, 401);
    assert.equal(await upgradeStatus(`${app.url}/api/generate/${NOWHERE}`), 401);
    assert.equal(await upgradeStatus(`${app.url}/api/generate/${NOWHERE}?token=x.y.z`), 401);
    assert.equal(await upgradeStatus(`${app.url}/api/generate/${NOWHERE}?token=${token}`), 404);
  });

  describe("five images of one prompt", () => {
    let created: { status: number; headers: Headers; body: Created };
    let sse: readonly unknown[];
    let frames: readonly unknown[];
    let ids: (string | undefined)[];
    before(async () => {
      created = await client.post<Created>("/api/generate", { prompt: "A red fox in the snow", num_images: 5 });
      const path = `/api/generate/${created.body.job_id}`;
      const events = await client.events(`${path}/stream?after=0`);
      const socket = await openSocket(`${app.url}${path}?token=${token}&after=0`);
      const [all] = await Promise.all([events.rest(), socket.until(isEnd)]);
      assert.equal(await socket.closed, 1000);
      // Beside them, where the jobs stand may be told: that is not in the log.
      const logged = all.filter(({ id }) => id !== undefined);
      sse = logged.map(({ data }) => data);
      ids = logged.map(({ id }) => id);
      frames = socket.seen.filter((frame) => (frame as Partial<Envelope>).sequence !== undefined);
    });

    it("are taken with 202, an id and a status", () => {
      assert.equal(created.status, 202);
      assert.deepEqual(created.body, { job_id: created.body.job_id, status: "QUEUED" });
      assert.equal(created.headers.get("location"), `/api/generate/${created.body.job_id}`);
      assert.match(created.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    });

    it("are all there in the end, real pictures, each another one", async () => {
      const { status, headers, body } = await client.get<BatchDetail>(`/api/generate/${created.body.job_id}`);
      assert.equal(status, 200);
      const { job_id, status: word, num_images, completed, failed, canceled, prompt, model_key, results } = body;
      assert.deepEqual(
        { job_id, word, num_images, completed, failed, canceled, prompt, model_key },
        {
          job_id: created.body.job_id,
          word: "SUCCEEDED",
          num_images: 5,
          completed: 5,
          failed: 0,
          canceled: 0,
          prompt: "A red fox in the snow",
          model_key: "nano_banana",
        },
      );
      assert.equal(body.cursor, ids.length);
      assert.deepEqual(
        results.map(({ index, batch_index, batch_id }) => ({ index, batch_index, batch_id })),
        [0, 1, 2, 3, 4].map((index) => ({ index, batch_index: index, batch_id: job_id })),
      );
      const pictures = await Promise.all(
        results.map(async ({ url }) => Buffer.from(await (await fetch(String(url))).arrayBuffer()).toString("base64")),
      );
      assert.equal(new Set(pictures).size, 5);
      const { format } = await sharp(Buffer.from(pictures[0] ?? "", "base64")).metadata();
      assert.equal(format, "jpeg");
      const etag = headers.get("etag") ?? "";
      const unchanged = await client.get(`/api/generate/${job_id}`, { "If-None-Match": etag });
      assert.deepEqual([unchanged.status, unchanged.body], [304, ""]);
    });

    it("came live, in order, without a gap, ending with the batch", () => {
      assert.deepEqual(
        ids,
        ids.map((_, index) => String(index + 1)),
      );
      const envelopes = sse as Envelope[];
      const types = envelopes.map(({ type }) => type);
      assert.equal(types.filter((type) => type === "darkroom.job.succeeded").length, 5);
      assert.equal(types.filter((type) => type === "darkroom.batch.started").length, 1);
      assert.equal(types.at(-1), "darkroom.batch.succeeded");
      const progress = envelopes
        .filter(({ type }) => type.startsWith("darkroom.batch."))
        .map(({ data }) => Number(data.completed));
      assert.deepEqual(
        progress,
        progress.toSorted((a, b) => a - b),
      );
    });

    it("came by WebSocket with the same payloads as by SSE", () => {
      assert.deepEqual(unsigned(frames), unsigned(sse));
    });

    it("can be had again from any cursor, by SSE and by WebSocket", async () => {
      const path = `/api/generate/${created.body.job_id}`;
      const middle = ids.length - 3;
      const events = await client.events(`${path}/stream`, { "Last-Event-ID": String(middle) });
      const rest = (await events.rest()).map(({ data }) => data);
      assert.deepEqual(unsigned(rest), unsigned(sse.slice(middle)));
      const socket = await openSocket(`${app.url}${path}?token=${token}&after=${middle}`);
      assert.equal(await socket.closed, 1000);
      assert.deepEqual(unsigned(socket.seen), unsigned(sse.slice(middle)));
      const done = await client.get(`${path}/stream`, { "Last-Event-ID": String(ids.length) });
      assert.equal(done.status, 204, "an EventSource need not come back");
    });

    it("are shown at once to who comes late without a cursor", async () => {
      const path = `/api/generate/${created.body.job_id}`;
      const { body } = await client.get<BatchDetail>(path);
      const events = await (await client.events(`${path}/stream`)).rest();
      assert.equal(events.length, 1);
      const [{ id, event, data } = { id: "", event: "", data: null }] = events;
      assert.deepEqual([id, event], [String(body.cursor), "snapshot"]);
      assert.deepEqual(unsigned(data), unsigned({ cursor: body.cursor, data: body }));
      const socket = await openSocket(`${app.url}${path}?token=${token}`);
      assert.equal(await socket.closed, 1000);
      assert.deepEqual(unsigned(socket.seen), unsigned([{ event: "snapshot", cursor: body.cursor, data: body }]));
    });

    it("tell the time to the first and the total", async () => {
      const path = `/api/generate/${created.body.job_id}`;
      const { status, body } = await client.get<Static<typeof BatchMetrics>>(`${path}/metrics`);
      const { body: batch } = await client.get<BatchDetail>(path);
      assert.equal(status, 200);
      const began = Date.parse(batch.created_at);
      const ends = batch.results.map(({ finished_at }) => Date.parse(String(finished_at)) - began);
      assert.deepEqual(body, {
        job_id: batch.job_id,
        status: "SUCCEEDED",
        num_images: 5,
        completed: 5,
        ttfi_ms: Math.min(...ends),
        total_ms: Date.parse(String(batch.finished_at)) - began,
        ttfi_seconds: Math.min(...ends) / 1000,
        total_duration_seconds: (Date.parse(String(batch.finished_at)) - began) / 1000,
      });
      assert.ok(Number(body.total_ms) >= Math.max(...ends));
    });
  });

  it("shows a request that has just begun: a snapshot first, then what happens", async () => {
    const { body } = await client.post<Created>("/api/generate", { prompt: "[stuck] a fox", num_images: 2 });
    const path = `/api/generate/${body.job_id}`;
    const socket = await openSocket(`${app.url}${path}?token=${token}`);
    const first = (await socket.until(() => true)) as Snapshot;
    assert.equal(first.event, "snapshot");
    assert.equal(first.data.results.length, 2);
    const { body: metrics } = await client.get<Static<typeof BatchMetrics>>(`${path}/metrics`);
    assert.deepEqual([metrics.ttfi_seconds, metrics.total_duration_seconds], [null, null]);
    const canceled = await client.post<BatchDetail>(`${path}/cancel`);
    assert.equal(canceled.status, 202);
    await socket.until((frame) => (frame as Envelope).type === "darkroom.batch.canceled");
    assert.equal(await socket.closed, 1000);
    const seqs = (socket.seen.slice(1) as Envelope[]).map(({ sequence }) => Number(sequence));
    assert.deepEqual(
      seqs,
      seqs.map((_, index) => first.cursor + 1 + index),
    );
  });

  it("makes one image when no number is given", async () => {
    const { status, body } = await client.post<Created>("/api/generate", { prompt: "[fail] a fox" });
    assert.equal(status, 202);
    const { body: batch } = await client.get<BatchDetail>(`/api/generate/${body.job_id}`);
    assert.equal(batch.num_images, 1);
  });
};

for (const runtime of RUNTIMES) describe(`service B on ${runtime}, by its contract`, contract(runtime));
