import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Canonical,
  canonicalRequest,
  readAmzDate,
  readScope,
  sameSignature,
  sign,
  UNSIGNED,
} from "../../src/embedded/s3/signature.ts";

/** The worked examples of Amazon's "Authenticating Requests (AWS Signature Version 4)". */
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const DATE = "20130524T000000Z";
const CREDENTIAL = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
const HOST = ["host", "examplebucket.s3.amazonaws.com"] as const;
const AMZ_DATE = ["x-amz-date", DATE] as const;

const signature = (canonical: Partial<Canonical>) => {
  const scope = readScope(CREDENTIAL);
  assert.ok(scope);
  const whole = { method: "GET", path: "/", query: [], headers: [], payloadHash: EMPTY, ...canonical };
  return sign(SECRET, scope, DATE, canonicalRequest(whole));
};
const sha = (hash: string) => ["x-amz-content-sha256", hash] as const;

describe("a signature", () => {
  it("of a GET with a range is Amazon's", () => {
    const headers = [HOST, ["range", "bytes=0-9"] as const, sha(EMPTY), AMZ_DATE];
    const expected = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    assert.equal(signature({ path: "/test.txt", headers }), expected);
  });

  it("of a PUT with an escaped path is Amazon's", () => {
    const payloadHash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    const headers = [
      ["date", "Fri, 24 May 2013 00:00:00 GMT"] as const,
      HOST,
      sha(payloadHash),
      AMZ_DATE,
      ["x-amz-storage-class", "REDUCED_REDUNDANCY"] as const,
    ];
    const expected = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
    assert.equal(signature({ method: "PUT", path: "/test$file.text", headers, payloadHash }), expected);
  });

  it("of a sub-resource without a value is Amazon's", () => {
    const expected = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543";
    assert.equal(signature({ query: [["lifecycle", ""]], headers: [HOST, sha(EMPTY), AMZ_DATE] }), expected);
  });

  it("of a list, whatever the order of its parameters, is Amazon's", () => {
    const expected = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
    for (const query of [
      [["max-keys", "2"] as const, ["prefix", "J"] as const],
      [["prefix", "J"] as const, ["max-keys", "2"] as const],
    ]) {
      assert.equal(signature({ query, headers: [HOST, sha(EMPTY), AMZ_DATE] }), expected);
    }
  });

  it("in a query is Amazon's", () => {
    const query = [
      ["X-Amz-Algorithm", "AWS4-HMAC-SHA256"],
      ["X-Amz-Credential", CREDENTIAL],
      ["X-Amz-Date", DATE],
      ["X-Amz-Expires", "86400"],
      ["X-Amz-SignedHeaders", "host"],
    ] as const;
    const expected = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    assert.equal(signature({ path: "/test.txt", query, headers: [HOST], payloadHash: UNSIGNED }), expected);
  });
});

describe("parts of a signed request", () => {
  it("are read strictly", () => {
    assert.equal(readAmzDate("20130524T000000Z"), Date.parse("2013-05-24T00:00:00Z"));
    for (const each of ["", "20130524", "2013-05-24T00:00:00Z", "20131324T000000Z", "20130524T000000Z "]) {
      assert.equal(readAmzDate(each), null, each);
    }
    for (const each of ["", "key/2013/us-east-1/s3/aws4_request", "key/20130524/us-east-1/ec2/aws4_request"]) {
      assert.equal(readScope(each), null, each);
    }
    assert.equal(readScope("a/b/20130524/us-east-1/s3/aws4_request")?.accessKeyId, "a/b");
  });

  it("are the same signature only when all of it is", () => {
    assert.equal(sameSignature("abc", "abc"), true);
    for (const other of ["", "ab", "abd", "abcd", "äbc"]) assert.equal(sameSignature("abc", other), false);
  });
});
