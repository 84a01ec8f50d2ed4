import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readForm } from "../../src/embedded/s3/form.ts";
import { verifyPolicy } from "../../src/embedded/s3/policy.ts";
import { readScope, signPolicy } from "../../src/embedded/s3/signature.ts";

const TYPE = "multipart/form-data; boundary=xYz";

const field = (name: string, value: string) =>
  `--xYz\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const file = (bytes: Buffer) =>
  Buffer.concat([
    Buffer.from(
      '--xYz\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n',
    ),
    bytes,
    Buffer.from("\r\n--xYz--\r\n"),
  ]);

/** The bytes in pieces of the given sizes, again and again. */
async function* pieces(bytes: Buffer, sizes: number[]) {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const read = async (bytes: Buffer, sizes = [bytes.length || 1], type = TYPE) => {
  const form = await readForm(pieces(bytes, sizes), type);
  const chunks: Uint8Array[] = [];
  for await (const chunk of form.file) chunks.push(chunk);
  return { fields: Object.fromEntries(form.fields), file: Buffer.concat(chunks) };
};

describe("a form upload", () => {
  it("is read the same however it is cut into chunks", async () => {
    const nasty = fc.constantFrom("\r\n", "\r", "--xYz", "\r\n--xY", "\r\n--", "abc", "\0", "ü");
    await fc.assert(
      fc.asyncProperty(
        fc.array(nasty, { maxLength: 8 }),
        fc.string({ unit: "grapheme", maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
        async (parts, value, sizes) => {
          const content = Buffer.from(parts.join("").replaceAll("\r\n--xYz", "\r\n--xY"));
          const clean = value.replaceAll("\r", "");
          const bytes = Buffer.concat([Buffer.from(field("Key", clean)), file(content)]);
          const form = await read(bytes, sizes);
          assert.deepEqual(form.fields, { key: Buffer.from(clean).toString() });
          assert.ok(form.file.equals(content));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("may quote its boundary", async () => {
    const form = await read(file(Buffer.from("x")), [5], 'multipart/form-data; charset=utf-8; boundary="xYz"');
    assert.equal(form.file.toString(), "x");
  });

  it("is refused when it is malformed", async () => {
    const code = (wanted: string) => (error: { code?: string }) => error.code === wanted;
    const whole = Buffer.concat([Buffer.from(field("key", "a")), file(Buffer.from("picture"))]);
    for (const length of [0, 10, 60, whole.length - 12]) {
      await assert.rejects(read(whole.subarray(0, length), [7]), code("IncompleteBody"), `cut at ${length}`);
    }
    const malformed: [string, string?][] = [
      ["garbage--xYz\r\n"],
      [`${field("key", "a")}--xYz--\r\n`],
      [field("key", "a") + field("KEY", "b")],
      ["--xYz\r\nContent-Type: text/plain\r\n\r\nx\r\n--xYz"],
      [field("key", "x".repeat(70_000))],
      [field("key", "a"), "application/json"],
      [field("key", "a"), "multipart/form-data"],
    ];
    for (const [text, type] of malformed) {
      await assert.rejects(read(Buffer.from(text), [1000], type), code("MalformedPOSTRequest"), text.slice(0, 40));
    }
  });
});

describe("a POST policy", () => {
  const keys = { accessKeyId: "AK", secretAccessKey: "secret", region: "us-east-1" };
  const now = Date.parse("2026-01-01T12:00:00Z");
  const scope = readScope("AK/20260101/us-east-1/s3/aws4_request");
  const base = {
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": "AK/20260101/us-east-1/s3/aws4_request",
    "x-amz-date": "20260101T110000Z",
  };
  const signing = Object.keys(base).map((name) => ["starts-with", `$${name}`, ""]);

  const check = (fields: Record<string, string>, conditions: unknown, expiration: unknown = "2026-01-01T12:00:01Z") => {
    const policy = Buffer.from(JSON.stringify({ expiration, conditions })).toString("base64");
    assert.ok(scope);
    const signature = signPolicy("secret", scope, policy);
    const all = { ...base, ...fields, policy, "x-amz-signature": signature };
    return verifyPolicy(new Map(Object.entries(all)), { bucket: "darkroom", keys, now });
  };
  const denied = { code: "AccessDenied" };

  it("grants the key and sizes that it states, in either form of condition", () => {
    const key = { key: "uploads/a" };
    const range = ["content-length-range", 1, 10];
    assert.deepEqual(check(key, [...signing, key, range]), { key: "uploads/a", minBytes: 1, maxBytes: 10 });
    const prefix = [
      ...signing,
      { bucket: "darkroom" },
      ["starts-with", "$key", "uploads/"],
      range,
      ["content-length-range", 5, 8],
    ];
    assert.deepEqual(check(key, prefix), { key: "uploads/a", minBytes: 5, maxBytes: 8 });
    assert.equal(check({ ...key, "x-ignore-me": "1" }, [...signing, key]).maxBytes, Number.POSITIVE_INFINITY);
  });

  it("refuses what no condition covers or what one forbids", () => {
    const key = { key: "uploads/a" };
    assert.throws(() => check(key, signing), denied, "the key is not covered");
    assert.throws(() => check(key, [...signing, { key: "uploads/b" }]), denied);
    assert.throws(() => check(key, [...signing, ["starts-with", "$key", "media/"]]), denied);
    assert.throws(() => check({ ...key, "content-type": "text/html" }, [...signing, key]), denied, "an extra field");
    assert.throws(
      () => check(key, [...signing, key, ["eq", "$Content-Type", "image/png"]]),
      denied,
      "a field left out",
    );
    assert.throws(() => check(key, [...signing, key, { bucket: "other" }]), denied);
    assert.throws(() => check({ ...key, bucket: "other" }, [...signing, key]), denied);
  });

  it("is refused when it has expired or makes no sense", () => {
    const key = { key: "uploads/a" };
    assert.throws(() => check(key, [...signing, key], "2026-01-01T11:59:59Z"), denied);
    for (const each of ["never", 5, undefined])
      assert.throws(() => check(key, [...signing, key], each ?? null), denied);
    for (const each of [
      {},
      "x",
      [null],
      [["like", "$key", "a"]],
      [["content-length-range", "x", 1]],
      [["eq", "key", "a"]],
    ]) {
      assert.throws(() => check(key, each), denied, JSON.stringify(each));
    }
  });

  it("is refused for another key pair, region or date", () => {
    const conditions = [...signing, { key: "a" }];
    const withCredential = (text: string) => check({ key: "a", "x-amz-credential": text }, conditions);
    assert.throws(() => withCredential("XX/20260101/us-east-1/s3/aws4_request"), { code: "InvalidAccessKeyId" });
    assert.throws(() => withCredential("AK/20260101/eu-north-1/s3/aws4_request"), denied);
    assert.throws(() => withCredential("AK/20251231/us-east-1/s3/aws4_request"), denied);
    assert.throws(() => check({ key: "a", "x-amz-algorithm": "none" }, conditions), denied);
  });
});
