import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import sharp from "sharp";
import type { Attachment, PartsPage } from "../../src/attachments/words.ts";
import { plainName } from "../../src/storage/plain-name.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { ProblemBody } from "../support/client.ts";
import { say, startChat } from "../support/flow.ts";
import { complete, MIB, noise, picture, postForm, presign, put, putParts, show } from "./uploads.ts";

const ADA = "01900000-0000-7000-8000-0000000000ad";
const BOB = "01900000-0000-7000-8000-0000000000b0";

describe("an upload", { timeout: 60_000 }, () => {
  let app: TestApp;
  let png: Uint8Array<ArrayBuffer>;
  before(async () => {
    app = await startApp({ UPLOAD_MAX_BYTES: String(40 * MIB) });
    png = await picture();
  });
  after(() => app[Symbol.asyncDispose]());

  /** Of random bytes behind the first of a film. */
  const film = (size: number) => {
    const bytes = new Uint8Array(randomBytes(size));
    bytes.set(new TextEncoder().encode("\0\0\0\x18ftypisom\0\0\x02\0isommp42"));
    return bytes;
  };
  const signFilm = (size: number) =>
    presign(app.client, { file_name: "fox.mp4", content_type: "video/mp4", size, method: "MULTIPART" });
  const refuses = async (path: string, body: unknown, status: number, code: string) => {
    const answer = await app.client.post<ProblemBody>(path, body);
    assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
    return answer.body.errors ?? [];
  };

  it("is told of once it is there, and then shows its size, its hash, its address and its thumbnails", async () => {
    const photo = await noise(700, 350, { IFD3: { GPSLatitudeRef: "N", GPSLatitude: "51/1 30/1 0/1" } });
    const signed = await presign(app.client, { content_type: "image/jpeg", size: photo.length });
    const { upload_id } = signed;
    assert.deepEqual(Object.keys(signed).sort(), ["download_url", "upload_id", "upload_url"]);
    const early = await complete(app.client, upload_id);
    assert.deepEqual([early.state, early.url, early.thumbnails], ["issued", null, []]);
    await put(signed.upload_url, photo, "image/jpeg");
    const done = await complete(app.client, upload_id);
    assert.deepEqual([done.state, done.mime, done.width, done.height], ["ready", "image/jpeg", 700, 350]);
    const stored = new Uint8Array(await (await fetch(done.url ?? "")).arrayBuffer());
    assert.equal((await sharp(stored).metadata()).exif, undefined, "where it was taken is nobody's business");
    assert.equal(done.sha256, createHash("sha256").update(stored).digest("hex"));
    assert.equal(done.size_bytes, stored.length);
    assert.deepEqual(
      done.thumbnails.map(({ width, height }) => [width, height]),
      [
        [256, 128],
        [512, 256],
      ],
    );
    for (const { url, width, height } of done.thumbnails) {
      const found = await sharp(await (await fetch(url)).arrayBuffer()).metadata();
      assert.deepEqual([found.format, found.width, found.height], ["webp", width, height]);
    }
    const again = await complete(app.client, upload_id);
    const shown = await show(app.client, upload_id);
    for (const same of [again, shown]) assert.deepEqual([same.state, same.sha256], [done.state, done.sha256]);
    assert.deepEqual(Object.keys(shown), Object.keys(done));
  });

  it("by a form is held to its type and size by S3 itself", async () => {
    const signed = await presign(app.client, { size: png.length, method: "POST" });
    assert.equal(signed.fields?.["Content-Type"] ?? signed.fields?.["content-type"], "image/png");
    assert.equal((await postForm(signed, new Uint8Array([...png, 0]))).status, 400, "a byte more than was said");
    const asPage = { ...signed, fields: { ...signed.fields, "Content-Type": "text/html" } };
    assert.equal((await postForm(asPage, png)).status, 403);
    const elsewhere = { ...signed, fields: { ...signed.fields, key: "attachments/x" } };
    assert.equal((await postForm(elsewhere, png)).status, 403);
    assert.equal((await complete(app.client, signed.upload_id)).state, "issued");
    assert.equal((await postForm(signed, png)).status, 204);
    assert.equal((await complete(app.client, signed.upload_id)).state, "ready");
  });

  it("in parts comes in any order and is joined when it is complete", async () => {
    const bytes = film(12 * MIB + 5);
    const signed = await signFilm(bytes.length);
    assert.equal(signed.upload_url, null);
    assert.deepEqual([signed.part_size, signed.parts?.length, signed.next_part], [5 * MIB, 3, null]);
    const parts = await putParts(bytes, signed);
    const done = await complete(app.client, signed.upload_id, { parts: parts.reverse() });
    assert.deepEqual([done.state, done.mime, done.size_bytes], ["ready", "video/mp4", bytes.length]);
    assert.equal(done.sha256, createHash("sha256").update(bytes).digest("hex"));
    const again = await complete(app.client, signed.upload_id, { parts });
    assert.equal(again.sha256, done.sha256, "and again it changes nothing");
  });

  it("in parts goes on where it was interrupted, without telling what was there before", async () => {
    const bytes = film(6 * MIB);
    const signed = await signFilm(bytes.length);
    const [first, second] = signed.parts ?? [];
    assert.ok(first && second);
    await putParts(bytes, { ...signed, parts: [second] });
    const { body } = await app.client.get<PartsPage>(`/attachments/${signed.upload_id}/parts`);
    assert.deepEqual(
      body.uploaded.map(({ part_number, size }) => [part_number, size]),
      [[2, MIB]],
    );
    await putParts(bytes, { ...body, parts: body.parts.slice(0, 1) });
    const done = await complete(app.client, signed.upload_id);
    assert.deepEqual([done.state, done.size_bytes], ["ready", bytes.length], "the parts need not be named");
    await refuses(`/attachments/${signed.upload_id}/complete`, { parts: [] }, 422, "validation_failed");
    const answer = await app.client.get<ProblemBody>(`/attachments/${signed.upload_id}/parts`);
    assert.deepEqual([answer.status, answer.body.code], [409, "conflict"]);
  });

  it("in parts is not joined of parts that were not sent, are too many or too small", async () => {
    const bytes = film(6 * MIB);
    const signed = await signFilm(bytes.length);
    const path = `/attachments/${signed.upload_id}/complete`;
    const parts = await putParts(bytes, signed);
    const wrong = [{ part_number: 1, etag: "0".repeat(32) }, parts[1], { part_number: 9, etag: "x" }, parts[1]];
    const errors = await refuses(path, { parts: wrong }, 422, "validation_failed");
    assert.deepEqual(
      errors.map((error) => error.path),
      ["/parts/0", "/parts/2", "/parts/3"],
    );
    for (const part_number of [0, 1.5, "1"]) {
      await refuses(path, { parts: [{ part_number, etag: "x" }] }, 422, "validation_failed");
    }
    const small = await signFilm(8 * MIB);
    await putParts(bytes.slice(0, 2 * MIB), { ...small, part_size: MIB });
    await refuses(`/attachments/${small.upload_id}/complete`, undefined, 422, "validation_failed");
    const large = await signFilm(6 * MIB);
    await putParts(film(10 * MIB), { ...large, part_size: 5 * MIB });
    await refuses(`/attachments/${large.upload_id}/complete`, undefined, 422, "validation_failed");
    assert.equal((await show(app.client, signed.upload_id)).state, "issued", "and can still be");
    assert.equal((await complete(app.client, signed.upload_id, { parts })).state, "ready");
  });

  it("in parts is asked for page by page when there are many", async () => {
    const most = await startApp({ UPLOAD_MAX_BYTES: String(10 ** 13) });
    try {
      const file = { content_type: "video/mp4", method: "MULTIPART" as const };
      const signed = await presign(most.client, { ...file, size: 1024 * MIB + 1 });
      const { parts = [] } = signed;
      assert.deepEqual([signed.part_size, parts.length, signed.next_part], [5 * MIB, 100, 101]);
      const path = `/attachments/${signed.upload_id}/parts`;
      const { body } = await most.client.get<PartsPage>(`${path}?from=101`);
      assert.deepEqual([body.parts.length, body.parts[0]?.part_number, body.next_part], [100, 101, 201]);
      const last = await most.client.get<PartsPage>(`${path}?from=201`);
      assert.deepEqual(
        [last.body.parts.map((part) => part.part_number), last.body.next_part],
        [[201, 202, 203, 204, 205], null],
      );
      for (const from of ["0", "1001", "-1", "x", "1e2"]) {
        assert.equal((await most.client.get(`${path}?from=${from}`)).status, 422, from);
      }
      const huge = await presign(most.client, { ...file, size: 10 ** 13 });
      const { part_size = 0 } = huge;
      assert.ok(Math.ceil(10 ** 13 / part_size) <= 1000, "never more than a thousand");
    } finally {
      await most[Symbol.asyncDispose]();
    }
  });

  it("whose parts nobody completes is not there", async () => {
    const bytes = film(6 * MIB);
    const signed = await signFilm(bytes.length);
    await putParts(bytes, signed);
    const chat = await startChat(app.client);
    const said = { text: "a fox", attachments: [signed.upload_id] };
    await refuses(`/chats/${chat.id}/messages`, said, 422, "attachment_not_ready");
    await complete(app.client, signed.upload_id);
    await say(app.client, chat.id, "a fox", [signed.upload_id]);
  });

  it("is another's business in none of its forms", async () => {
    const signed = await signFilm(6 * MIB);
    const ada = await app.as(ADA);
    for (const answer of [
      await ada.get(`/attachments/${signed.upload_id}`),
      await ada.get(`/attachments/${signed.upload_id}/parts`),
      await ada.post(`/attachments/${signed.upload_id}/complete`, {}),
    ]) {
      assert.equal(answer.status, 404);
    }
  });

  it("stands in a list, newest first, page by page", async () => {
    const ada = await app.as(ADA);
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.unshift((await presign(ada, { size: 10 })).upload_id);
    const seen: Attachment[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { body } = await ada.get<{ items: Attachment[]; next_cursor: string | null }>(
        `/attachments?limit=2${page}`,
      );
      seen.push(...body.items);
      cursor = body.next_cursor;
    }
    assert.deepEqual(
      seen.map(({ upload_id }) => upload_id),
      ids,
    );
    assert.deepEqual(new Set(seen.map(({ state }) => state)), new Set(["issued"]));
    assert.equal((await app.client.get("/attachments?limit=0")).status, 422);
  });

  it("is one of at most a hundred that a user has under way, however many are asked for at once", async () => {
    const bob = await app.as(BOB);
    const file = { file_name: "a.png", content_type: "image/png", size: png.length };
    const asked = await Promise.all(
      Array.from({ length: 120 }, () => bob.post<ProblemBody>("/attachments/presign", file)),
    );
    const good = asked.filter(({ status }) => status === 200);
    const refused = asked.filter(({ status }) => status === 429);
    assert.deepEqual([good.length + refused.length, good.length <= 100], [120, true]);
    for (const { body, headers } of refused) {
      assert.deepEqual([body.code, body.retryable], ["too_many_uploads", true]);
      assert.ok(Number(headers.get("retry-after")) >= 1);
    }
    const ids = good.map(({ body }) => (body as unknown as { upload_id: string }).upload_id);
    while (ids.length < 100) ids.push((await presign(bob, file)).upload_id);
    assert.equal((await bob.post("/attachments/presign", file)).status, 429);
    assert.equal((await app.client.post("/attachments/presign", file)).status, 200, "others are not concerned");
    const signed = (asked.find(({ status }) => status === 200)?.body ?? {}) as unknown as { upload_url: string };
    await put(signed.upload_url, png);
    await complete(bob, ids[0] ?? "");
    assert.equal((await bob.post("/attachments/presign", file)).status, 200, "one that is ready makes room");
  });

  it("keeps the name of its file, and nothing of its path", async () => {
    const names: [string, string][] = [
      ["fox.png", "fox.png"],
      ["C:\\Users\\ada\\fox.png", "fox.png"],
      ["../../etc/passwd", "passwd"],
      ["a\r\nb\u0007.png", "ab.png"],
      ["gnp.\u202exof", "gnp.xof"],
      ["лиса 🦊.png", "лиса 🦊.png"],
      ["..", "file"],
      ["dir/", "file"],
      [" \t ", "file"],
    ];
    for (const [given, wanted] of names) assert.equal(plainName(given, "file"), wanted);
    const { upload_id } = await presign(app.client, { file_name: "../x/\u202efox\n.png", size: 10 });
    assert.equal((await show(app.client, upload_id)).file_name, "fox.png");
  });
});
