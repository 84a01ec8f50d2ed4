import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { mediaKey } from "../../src/storage/keys.ts";
import { clientOn, startEmbedded, storageOn, type Target, targets } from "./targets.ts";

const OWNER = "00000000-0000-0000-0000-000000000001";
const HASH = "3f9a1c20".padEnd(64, "0");
const KEY = mediaKey(OWNER, HASH, "png");
const ETAG = '"5d41402abc4b2a76b9719d911017c592"'; // of "hello"

/** A bucket that is made for this file, so that Darkroom opens it to readers; the embedded S3 is told so. */
const start = async (begin: () => Promise<Target>): Promise<Target> => {
  if (begin === startEmbedded) return startEmbedded({ publicPrefixes: ["media/"] });
  const target = { ...(await begin()), bucket: `served-${randomUUID()}` };
  return { ...target, close: () => clientOn(target).removeBucket(target.bucket) };
};

for (const { name, start: begin } of targets()) {
  describe(`a stored object on ${name}`, () => {
    let target: Target;
    let signed: ReturnType<typeof storageOn>;
    let open: ReturnType<typeof storageOn>;

    before(async () => {
      target = await start(begin);
      [signed, open] = [storageOn(target), storageOn(target, { publicUrls: true })];
      await open.prepare();
    });
    after(async () => {
      await signed.remove([KEY]);
      for (const storage of [signed, open]) storage.close();
      await target.close();
    });

    for (const publicUrls of [false, true]) {
      it(`is served as what it is, for ever, by ${publicUrls ? "public" : "signed"} URLs`, async () => {
        const storage = publicUrls ? open : signed;
        await storage.put(KEY, Buffer.from("hello"), { size: 5, mime: "image/png" });
        const url = await storage.url(KEY);
        assert.equal(url.includes("?"), !publicUrls);
        const answer = await fetch(url);
        const head = publicUrls ? await fetch(url, { method: "HEAD" }) : answer;
        assert.equal(await answer.text(), "hello");
        for (const { status, headers } of [answer, head]) {
          assert.deepEqual(
            [status, headers.get("content-type"), headers.get("etag"), headers.get("content-disposition")],
            [200, "image/png", ETAG, 'inline; filename="image-3f9a1c20.png"'],
          );
          const scope = publicUrls ? "public" : "private";
          assert.equal(headers.get("cache-control"), `${scope}, max-age=31536000, immutable`);
          assert.equal(headers.get("x-content-type-options"), "nosniff");
        }
      });
    }

    it("keeps its name and its time when it is copied", async () => {
      const copy = mediaKey(OWNER, HASH, "webp", "min");
      await signed.put(KEY, Buffer.from("hello"), { size: 5, mime: "image/png" });
      await signed.copy(KEY, copy, "image/webp");
      const { headers } = await fetch(await signed.url(copy));
      assert.equal(headers.get("content-disposition"), 'inline; filename="image-3f9a1c20-min.webp"');
      assert.equal(headers.get("cache-control"), "private, max-age=31536000, immutable");
      await signed.remove([copy]);
    });

    it("is saved under the name that is asked for, by a signed URL even where URLs are public", async () => {
      await signed.put(KEY, Buffer.from("hello"), { size: 5, mime: "image/png" });
      for (const storage of [signed, open]) {
        for (const filename of ["red fox.png", "лиса's (1)+?&#%.png", `${"日本語".repeat(99)}.png`]) {
          const answer = await fetch(await storage.url(KEY, { filename }));
          assert.equal(answer.status, 200, filename);
          const given = answer.headers.get("content-disposition") ?? "";
          assert.match(given, /^attachment; filename="/);
          const [, encoded] = /filename\*=UTF-8''(.*)$/.exec(given) ?? [];
          const got = encoded === undefined ? /"(.*)"/.exec(given)?.[1] : decodeURIComponent(encoded);
          assert.ok(got === filename || (got?.endsWith(".png") && filename.startsWith(got.slice(0, -4))), got);
        }
      }
    });
  });
}
