import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { describe, it } from "node:test";
import type { Client } from "minio";
import { type clientOn, ORIGIN, type storageOn, type Target } from "./targets.ts";

const MIB = 1024 * 1024;
const PNG = "image/png";
const code = async (response: Response) => /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1];

/** The server of a contract, as it is once its suite has begun. */
export type Ground = {
  target: Target;
  storage: ReturnType<typeof storageOn>;
  client: ReturnType<typeof clientOn>;
  newKey(suffix?: string): string;
};

const put = (storage: Ground["storage"], key: string, text: string) =>
  storage.put(key, Buffer.from(text), { size: Buffer.byteLength(text), mime: PNG });

const begin = (client: Client, bucket: string, key: string) =>
  client.initiateNewMultipartUpload(bucket, key, { "content-type": "video/mp4" });

/** What browsers and tools ask of an S3, besides the plain ways. */
export const requestCases = (
  ground: () => Ground,
  { regional }: { regional: (region: string) => Ground["storage"] },
) => {
  describe("requests of browsers and tools", () => {
    it("are refused when they are signed for another region", async () => {
      const { storage, newKey } = ground();
      const key = newKey();
      await put(storage, key, "hello");
      const elsewhere = regional("eu-north-1");
      const answer = await fetch(await elsewhere.url(key));
      assert.ok([400, 403].includes(answer.status), `gave ${answer.status}`);
      assert.match(await answer.text(), /us-east-1/, "and say which region is right");
      elsewhere.close();
    });

    it("upload the parts of a large file, each by its own presigned URL", async () => {
      const { target, storage, client, newKey } = ground();
      const [key, bytes] = [newKey(), [randomBytes(5 * MIB), randomBytes(1000)]];
      const uploadId = await begin(client, target.bucket, key);
      const sign = (partNumber: number) =>
        client.presignedUrl("PUT", target.bucket, key, 60, { partNumber: String(partNumber), uploadId });
      const etags: { part: number; etag: string }[] = [];
      for (const [index, body] of bytes.entries()) {
        const answer = await fetch(await sign(index + 1), {
          method: "PUT",
          body: new Uint8Array(body),
          headers: { origin: ORIGIN },
        });
        assert.equal(answer.status, 200);
        etags.push({ part: index + 1, etag: (answer.headers.get("etag") ?? "").replaceAll('"', "") });
      }
      const stolen = (await sign(2)).replace("partNumber=2", "partNumber=3");
      assert.equal((await fetch(stolen, { method: "PUT", body: "x" })).status, 403, "a URL is for one part");
      await client.completeMultipartUpload(target.bucket, key, uploadId, etags);
      assert.ok((await buffer(await storage.get(key))).equals(Buffer.concat(bytes)));
    });

    it("never overwrite when they say so", async () => {
      const { storage, newKey } = ground();
      const key = newKey();
      const create = async (body: string) =>
        fetch(await storage.presignPut(key, 60), { method: "PUT", body, headers: { "if-none-match": "*" } });
      assert.equal((await create("first")).status, 200);
      const second = await create("second");
      assert.equal(second.status, 412);
      assert.equal(await code(second), "PreconditionFailed");
      assert.equal((await buffer(await storage.get(key))).toString(), "first");
    });

    it("go on with a range only while the object is the same", async () => {
      const { storage, newKey } = ground();
      const key = newKey();
      await put(storage, key, "0123456789");
      const url = await storage.url(key);
      const etag = (await fetch(url)).headers.get("etag") ?? "";
      const get = async (ifMatch: string) => {
        const answer = await fetch(url, { headers: { range: "bytes=2-5", "if-match": ifMatch } });
        return [answer.status, answer.status === 206 ? await answer.text() : ""];
      };
      assert.deepEqual(await get(etag), [206, "2345"]);
      assert.deepEqual(await get('"0123456789abcdef0123456789abcdef"'), [412, ""]);
    });

    it("are not allowed to a page of another origin", async () => {
      const { storage, newKey } = ground();
      const answer = await fetch(await storage.presignPut(newKey(), 60), {
        method: "OPTIONS",
        headers: { origin: "https://evil.example", "access-control-request-method": "PUT" },
      });
      assert.equal(answer.headers.get("access-control-allow-origin"), null);
    });

    it("of a form are answered as the form asks", async () => {
      const { target, client, newKey } = ground();
      const key = newKey();
      const policy = client.newPostPolicy();
      policy.setBucket(target.bucket);
      policy.setKey(key);
      policy.setContentType(PNG);
      policy.setExpires(new Date(Date.now() + 60_000));
      policy.policy.conditions.push(["eq", "$success_action_status", "201"]);
      const { postURL, formData } = await client.presignedPostPolicy(policy);
      const form = new FormData();
      for (const [name, value] of Object.entries({ ...formData, success_action_status: "201" }))
        form.append(name, value);
      form.append("file", new Blob(["picture"]), "cat.png");
      const answer = await fetch(postURL, { method: "POST", body: form });
      assert.equal(answer.status, 201);
      const xml = await answer.text();
      assert.match(xml, new RegExp(`<Key>${key}</Key>`));
      assert.match(xml, /<ETag>(&#34;|&quot;|")?[0-9a-f]{32}/);
    });

    it("that are signed for reading read, and do nothing else with the object", async () => {
      const { storage, newKey } = ground();
      const key = newKey();
      await put(storage, key, "hello");
      const url = await storage.url(key);
      for (const query of ["&uploads=", "&partNumber=1&uploadId=x", "&tagging="]) {
        const { status } = await fetch(`${url}${query}`);
        assert.ok(status >= 400, `${query} gave ${status}`);
      }
      for (const method of ["POST", "PUT", "DELETE", "HEAD"]) {
        const { status } = await fetch(url, { method });
        assert.ok(status >= 400, `${method} gave ${status}`);
      }
      assert.equal((await buffer(await storage.get(key))).toString(), "hello");
    });

    it("copy nothing that their signature does not name", async () => {
      const { target, storage, newKey } = ground();
      const [secret, mine] = [newKey(), newKey()];
      await put(storage, secret, "secret");
      const answer = await fetch(await storage.presignPut(mine, 60), {
        method: "PUT",
        headers: { "x-amz-copy-source": `/${target.bucket}/${secret}` },
      });
      // AWS wants every x-amz header signed. MinIO does not: whoever may upload there, and knows a key, may copy it.
      assert.equal(answer.status, target.lenient ? 200 : 403);
    });
  });
};
