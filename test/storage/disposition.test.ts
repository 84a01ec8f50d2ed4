import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { attachment } from "../../src/storage/disposition.ts";
import { objectHeaders } from "../../src/storage/keys.ts";

const HASH = "3f9a1c20".padEnd(64, "0");
const OWNER = "00000000-0000-0000-0000-000000000001";

/** The name that a browser takes (RFC 6266, 4.3): `filename*`, else `filename`. */
const nameIn = (header: string): string => {
  const extended = /filename\*=UTF-8''(.*)$/.exec(header)?.[1];
  return extended === undefined ? (/filename="([^"]*)"/.exec(header)?.[1] ?? "") : decodeURIComponent(extended);
};

describe("a download that is saved under a name", () => {
  it("has it as it is when it is plain ASCII", () => {
    assert.equal(attachment("red fox.png"), 'attachment; filename="red fox.png"');
  });

  it("has it in UTF-8 too when it is not, or would need an escape", () => {
    assert.equal(
      attachment("лиса (1).png"),
      "attachment; filename=\"____ (1).png\"; filename*=UTF-8''%D0%BB%D0%B8%D1%81%D0%B0%20%281%29.png",
    );
    assert.equal(attachment('a"b%.png'), "attachment; filename=\"a_b_.png\"; filename*=UTF-8''a%22b%25.png");
  });

  it("is never a path, a header of its own or nothing", () => {
    assert.equal(nameIn(attachment("../../etc/passwd")), "passwd");
    assert.equal(nameIn(attachment("C:\\temp\\fox.png")), "fox.png");
    assert.equal(nameIn(attachment("fox\r\nSet-Cookie: a=b.png")), "foxSet-Cookie: a=b.png");
    for (const empty of ["", "  ", "..", "a/", "\u0000"]) assert.equal(nameIn(attachment(empty)), "download");
  });

  it("keeps its extension when it is too long", () => {
    const name = nameIn(attachment(`${"日本語🎨".repeat(100)}.png`));
    assert.match(name, /^(日本語🎨)+日?本?語?\.png$/);
  });

  it("fits in a header and a URL whatever it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 2000 }), (name) => {
        const header = attachment(name);
        assert.match(header, /^[\x20-\x7e]{1,1024}$/);
        assert.match(header, /^attachment; filename="[^"\\%]+"(; filename\*=UTF-8''[\w!#$&+.^`|~%-]+)?$/);
      }),
    );
  });
});

describe("a stored object", () => {
  it("is shown, and saved under what it is and the start of its hash", () => {
    const named = (key: string, mime: string) => objectHeaders(key, mime, false)["Content-Disposition"];
    assert.equal(named(`media/${OWNER}/${HASH}.png`, "image/png"), 'inline; filename="image-3f9a1c20.png"');
    assert.equal(named(`media/${OWNER}/${HASH}.min.webp`, "image/webp"), 'inline; filename="image-3f9a1c20-min.webp"');
    assert.equal(named(`attachments/${OWNER}/${HASH}.mp4`, "video/mp4"), 'inline; filename="video-3f9a1c20.mp4"');
    assert.equal(named("uploads/a", "image/png"), undefined);
  });

  it("may be kept for ever where its key names its content, and never elsewhere", () => {
    const kept = (key: string, open: boolean) => objectHeaders(key, "image/png", open)["Cache-Control"];
    assert.equal(kept(`media/${OWNER}/${HASH}.png`, false), "private, max-age=31536000, immutable");
    assert.equal(kept(`attachments/${OWNER}/${HASH}.png`, true), "public, max-age=31536000, immutable");
    assert.equal(kept("uploads/a", true), "private, no-store");
  });
});
