/** What a running embedded S3 does with whatever key or path it is sent. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { pathOf } from "../../src/embedded/s3/paths.ts";
import { ALGORITHM, canonicalRequest, encode, readScope, sign, UNSIGNED } from "../../src/embedded/s3/signature.ts";
import { raw } from "../storage/raw.ts";
import { clientOn, startEmbedded, storageOn } from "../storage/targets.ts";
import { temporaryDirectory } from "../support/directory.ts";

/** Of which paths lead elsewhere, where somebody unpacks them once too often or not at all. */
const piece = fc.constantFrom(
  ..."/ // . .. ... %2e %2E%2e %2f %2F %5c \\ %00 %c0%ae %ff %25 %252e%252e%252f ; ~ a A secret darkroom .o .d %2eo".split(
    " ",
  ),
);
const path = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => `/darkroom/${pieces.join("")}`);

const segment = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom(
    "",
    ".",
    "..",
    "a",
    "A",
    "a.o",
    "a.d",
    "%2f",
    "%2e%2e",
    "\u00e9",
    "e\u0301",
    "?",
    "#",
    "+",
    " ",
    "🎨",
  ),
);
const keys = fc.uniqueArray(
  fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/")),
  { minLength: 2, maxLength: 6 },
);

describe("whatever key or path is sent to the embedded S3", () => {
  let home: string;
  let target: Awaited<ReturnType<typeof startEmbedded>>;
  let storage: ReturnType<typeof storageOn>;
  let client: ReturnType<typeof clientOn>;

  before(async () => {
    home = await temporaryDirectory();
    await writeFile(join(home, "secret"), "secret");
    target = await startEmbedded({ dir: join(home, "s3") });
    storage = storageOn(target);
    client = clientOn(target);
  });
  after(async () => {
    storage.close();
    await target.close();
    await rm(home, { recursive: true, force: true });
  });

  /** Signed as the server reads the path, so that nothing but the path can be refused. */
  const send = async (method: "PUT" | "GET", path: string) => {
    const { accessKeyId, secretAccessKey, region } = target.keys;
    const { host, pathname } = new URL(target.endpoint + path);
    const date = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const scope = readScope(`${accessKeyId}/${date.slice(0, 8)}/${region}/s3/aws4_request`);
    assert.ok(scope);
    const query: [string, string][] = [
      ["X-Amz-Algorithm", ALGORITHM],
      ["X-Amz-Credential", `${accessKeyId}/${scope.text}`],
      ["X-Amz-Date", date],
      ["X-Amz-Expires", "60"],
      ["X-Amz-SignedHeaders", "host"],
    ];
    let signature = "of nothing that can be unpacked";
    try {
      const headers: [string, string][] = [["host", host]];
      const canonical = canonicalRequest({ method, path: pathname, query, headers, payloadHash: UNSIGNED });
      signature = sign(secretAccessKey, scope, date, canonical);
    } catch {
      // Its escapes are broken.
    }
    const text = [...query, ["X-Amz-Signature", signature] as const].map(([name, value]) => `${name}=${encode(value)}`);
    return raw(target.endpoint, {
      method,
      path: `${path}?${text.join("&")}`,
      body: method === "PUT" ? path : undefined,
    });
  };

  /** That each file is the one of its key, and that there is no other. */
  const checkFiles = async () => {
    const objects = join(target.dir, target.bucket, "objects");
    const expected = new Set(["secret", "owner", "s3/darkroom/format"]);
    for await (const { name } of client.listObjectsV2(target.bucket, "", true)) {
      expected.add(relative(home, pathOf(objects, name)));
    }
    const found: string[] = [];
    for (const entry of await readdir(home, { recursive: true, withFileTypes: true })) {
      if (!entry.isDirectory()) found.push(relative(home, join(entry.parentPath, entry.name)));
    }
    assert.deepEqual(found.sort(), [...expected].sort());
  };

  it("is refused, or lies in a file of its own below the directory", async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(path, async (each) => {
        const put = await send("PUT", each);
        if (put.status === 200) taken += 1;
        assert.ok(put.status === 200 || (put.status >= 400 && put.status < 500), `${put.status} ${put.text}`);
        const got = await send("GET", each);
        assert.doesNotMatch(got.text, /^secret/);
        if (put.status === 200 && got.status === 200) assert.ok(got.text === each || got.text.startsWith("<?xml"));
      }),
      { numRuns: 300 },
    );
    await checkFiles();
    assert.ok(taken > 10, `${taken} were taken`);
  });

  it("never meets another one", async () => {
    await fc.assert(
      fc.asyncProperty(keys, async (all) => {
        const taken: string[] = [];
        for (const key of all) {
          const bytes = Buffer.from(JSON.stringify(key));
          const put = storage.put(key, bytes, { size: bytes.length, mime: "image/png" });
          await put.then(
            () => taken.push(key),
            (error) => assert.doesNotMatch(inspect(error), /InternalError|status: 5/),
          );
        }
        for (const key of taken) {
          assert.equal((await buffer(await storage.get(key))).toString(), JSON.stringify(key));
        }
        await checkFiles();
        for (const key of taken) await client.removeObject(target.bucket, key);
        for (const key of taken) assert.equal(await storage.stat(key), null);
      }),
      { numRuns: 60 },
    );
  });
});
