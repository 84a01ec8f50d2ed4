import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { fragmentOf, pathOf } from "../../src/embedded/s3/paths.ts";
import { compareKeys, walkKeys } from "../../src/embedded/s3/walk.ts";

const segment = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom("", ".", "..", "...", "a", "A", "a.d", "a.o", "%2f", "con", "-", "\u00e9", "e\u0301", "日本", "🎨"),
);
const key = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((segments) => segments.map((each) => each.replaceAll("/", "")).join("/"))
  .filter((text) => text !== "");

describe("the file of a key", () => {
  it("lies below the root, in a name that every file system takes", () => {
    fc.assert(
      fc.property(key, (each) => {
        const path = pathOf("/root", each);
        assert.ok(path.startsWith(`/root${sep}`));
        for (const name of path.slice("/root/".length).split(sep)) {
          assert.match(name, /^[a-z0-9._%-]*\.[do]$/);
          assert.ok(name.length <= 255);
        }
        assert.equal(path.slice("/root/".length).split(sep).length, each.split("/").length);
      }),
    );
  });

  it("is another one for another key, even where case and Unicode forms fold", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const fold = (text: string) => pathOf("/root", text).normalize("NFKD").toLowerCase();
        if (Buffer.compare(Buffer.from(a), Buffer.from(b)) !== 0) assert.notEqual(fold(a), fold(b));
      }),
    );
  });

  it("tells the key", () => {
    fc.assert(
      fc.property(key, (each) => {
        const wellFormed = Buffer.from(each).toString();
        const names = pathOf("root", each).split(sep).slice(1);
        assert.equal(names.map(fragmentOf).join(""), wellFormed);
      }),
    );
    assert.equal(fragmentOf(".DS_Store"), null);
    assert.equal(fragmentOf("%zz.o"), null);
  });

  it("is refused when a segment is too long for a file name", () => {
    assert.throws(() => pathOf("/root", `a/${"x".repeat(300)}`), { code: "KeyTooLongError" });
  });
});

describe("walking the tree", () => {
  it("gives the keys of a prefix after a marker, in the order of their bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(key, { maxLength: 12 }), key, fc.nat(3), async (raw, after, cut) => {
        const keys = [...new Set(raw.map((each) => Buffer.from(each).toString()))];
        const prefix = keys[0]?.slice(0, cut).toWellFormed() ?? "";
        const root = await mkdtemp(join(tmpdir(), "darkroom-walk-"));
        try {
          for (const each of keys) {
            const path = pathOf(root, each);
            await mkdir(dirname(path), { recursive: true });
            await writeFile(path, "");
          }
          const found: string[] = [];
          for await (const entry of walkKeys(root, { prefix, after })) found.push(entry.key);
          const expected = keys
            .filter((each) => each.startsWith(prefix) && compareKeys(each, after) > 0)
            .sort(compareKeys);
          assert.deepEqual(found, expected);
        } finally {
          await rm(root, { recursive: true, force: true });
        }
      }),
      { numRuns: 60 },
    );
  });
});
