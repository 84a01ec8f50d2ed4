import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import sharp from "sharp";
import type { Chat, ChatDetail, Message } from "../../src/chats/words.ts";
import type { JobDetail } from "../../src/jobs/words.ts";
import type { Option } from "../../src/options/words.ts";
import type { Envelope } from "../../src/streams/envelope.ts";
import type { ProblemBody } from "../support/client.ts";
import { getJob, jobWhen, optionsOf, press, type Said, say, startChat } from "../support/flow.ts";
import { metricsOf } from "../support/metrics.ts";
import { type Remote, startRemote } from "../support/remote.ts";
import { RUNTIMES, type Runtime } from "../support/server.ts";

const DEMO_USER = "00000000-0000-0000-0000-000000000001";
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const NOWHERE = "01900000-0000-7000-8000-000000000000";

type Page<T> = { items: T[]; next_cursor: string | null };
type Presigned = { upload_url: string; download_url: string; upload_id: string };

const contract = (runtime: Runtime) => () => {
  let app: Remote;
  before(async () => {
    app = await startRemote(runtime);
  });
  after(() => app[Symbol.asyncDispose]());

  describe("chats", () => {
    it("are created with exactly the fields of the contract", async () => {
      const { status, headers, body } = await app.client.post<Chat>("/chats", { title: "Red foxes" });
      assert.equal(status, 201);
      assert.equal(headers.get("location"), `/chats/${body.id}`);
      assert.deepEqual(body, {
        id: body.id,
        user_id: DEMO_USER,
        title: "Red foxes",
        message_count: 0,
        last_message_at: null,
        created_at: body.created_at,
      });
      assert.match(body.id, UUID);
      assert.match(body.created_at, INSTANT);
    });

    it("are read, renamed and deleted", async () => {
      const chat = await startChat(app.client, "Before");
      const path = `/chats/${chat.id}`;
      const read = await app.client.get<ChatDetail>(path);
      assert.deepEqual(read.body, { ...chat, cursor: 1 });
      const renamed = await app.client.send<Chat>("PATCH", path, { body: { title: "After" } });
      assert.deepEqual([renamed.status, renamed.body], [200, { ...chat, title: "After" }]);
      assert.equal((await app.client.get<Chat>(path)).body.title, "After");
      const gone = await app.client.send("DELETE", path);
      assert.deepEqual([gone.status, gone.body], [204, ""]);
      assert.equal((await app.client.get(path)).status, 404);
    });

    it("are listed newest first, page by page, each once", async () => {
      const client = await app.as("01900000-0000-7000-8000-00000000c0de");
      const made: string[] = [];
      for (let n = 0; n < 5; n++) made.unshift((await startChat(client, `Chat ${n}`)).id);
      const listed: string[] = [];
      const sizes: number[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const page: { body: Page<Chat> } = await client.get(`/chats?limit=2${cursor && `&cursor=${cursor}`}`);
        listed.push(...page.body.items.map(({ id }) => id));
        sizes.push(page.body.items.length);
        cursor = page.body.next_cursor;
      }
      assert.deepEqual(listed, made);
      assert.deepEqual(sizes, [2, 2, 1]);
    });
  });

  describe("messages", () => {
    it("are answered by the assistant with the contract's words, text and button in turn", async () => {
      const chat = await startChat(app.client);
      const { status, body } = await app.client.post<Said>(`/chats/${chat.id}/messages`, {
        text: "A red fox in the snow",
        attachments: [],
      });
      assert.equal(status, 201);
      const [image, video] = optionsOf(body);
      const chunks = [
        { type: "text", text: "Fast & low-cost photorealistic image generation" },
        { type: "button", label: "Generate (Text To Image)", option_id: image },
        { type: "text", text: "Cinematic video with smooth motion, higher cost & latency" },
        { type: "button", label: "Generate (Text To Video)", option_id: video },
      ];
      assert.deepEqual(body, {
        message: {
          id: body.message.id,
          chat_id: chat.id,
          author_type: "assistant",
          content_text: null,
          render_payload: chunks,
          attachments: [],
          created_at: body.message.created_at,
        },
        render_chunks: chunks,
      });
      assert.match(body.message.id, UUID);
      assert.match(body.message.created_at, INSTANT);
    });

    it("are stored, the user's before the assistant's, and counted by the chat", async () => {
      const chat = await startChat(app.client);
      const first = await say(app.client, chat.id, "A red fox");
      const second = await say(app.client, chat.id, "A blue one");
      const path = `/chats/${chat.id}/messages`;
      const { body } = await app.client.get<Page<Message>>(`${path}?limit=3`);
      assert.deepEqual(
        body.items.map(({ author_type, content_text }) => [author_type, content_text]),
        [
          ["user", "A red fox"],
          ["assistant", null],
          ["user", "A blue one"],
        ],
      );
      assert.deepEqual(body.items[1], first.message);
      const rest = await app.client.get<Page<Message>>(`${path}?limit=3&cursor=${body.next_cursor}`);
      assert.deepEqual(rest.body, { items: [second.message], next_cursor: null });
      assert.deepEqual((await app.client.get(`${path}/${second.message.id}`)).body, second.message);
      const counted = (await app.client.get<Chat>(`/chats/${chat.id}`)).body;
      assert.equal(counted.message_count, 4);
      assert.equal(counted.last_message_at, second.message.created_at);
    });

    it("give options that can be read one by one, by message and by chat", async () => {
      const chat = await startChat(app.client);
      const said = await say(app.client, chat.id, "A red fox in the snow");
      const other = await say(app.client, chat.id, "A picture of a wolf, no video");
      const ids = optionsOf(said);
      const { body: option } = await app.client.get<Option>(`/options/${ids[0]}`);
      assert.deepEqual(option, {
        id: ids[0],
        chat_id: chat.id,
        message_id: said.message.id,
        tool_type: "text_to_image",
        model_key: "nano_banana",
        label: "Generate (Text To Image)",
        description: "Fast & low-cost photorealistic image generation",
        prompt: "A red fox in the snow",
        enhanced_prompt: option.enhanced_prompt,
        params: option.params,
        attachments: [],
        created_at: said.message.created_at,
      });
      assert.ok(option.enhanced_prompt.startsWith("A red fox in the snow"));
      const idsOf = ({ items }: Page<Option>) => items.map(({ id }) => id);
      const ofChat = await app.client.get<Page<Option>>(`/chats/${chat.id}/options`);
      assert.deepEqual(idsOf(ofChat.body), [...ids, ...optionsOf(other)]);
      const ofMessage = await app.client.get<Page<Option>>(
        `/chats/${chat.id}/messages/${said.message.id}/options?limit=1`,
      );
      assert.deepEqual(idsOf(ofMessage.body), ids.slice(0, 1));
      const next = await app.client.get<Page<Option>>(
        `/chats/${chat.id}/messages/${said.message.id}/options?limit=1&cursor=${ofMessage.body.next_cursor}`,
      );
      assert.deepEqual([idsOf(next.body), next.body.next_cursor], [ids.slice(1), null]);
    });
  });

  describe("a generation", () => {
    it("needs an Idempotency-Key", async () => {
      const chat = await startChat(app.client);
      const [option] = optionsOf(await say(app.client, chat.id, "A red fox"));
      const { status, headers, body } = await app.client.post<ProblemBody>(`/options/${option}/generate`);
      assert.equal(status, 400);
      assert.equal(headers.get("content-type"), "application/problem+json");
      assert.equal(body.code, "bad_request");
      assert.match(body.detail ?? "", /Idempotency-Key/);
    });

    it("goes from a message to a picture that a browser opens, live all the way", async () => {
      const chat = await startChat(app.client);
      const live = await app.client.events(`/sse/${chat.id}?after=0`);
      const said = await say(app.client, chat.id, "A red fox in the snow");
      const [option = ""] = optionsOf(said);
      const pressed = await app.client.post<{ job_id: string }>(
        `/options/${option}/generate`,
        {},
        { "Idempotency-Key": "fox-1" },
      );
      assert.equal(pressed.status, 202);
      const { job_id } = pressed.body;
      assert.deepEqual(pressed.body, { job_id });
      assert.equal(pressed.headers.get("location"), `/options/jobs/${job_id}`);
      assert.match(pressed.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
      assert.equal(pressed.headers.get("idempotency-replayed"), null);

      await live.until(({ data }) => (data as Envelope).type === "darkroom.job.succeeded");
      live.close();
      // Beside them, where the job stands may be told: that is not in the log.
      const logged = live.seen.filter(({ id }) => id !== undefined);
      const names = logged.map(({ event }) => event);
      assert.deepEqual(names.slice(1, 5), ["message.created", "message.created", "option.created", "option.created"]);
      assert.deepEqual(new Set(names.slice(5)), new Set(["job.updated"]));
      logged.forEach(({ id, data }, index) => {
        const envelope = data as Envelope;
        assert.equal(id, String(index + 1), "ids are the stream's seq, without a gap");
        assert.equal(envelope.specversion, "1.0");
        assert.equal(envelope.sequence, id);
        assert.equal(envelope.stream, chat.id);
      });
      const jobs = logged.slice(5).map(({ data }) => (data as Envelope).data as unknown as JobDetail);
      const statuses = jobs.map(({ status }) => status);
      assert.deepEqual([...new Set(statuses)], ["QUEUED", "RUNNING", "SUCCEEDED"]);

      const job = await app.client.get<JobDetail>(`/options/jobs/${job_id}`);
      assert.equal(job.status, 200);
      const { result, outputs, cursor, prompt, params, stream, queue_position, eta_seconds, ...same } = job.body;
      const { result: told, outputs: toldOutputs, ...last } = jobs.at(-1) as JobDetail;
      assert.deepEqual(last, same, "an event holds the fields of its GET");
      assert.deepEqual([told?.size_bytes, toldOutputs.length], [result?.size_bytes, outputs.length]);
      assert.equal(cursor, logged.length);
      assert.equal(stream, chat.id);
      assert.deepEqual([queue_position, eta_seconds], [null, null], "nothing is expected of what has ended");
      assert.ok(prompt.startsWith("A red fox in the snow"));
      assert.equal(typeof params, "object");

      assert.deepEqual(
        { job_id: same.job_id, status: same.status, error: same.error, retry: same.retry_after_seconds },
        { job_id, status: "SUCCEEDED", error: null, retry: 10 },
      );
      assert.ok(result);
      assert.deepEqual(Object.keys(result).sort(), ["mime", "min_url", "raw_url", "size_bytes", "thumbnails"]);
      assert.equal(result.mime, "image/jpeg");
      const raw = await fetch(result.raw_url);
      const bytes = await raw.arrayBuffer();
      assert.equal(raw.headers.get("content-type"), "image/jpeg");
      assert.equal(bytes.byteLength, result.size_bytes);
      const picture = await sharp(bytes).metadata();
      assert.equal(picture.format, "jpeg");
      assert.ok(picture.width >= 512 && picture.height >= 512);
      const min = await sharp(await (await fetch(result.min_url)).arrayBuffer()).metadata();
      assert.equal(min.format, "webp");
      assert.ok(result.thumbnails.length > 0);
      for (const { url, width, height } of result.thumbnails) {
        const thumbnail = await sharp(await (await fetch(url)).arrayBuffer()).metadata();
        assert.deepEqual([thumbnail.width, thumbnail.height], [width, height]);
      }
    });

    it("of the video option is a moving picture", async () => {
      const chat = await startChat(app.client);
      const [, video = ""] = optionsOf(await say(app.client, chat.id, "A red fox in the snow"));
      const job = await jobWhen(app.client, await press(app.client, video));
      assert.deepEqual([job.status, job.tool_type], ["SUCCEEDED", "text_to_video"]);
      assert.equal(job.result?.mime, "image/webp");
      const { pages = 0 } = await sharp(await (await fetch(job.result.raw_url)).arrayBuffer()).metadata();
      assert.ok(pages > 1, `${pages} frames`);
    });

    it("gives the same job for the same key again, and says so", async () => {
      const chat = await startChat(app.client);
      const [option = "", another = ""] = optionsOf(await say(app.client, chat.id, "[fail] a red fox"));
      const ask = (body: unknown, id = option) =>
        app.client.post<{ job_id: string } & ProblemBody>(`/options/${id}/generate`, body, {
          "Idempotency-Key": "same",
        });
      const first = await ask({});
      const again = await ask(undefined);
      assert.equal(again.status, 202);
      assert.deepEqual(again.body, first.body);
      assert.equal(again.headers.get("idempotency-replayed"), "true");
      assert.equal(again.headers.get("location"), first.headers.get("location"));
      for (const reused of [await ask({ params: { aspect_ratio: "16:9" } }), await ask({}, another)]) {
        assert.deepEqual([reused.status, reused.body.code], [422, "idempotency_key_reused"]);
        assert.equal(reused.body.retryable, false);
      }
      const listed = await app.client.get<Page<JobDetail>>(`/jobs?chat_id=${chat.id}`);
      assert.equal(listed.body.items.length, 1);
    });

    it("makes one job of a hundred identical requests at once", async () => {
      const chat = await startChat(app.client);
      const [option = ""] = optionsOf(await say(app.client, chat.id, "[fail] a crowd of foxes"));
      const answers = await Promise.all(
        Array.from({ length: 100 }, () =>
          app.client.post<{ job_id: string }>(`/options/${option}/generate`, {}, { "Idempotency-Key": "crowd" }),
        ),
      );
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([202]));
      assert.equal(new Set(answers.map(({ body }) => body.job_id)).size, 1);
      const fresh = answers.filter(({ headers }) => headers.get("idempotency-replayed") === null);
      assert.equal(fresh.length, 1);
      const listed = await app.client.get<Page<JobDetail>>(`/jobs?chat_id=${chat.id}`);
      assert.equal(listed.body.items.length, 1);
    });

    it("is logged when it is created, with the fields of the contract", async () => {
      const chat = await startChat(app.client);
      const [option = ""] = optionsOf(await say(app.client, chat.id, "[fail] a red fox"));
      const job = await press(app.client, option);
      const line = app.lines().find(({ event, job_id }) => event === "job_created" && job_id === job);
      assert.deepEqual(
        { ...line, timeout_at: undefined, time: undefined, msg: undefined },
        {
          level: "info",
          time: undefined,
          msg: undefined,
          event: "job_created",
          job_id: job,
          option_id: option,
          user_id: DEMO_USER,
          tool_type: "text_to_image",
          model_key: "nano_banana",
          timeout_at: undefined,
        },
      );
      assert.match(String(line?.timeout_at), INSTANT);
    });
  });

  describe("polling a job", () => {
    it("shows QUEUED, then RUNNING with the true time to the next poll, then the end", async () => {
      await using slow = await startRemote(runtime, {
        PROVIDER_CONCURRENCY: "1",
        POLL_MIN_MS: "1500",
        POLL_MAX_MS: "3000",
      });
      const chat = await startChat(slow.client);
      const [stuck = ""] = optionsOf(await say(slow.client, chat.id, "[stuck] in front"));
      const [failing = ""] = optionsOf(await say(slow.client, chat.id, "[fail] behind"));
      const first = await press(slow.client, stuck);
      await jobWhen(slow.client, first, ({ state }) => state === "running.waiting");
      const second = await press(slow.client, failing);
      const path = `/options/jobs/${second}`;

      const { body: queued } = await slow.client.get<JobDetail>(path);
      assert.deepEqual([queued.status, queued.result, queued.error], ["QUEUED", null, null]);
      assert.ok(queued.retry_after_seconds >= 1);

      await slow.client.post(`/jobs/${first}/cancel`);
      await jobWhen(slow.client, second, ({ state }) => state === "running.waiting");
      const { headers, body: running } = await slow.client.get<JobDetail>(path);
      assert.deepEqual([running.status, running.result, running.error], ["RUNNING", null, null]);
      // 1.5 s ± 20 %, rounded up.
      assert.equal(running.retry_after_seconds, 2);
      const left = Date.parse(String(running.next_poll_at)) - Date.now();
      assert.ok(left > 0 && left <= 1800, `${left} ms`);

      const etag = headers.get("etag") ?? "";
      assert.match(etag, /^W\/"[^"]+"$/);
      const unchanged = await slow.client.get(path, { "If-None-Match": etag });
      assert.deepEqual([unchanged.status, unchanged.body], [304, ""]);
      assert.equal(unchanged.headers.get("etag"), etag);

      const began = performance.now();
      const ended = await jobWhen(slow.client, second);
      assert.ok(performance.now() - began >= left - 100, "it was not polled before it said");
      assert.equal(ended.status, "FAILED");
      assert.equal(ended.error?.code, "generation_failed");
      assert.equal((await slow.client.get(path, { "If-None-Match": etag })).status, 200);
    });
  });

  describe("attachments", () => {
    it("are uploaded by a signed URL and make options that use them", async () => {
      const picture = await sharp({ create: { width: 64, height: 48, channels: 3, background: "#b5651d" } })
        .jpeg()
        .toBuffer();
      const signed = await app.client.post<Presigned>("/attachments/presign", {
        file_name: "fox.jpg",
        content_type: "image/jpeg",
        size: picture.length,
      });
      assert.equal(signed.status, 200);
      const { upload_url, download_url, upload_id } = signed.body;
      assert.deepEqual(signed.body, { upload_url, download_url, upload_id });
      const put = await fetch(upload_url, {
        method: "PUT",
        headers: { "content-type": "image/jpeg" },
        body: new Uint8Array(picture),
      });
      assert.equal(put.status, 200);

      const chat = await startChat(app.client);
      const said = await say(app.client, chat.id, "Make it snow", [upload_id]);
      const { body } = await app.client.get<Page<Option>>(`/chats/${chat.id}/options`);
      assert.ok(body.items.some(({ tool_type }) => tool_type === "image_to_image"));
      assert.ok(body.items.some(({ tool_type }) => tool_type === "image_to_video"));
      for (const { tool_type, attachments } of body.items) {
        assert.deepEqual(attachments, tool_type.startsWith("image_") ? [upload_id] : [], tool_type);
      }
      const { body: messages } = await app.client.get<Page<Message>>(`/chats/${chat.id}/messages`);
      assert.deepEqual(messages.items[0]?.attachments, [upload_id]);

      const [edit = ""] = optionsOf(said);
      const job = await jobWhen(app.client, await press(app.client, edit));
      assert.deepEqual([job.status, job.tool_type], ["SUCCEEDED", "image_to_image"]);

      const downloaded = await fetch(download_url);
      assert.equal(downloaded.headers.get("content-type"), "image/jpeg");
      assert.deepEqual(new Uint8Array(await downloaded.arrayBuffer()), new Uint8Array(picture));
    });
  });

  describe("the stream of a chat", () => {
    it("begins now without a cursor, and resumes after Last-Event-ID or ?after=", async () => {
      const chat = await startChat(app.client);
      await say(app.client, chat.id, "Said before");
      const live = await app.client.events(`/sse/${chat.id}`);
      assert.match(live.response.headers.get("content-type") ?? "", /^text\/event-stream/);
      const later = say(app.client, chat.id, "Said later");
      const first = await live.next();
      live.close();
      await later;
      assert.equal(first?.event, "message.created");
      assert.equal(((first?.data as Envelope).data as unknown as Message).content_text, "Said later");

      const { body: head } = await app.client.get<ChatDetail>(`/chats/${chat.id}`);
      const seqs = async (path: string, headers: Record<string, string>) => {
        const events = await app.client.events(path, headers);
        await events.until(({ id }) => Number(id) === head.cursor);
        events.close();
        return events.seen.map(({ id }) => Number(id));
      };
      const from = (after: number) => Array.from({ length: head.cursor - after }, (_, n) => after + 1 + n);
      assert.deepEqual(await seqs(`/sse/${chat.id}?after=0`, {}), from(0));
      assert.deepEqual(await seqs(`/sse/${chat.id}?after=4`, {}), from(4));
      assert.deepEqual(await seqs(`/sse/${chat.id}`, { "Last-Event-ID": "6" }), from(6));
      assert.deepEqual(await seqs(`/sse/${chat.id}?after=0`, { "Last-Event-ID": "7" }), from(7), "the later one wins");
    });

    it("misses nothing that happens after it was answered", async () => {
      const firsts = await Promise.all(
        Array.from({ length: 40 }, async () => {
          const chat = await startChat(app.client);
          const live = await app.client.events(`/sse/${chat.id}`);
          const [first] = await Promise.all([live.next(2000), say(app.client, chat.id, "At once")]);
          live.close();
          return first?.id;
        }),
      );
      assert.deepEqual(new Set(firsts), new Set(["2"]));
    });

    it("is reset with a fresh snapshot when the cursor is beyond its head", async () => {
      const chat = await startChat(app.client);
      const events = await app.client.events(`/sse/${chat.id}?after=999`);
      const reset = await events.next();
      assert.deepEqual(reset, {
        id: "1",
        event: "reset",
        data: { cursor: 1, data: { ...chat, cursor: 1 } },
      });
      const said = say(app.client, chat.id, "Still here?");
      const next = await events.next();
      events.close();
      await said;
      assert.deepEqual([next?.id, next?.event], ["2", "message.created"]);
    });

    it("refuses a cursor that is none", async () => {
      const chat = await startChat(app.client);
      for (const after of ["-1", "one", "1.5", "1e3", "99999999999999999999"]) {
        const { status, body } = await app.client.get<ProblemBody>(`/sse/${chat.id}?after=${after}`);
        assert.deepEqual([status, body.code], [422, "validation_failed"], after);
      }
    });
  });

  describe("operations", () => {
    it("tell the health of each dependency", async () => {
      const { status, body } = await app.client.get<{ status: string; checks: Record<string, { status: string }> }>(
        "/healthz",
      );
      assert.equal(status, 200);
      assert.equal(body.status, "ok");
      for (const name of ["postgres", "storage", "bus"]) assert.equal(body.checks[name]?.status, "ok", name);
    });

    it("show the documentation", async () => {
      const { status, headers, body } = await app.client.get<string>("/docs");
      assert.equal(status, 200);
      assert.match(headers.get("content-type") ?? "", /^text\/html/);
      assert.doesNotMatch(body, /(src|href)="https?:/, "it works without the internet");
    });

    it("count with the contract's names", async () => {
      await using fresh = await startRemote(runtime);
      const labels = { tool_type: "text_to_image", model_key: "nano_banana" };
      const chat = await startChat(fresh.client);
      const options = await Promise.all(
        ["[stuck] one", "[fail] two", "three"].map(
          async (text) => optionsOf(await say(fresh.client, chat.id, text))[0],
        ),
      );
      const [stuck = "", ...others] = await Promise.all(options.map((option = "") => press(fresh.client, option)));
      for (const job of others) await jobWhen(fresh.client, job);
      await jobWhen(fresh.client, stuck, ({ state }) => state === "running.waiting");
      const metrics = await metricsOf(fresh.client);
      assert.equal(metrics.value("jobs_created_total", labels), 3);
      assert.equal(metrics.value("jobs_succeeded_total", labels), 1);
      assert.equal(metrics.value("jobs_failed_total", { ...labels, error_code: "generation_failed" }), 1);
      assert.equal(metrics.value("queue_depth"), 1);
      assert.ok(metrics.value("provider_polls_total") >= 3);
      assert.equal(metrics.value("darkroom_effect_seconds_count", { effect: "submit", outcome: "accepted" }), 3);
      assert.ok(metrics.value("darkroom_units_total", { outcome: "won" }) > 10);
      assert.equal((await getJob(fresh.client, stuck)).status, "RUNNING");
    });

    it("answer problem documents for what is not there", async () => {
      const paths = ["/nowhere", `/chats/${NOWHERE}`, `/options/${NOWHERE}`, `/options/jobs/${NOWHERE}`, "/chats/1"];
      for (const path of [...paths, `/sse/${NOWHERE}`, `/jobs/${NOWHERE}/stream`]) {
        const { status, headers, body } = await app.client.get<ProblemBody>(path);
        assert.deepEqual([status, body.code, body.status], [404, "not_found", 404], path);
        assert.equal(headers.get("content-type"), "application/problem+json");
      }
      const wrong = await app.client.send<ProblemBody>("PUT", "/chats");
      assert.deepEqual([wrong.status, wrong.body.code], [405, "method_not_allowed"]);
      assert.equal(wrong.headers.get("allow"), "GET, HEAD, POST");
    });
  });
};

for (const runtime of RUNTIMES) describe(`service A on ${runtime}, by its contract`, contract(runtime));
