import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import sharp from "sharp";
import type { Chat } from "../../src/chats/words.ts";
import { startApp, type TestApp } from "../support/app.ts";
import type { Client, ProblemBody } from "../support/client.ts";
import { optionsOf, press, say, startChat } from "../support/flow.ts";
import * as uploads from "./uploads.ts";

const ADA = "01900000-0000-7000-8000-0000000000ad";
const NOWHERE = "01900000-0000-7000-8000-000000000000";
const MAX = 100_000;

type Shown = { upload_id: string; state: string; error: { code: string } | null };

describe("an attachment", () => {
  let app: TestApp;
  let chat: Chat;
  let picture: Uint8Array<ArrayBuffer>;
  before(async () => {
    app = await startApp({ UPLOAD_MAX_BYTES: String(MAX) });
    chat = await startChat(app.client);
    picture = await uploads.picture();
  });
  after(() => app[Symbol.asyncDispose]());

  const presign = async (client: Client = app.client, content_type = "image/png", size = picture.length) => {
    const { upload_url, ...signed } = await uploads.presign(client, { content_type, size });
    return { ...signed, upload_url: upload_url ?? "" };
  };
  const { put } = uploads;
  const attach = (ids: string[]) =>
    app.client.post<ProblemBody>(`/chats/${chat.id}/messages`, { text: "a fox", attachments: ids });
  const refused = async (ids: string[], paths: string[]) => {
    const { status, body } = await attach(ids);
    assert.deepEqual([status, body.code], [422, "attachment_not_ready"]);
    assert.deepEqual(
      body.errors?.map(({ path }) => path),
      paths,
    );
    return body.errors?.map(({ message }) => message) ?? [];
  };
  const messages = async () => {
    const { body } = await app.client.get<{ items: unknown[] }>(`/chats/${chat.id}/messages`);
    return body.items.length;
  };

  it("that was never uploaded, is unknown or is another's is refused by its place, and nothing is said", async () => {
    const good = await presign();
    await put(good.upload_url, picture);
    const absent = await presign();
    const ada = await app.as(ADA);
    const hers = await presign(ada);
    await put(hers.upload_url, picture);
    const before = await messages();
    const reasons = await refused(
      [good.upload_id, absent.upload_id, NOWHERE, hers.upload_id],
      ["/attachments/1", "/attachments/2", "/attachments/3"],
    );
    assert.equal(reasons[1], reasons[2], "another's looks like none");
    assert.equal(await messages(), before);
    for (const path of [`/attachments/${hers.upload_id}`, `/attachments/${NOWHERE}`]) {
      assert.equal((await app.client.get(path)).status, 404);
    }
    // Late is not never.
    await put(absent.upload_url, picture);
    await say(app.client, chat.id, "a fox", [absent.upload_id]);
  });

  it("whose bytes are not what they claim is refused for good", async () => {
    const lies: [string, BodyInit, string][] = [
      ["a page", "<!doctype html><script>alert(1)</script>", "type_mismatch"],
      ["a drawing", '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "type_mismatch"],
      ["another type", new Uint8Array(await sharp(picture).jpeg().toBuffer()), "type_mismatch"],
      ["half a picture", picture.slice(0, 20), "type_mismatch"],
      ["text", "just words", "type_mismatch"],
    ];
    for (const [what, body, code] of lies) {
      const size = new Blob([body as BlobPart]).size;
      const { upload_url, upload_id, download_url } = await presign(app.client, "image/png", size);
      assert.equal((await put(upload_url, body)).status, 200);
      await refused([upload_id], ["/attachments/0"]);
      const { body: shown } = await app.client.get<Shown>(`/attachments/${upload_id}`);
      assert.deepEqual([shown.state, shown.error?.code], ["rejected", code], what);
      assert.equal((await fetch(download_url, { redirect: "manual" })).status, 404, what);
      // A second upload changes nothing.
      await put(upload_url, picture);
      await refused([upload_id], ["/attachments/0"]);
    }
  });

  it("that is larger than was said, or than the limit, is refused", async () => {
    const noisy = new Uint8Array(
      await sharp({
        create: {
          width: 300,
          height: 200,
          channels: 3,
          background: "#000",
          noise: { type: "gaussian", mean: 128, sigma: 60 },
        },
      })
        .png()
        .toBuffer(),
    );
    assert.ok(noisy.length > MAX);
    const small = await presign(app.client, "image/png", 100);
    await put(small.upload_url, picture);
    await refused([small.upload_id], ["/attachments/0"]);
    assert.equal((await app.client.get<Shown>(`/attachments/${small.upload_id}`)).body.error?.code, "too_large");
    for (const size of [MAX + 1, 1e12]) {
      const { status, body } = await app.client.post<ProblemBody>("/attachments/presign", {
        file_name: "a.png",
        content_type: "image/png",
        size,
      });
      assert.deepEqual([status, body.code, body.errors?.[0]?.path], [422, "validation_failed", "/size"]);
    }
    const large = await presign();
    await put(large.upload_url, noisy);
    await refused([large.upload_id], ["/attachments/0"]);
  });

  it("is not signed for what makes no sense", async () => {
    const file = { file_name: "a.png", content_type: "image/png", size: 10 };
    const refusals: [object, string][] = [
      [{ size: 0 }, "/size"],
      [{ size: -1 }, "/size"],
      [{ size: 1.5 }, "/size"],
      [{ size: "10" }, "/size"],
      [{ file_name: "" }, "/file_name"],
      [{ file_name: "a\0.png" }, "/file_name"],
      [{ file_name: "a".repeat(256) }, "/file_name"],
      [{ content_type: "text/html" }, "/content_type"],
      [{ content_type: "image/svg+xml" }, "/content_type"],
      [{ content_type: "image" }, "/content_type"],
    ];
    for (const [change, path] of refusals) {
      const { status, body } = await app.client.post<ProblemBody>("/attachments/presign", { ...file, ...change });
      assert.deepEqual([status, body.code, body.errors?.[0]?.path], [422, "validation_failed", path]);
    }
  });

  it("once it was verified cannot be changed by whoever holds the upload URL", async () => {
    const { upload_url, upload_id, download_url } = await presign();
    await put(upload_url, picture);
    await say(app.client, chat.id, "a fox", [upload_id]);
    await put(upload_url, "<!doctype html>");
    const served = await fetch(download_url);
    assert.equal(served.headers.get("content-type"), "image/png");
    assert.equal(served.headers.get("x-content-type-options"), "nosniff");
    assert.deepEqual(new Uint8Array(await served.arrayBuffer()), picture);
    // The upload itself is never served.
    assert.notEqual((await fetch(upload_url)).status, 200);
    const { pathname, origin } = new URL(upload_url);
    assert.notEqual((await fetch(`${origin}${pathname}`)).status, 200);
  });

  it("is downloaded by its link alone, which cannot be made up", async () => {
    const { upload_url, download_url, upload_id } = await presign();
    assert.equal((await fetch(download_url)).status, 404, "nothing was uploaded");
    await put(upload_url, picture);
    assert.equal((await fetch(download_url)).status, 200, "the link itself has it verified");
    const link = new URL(download_url);
    const variants = [
      ["signature", ""],
      ["signature", "A".repeat(43)],
      ["expires", "9999999999"],
      ["expires", "0"],
      ["expires", "soon"],
    ];
    for (const [name = "", value = ""] of variants) {
      const forged = new URL(link);
      forged.searchParams.set(name, value);
      assert.equal((await fetch(forged)).status, 404, `${name}=${value}`);
    }
    const other = await presign();
    const moved = new URL(link);
    moved.pathname = `/attachments/${other.upload_id}/file`;
    assert.equal((await fetch(moved)).status, 404);
    assert.equal((await fetch(`${app.url}/attachments/${upload_id}/file`)).status, 404);
  });

  it("may be used in many messages and by many jobs", async () => {
    const { upload_url, upload_id } = await presign();
    await put(upload_url, picture);
    const said = await Promise.all(
      Array.from({ length: 5 }, () => say(app.client, chat.id, "[fail] make it snow", [upload_id])),
    );
    const jobs = await Promise.all(said.map((one) => press(app.client, optionsOf(one)[0] ?? "")));
    assert.equal(new Set(jobs).size, 5);
  });
});
