/** What a page may do with presigned URLs, in a real browser, whose rules no request of ours can stand for. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { listen } from "../storage/listener.ts";
import { ORIGIN, storageOn, type Target, targets } from "../storage/targets.ts";
import { startBrowser } from "../support/browser.ts";

const STRANGER = "http://stranger.example:3000";
const PNG = "image/png";
const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

for (const { name, start } of targets()) {
  describe(`storage on ${name}`, () => {
    let target: Target;
    let storage: ReturnType<typeof storageOn>;
    let pages: Awaited<ReturnType<typeof listen>>;
    let browser: Browser;
    const used: string[] = [];
    const newKey = () => {
      used.push(`browser/${randomUUID()}`);
      return used.at(-1) as string;
    };
    const stored = async (bytes: Buffer = Buffer.from("picture")) => {
      const key = newKey();
      await storage.put(key, bytes, { size: bytes.length, mime: PNG });
      return key;
    };
    const textOf = async (key: string) => (await buffer(await storage.get(key))).toString();
    /** Runs `use` on a fresh page of an origin. */
    const onPage = async <T>(origin: string, use: (page: Page) => Promise<T>): Promise<T> => {
      const page = await browser.newPage();
      try {
        await page.goto(origin);
        return await use(page);
      } finally {
        await page.close();
      }
    };

    before(async () => {
      target = await start();
      storage = storageOn(target);
      await storage.prepare();
      pages = await listen(async () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } }));
      const here = new URL(pages.origin).host;
      browser = await startBrowser({ [new URL(ORIGIN).host]: here, [new URL(STRANGER).host]: here });
    });
    after(async () => {
      await browser?.close();
      await pages?.close();
      await storage.remove(used);
      storage.close();
      await target.close();
    });

    describe("a page in Chromium", () => {
      it("uploads, reads the ETag, and gets back what it uploaded", async () => {
        const key = newKey();
        const [put, get] = [await storage.presignPut(key, 60), await storage.url(key)];
        const seen = await onPage(ORIGIN, (page) =>
          page.evaluate(
            async ([put, get]) => {
              const body = new Blob(["picture"], { type: "image/png" });
              const sent = await fetch(put, { method: "PUT", body });
              const got = await fetch(get);
              const etags = [sent.headers.get("etag"), got.headers.get("etag")];
              return { etags, type: got.headers.get("content-type"), text: await got.text() };
            },
            [put, get] as const,
          ),
        );
        const etag = `"${(await storage.stat(key))?.etag}"`;
        assert.deepEqual(seen, { etags: [etag, etag], type: PNG, text: "picture" });
      });

      it("follows the progress of its upload", async () => {
        const [key, size] = [newKey(), 3_000_000];
        const seen = await onPage(ORIGIN, async (page) =>
          page.evaluate(
            ([url, size]) =>
              new Promise<{ status: number; etag: string | null; loaded: number }>((resolve, reject) => {
                const request = new XMLHttpRequest();
                let loaded = 0;
                request.upload.onprogress = (event) => {
                  loaded = event.loaded;
                };
                request.onload = () =>
                  resolve({ status: request.status, etag: request.getResponseHeader("etag"), loaded });
                request.onerror = () => reject(new Error("refused"));
                request.open("PUT", url);
                request.setRequestHeader("content-type", "image/png");
                request.send(new Uint8Array(size));
              }),
            [await storage.presignPut(key, 60), size] as const,
          ),
        );
        assert.deepEqual([seen.status, seen.loaded], [200, size]);
        assert.equal(seen.etag?.replaceAll('"', ""), (await storage.stat(key))?.etag);
      });

      it("uploads by a form, within its policy", async () => {
        const key = newKey();
        const { url, fields } = await storage.presignPost(key, { mime: PNG, maxBytes: 10, seconds: 60 });
        const send = (file: string) =>
          onPage(ORIGIN, (page) =>
            page.evaluate(
              async ({ url, fields, file }) => {
                const form = new FormData();
                for (const [name, value] of Object.entries(fields)) form.append(name, value);
                form.append("file", new Blob([file], { type: "image/png" }), "cat.png");
                const answer = await fetch(url, { method: "POST", body: form });
                return { status: answer.status, etag: answer.headers.get("etag"), text: await answer.text() };
              },
              { url, fields, file },
            ),
          );
        const large = await send("far too large");
        assert.equal(large.status, 400);
        assert.match(large.text, /EntityTooLarge/, "the page can read why");
        const { status, etag } = await send("picture");
        assert.equal(status, 204);
        assert.match(etag ?? "", /^"[0-9a-f]{32}"$/);
        assert.equal(await textOf(key), "picture");
      });

      it("gets a range, and sees which", async () => {
        const url = await storage.url(await stored(Buffer.from("0123456789")));
        const seen = await onPage(ORIGIN, (page) =>
          page.evaluate(async (url) => {
            const answer = await fetch(url, { headers: { range: "bytes=2-5" } });
            return [answer.status, answer.headers.get("content-range"), await answer.text()];
          }, url),
        );
        assert.deepEqual(seen, [206, "bytes 2-5/10", "2345"]);
      });

      it("reads the pixels of a picture that it has shown before without asking", async () => {
        const url = await storage.url(await stored(Buffer.from(PIXEL, "base64")));
        const pixel = await onPage(ORIGIN, (page) =>
          page.evaluate(async (url) => {
            const show = async (crossOrigin: string | null) => {
              const image = new Image();
              image.crossOrigin = crossOrigin;
              image.src = url;
              await image.decode();
              return image;
            };
            await show(null);
            const canvas = document.createElement("canvas").getContext("2d");
            canvas?.drawImage(await show("anonymous"), 0, 0);
            return canvas?.getImageData(0, 0, 1, 1).data.length;
          }, url),
        );
        assert.equal(pixel, 4);
      });

      it("reads why it was refused", async () => {
        const url = (await storage.presignPut(newKey(), 60)).replace(/.$/, (last) => (last === "0" ? "1" : "0"));
        const seen = await onPage(ORIGIN, (page) =>
          page.evaluate(async (url) => {
            const answer = await fetch(url, { method: "PUT", body: "x" });
            return [answer.status, /<Code>(\w+)/.exec(await answer.text())?.[1]];
          }, url),
        );
        assert.deepEqual(seen, [403, "SignatureDoesNotMatch"]);
      });

      it("of another origin neither uploads nor reads, although it has the URLs", async () => {
        const [mine, theirs] = [newKey(), await stored()];
        const [put, get] = [await storage.presignPut(mine, 60), await storage.url(theirs)];
        const seen = await onPage(STRANGER, (page) =>
          page.evaluate(
            async ([put, get]) => {
              const outcome = (sent: Promise<Response>) =>
                sent.then(
                  ({ status }) => `answered ${status}`,
                  (error: Error) => error.name,
                );
              return [await outcome(fetch(put, { method: "PUT", body: "x" })), await outcome(fetch(get))];
            },
            [put, get] as const,
          ),
        );
        assert.deepEqual(seen, ["TypeError", "TypeError"]);
        assert.equal(await storage.stat(mine), null);
      });
    });
  });
}
