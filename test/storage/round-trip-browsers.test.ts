import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import { type Intercept, s3Error } from "./front.ts";
import { listen } from "./listener.ts";
import { failsWith, left, prove, through, using } from "./prove.ts";
import { clientOn, ORIGIN, startEmbedded, type Target, targets } from "./targets.ts";

const NOWHERE = "http://127.0.0.1:1";
const pathOf = ({ url }: Request) => new URL(url).pathname;

/** The embedded S3 as one without a bucket until it is made, which `made` counts. */
const withoutBucket = (refuse: (request: Request) => Response | null = () => null) => {
  const made = { buckets: 0, policy: "" };
  const intercept: Intercept = (request) => {
    const isBucket = pathOf(request) === "/darkroom" && request.method === "PUT";
    if (isBucket) {
      const refused = refuse(request);
      if (refused) return refused;
      if (!request.url.includes("?policy")) made.buckets++;
      return new Response(null, { status: request.url.includes("?policy") ? 204 : 200 });
    }
    return made.buckets > 0 ? null : s3Error(404, "NoSuchBucket");
  };
  return { made, intercept };
};

/** The embedded S3 as one that keeps CORS rules. */
const withRules = async (
  first: string | null,
  refuse: (method: string) => Response | null = () => null,
  obeys = true,
) => {
  const kept = { rules: first, puts: 0, md5: "" };
  const answer = async (request: Request): Promise<Response> => {
    const refused = refuse(request.method);
    if (refused) return refused;
    if (request.method === "GET") {
      return kept.rules === null ? s3Error(404, "NoSuchCORSConfiguration") : new Response(kept.rules);
    }
    kept.rules = await request.text();
    kept.md5 = request.headers.get("content-md5") ?? "";
    kept.puts++;
    return new Response(null, { status: 200 });
  };
  const embedded = await startEmbedded({ allowedOrigins: () => obeys && kept.puts > 0 });
  const front = await listen((request) =>
    request.url.includes("?cors") ? answer(request) : embedded.s3.handle(request),
  );
  const close = async () => {
    await front.close();
    await embedded.close();
  };
  return { ...embedded, endpoint: front.origin, kept, close };
};

/** A bucket of its own on a server that was started by hand; the embedded S3 is told what is public. */
const startPublic = async (begin: () => Promise<Target>): Promise<Target> => {
  if (begin === startEmbedded) return startEmbedded({ publicPrefixes: ["media/", "attachments/"] });
  const target = { ...(await begin()), bucket: `probe-${randomUUID()}` };
  return { ...target, close: () => clientOn(target).removeBucket(target.bucket) };
};

for (const { name, start } of targets()) {
  it(`a bucket on ${name} is made and opened to readers where URLs are public, and nothing is left in it`, async () => {
    await using(startPublic(start), async (target) => {
      const said = await prove(target, { publicUrls: true });
      assert.deepEqual(said, start === startEmbedded ? [] : ["the bucket was missing, and was made"]);
      assert.deepEqual(await prove(target, { publicUrls: true }), []);
      assert.deepEqual(await left(target), []);
    });
  });
}

describe("a missing bucket", () => {
  it("is made, once for all that boot at the same time", async () => {
    const { made, intercept } = withoutBucket(() =>
      made.buckets > 0 ? s3Error(409, "BucketAlreadyOwnedByYou") : null,
    );
    await through(intercept, async (front) => {
      const said = await Promise.all([prove(front), prove(front)]);
      assert.ok(said.flat().every((line) => line === "the bucket was missing, and was made"));
      assert.equal(made.buckets, 1);
    });
  });

  it("that may not be made is said to be missing", async () => {
    const { intercept } = withoutBucket(() => s3Error(403, "AccessDenied"));
    await through(intercept, (front) =>
      failsWith(prove(front), /bucket darkroom does not exist.*make it by hand, or allow s3:CreateBucket/),
    );
  });

  it("whose name is taken needs another name", async () => {
    const { intercept } = withoutBucket(() => s3Error(409, "BucketAlreadyExists"));
    await through(intercept, (front) => failsWith(prove(front), /belongs to somebody else: choose another S3_BUCKET/));
  });

  it("that was made by another node meanwhile counts as made", async () => {
    const { made, intercept } = withoutBucket(() => {
      made.buckets++;
      return s3Error(403, "AccessDenied");
    });
    await through(intercept, async (front) => void (await prove(front)));
  });
});

describe("permanent public URLs", () => {
  it("that S3 refuses to strangers stop the boot", async () => {
    await using(startEmbedded(), async (target) => {
      await failsWith(
        prove(target, { publicUrls: true }),
        /USE_PUBLIC_URLS=1, but S3 does not let everybody read darkroom \(AccessDenied\).*Block Public Access.*USE_PUBLIC_URLS=0/,
      );
      assert.deepEqual(await left(target), []);
    });
  });

  it("on a bucket that we made, whose policy is refused, are told by what they do", async () => {
    const { intercept } = withoutBucket(({ url }) => (url.includes("?policy") ? s3Error(403, "AccessDenied") : null));
    await through(intercept, (front) => failsWith(prove(front, { publicUrls: true }), /does not let everybody read/));
  });
});

describe("the public endpoint", () => {
  it("that cannot be reached from here is warned of, and URLs are tried at the internal one", async () => {
    await using(startEmbedded(), async (target) => {
      const [line = "", ...rest] = await prove(target, { public: { endpoint: NOWHERE } });
      assert.match(
        line,
        /only at http:\/\/127\.0\.0\.1:\d+\. http:\/\/127\.0\.0\.1:1 cannot be reached.*S3_PUBLIC_ENDPOINT/,
      );
      assert.deepEqual(rest, []);
      await using(
        listen(async () => new Response("<html>a console</html>")),
        async ({ origin }) => {
          const said = await prove(target, { public: { endpoint: origin } });
          assert.match(said.join(), /does not seem to be S3: look at S3_PUBLIC_ENDPOINT/);
        },
      );
      await using(
        listen(() => new Promise(() => undefined)),
        async ({ origin }) => {
          const said = await prove(target, { public: { endpoint: origin }, limits: { outside: 100 } });
          assert.match(said.join(), /does not answer: look at S3_PUBLIC_ENDPOINT/);
        },
      );
    });
  });

  it("whose proxy changes the Host header stops the boot", async () => {
    await using(startEmbedded(), async (embedded) => {
      const rewriting = listen((request) => {
        const headers = new Headers(request.headers);
        headers.set("host", new URL(embedded.endpoint).host);
        return embedded.s3.handle(new Request(request, { headers }));
      });
      await using(rewriting, ({ origin }) =>
        failsWith(
          prove(embedded, { public: { endpoint: origin } }),
          /signed URLs at http:\/\/127\.0\.0\.1:\d+: whoever stands before it must leave path and Host header/,
        ),
      );
    });
  });

  it("that leads to another S3 stops the boot", async () => {
    const sentence = /is another S3 than S3_ENDPOINT_INTERNAL, or has another bucket: look at S3_PUBLIC_ENDPOINT/;
    await using(startEmbedded(), async (embedded) => {
      for (const options of [{ accessKeyId: "of-another" }, {}]) {
        await using(startEmbedded(options), ({ endpoint }) =>
          failsWith(prove(embedded, { public: { endpoint } }), sentence),
        );
      }
    });
  });

  it("is where pages must be let in", async () => {
    await using(startEmbedded(), async (embedded) => {
      const closed = listen(async (request) =>
        request.method === "OPTIONS" ? new Response(null, { status: 403 }) : embedded.s3.handle(request),
      );
      await using(closed, async ({ origin }) => {
        assert.match(
          (await prove(embedded, { public: { endpoint: origin } })).join(),
          /^Pages of .* \(PUT, GET\) cannot/,
        );
        const inside = { ...embedded, endpoint: origin };
        assert.deepEqual(await prove(inside, { public: { endpoint: embedded.endpoint } }), []);
      });
    });
  });
});

describe("CORS rules", () => {
  const page = (origin: string) => `<AllowedOrigin>${origin}</AllowedOrigin>`;

  it("are put on a bucket that has none, for the origins of the settings", async () => {
    await using(withRules(null), async (target) => {
      const said = await prove(target, { origins: ["https://darkroom.example", "localhost"] });
      assert.deepEqual(said, ["put CORS rules on the bucket"]);
      const { rules, md5 } = target.kept;
      const origins = ["https://darkroom.example", "http://localhost", "http://localhost:*", "http://127.0.0.1:*"];
      for (const origin of origins) assert.ok(rules?.includes(page(origin)), origin);
      for (const method of ["GET", "HEAD", "PUT", "POST"]) {
        assert.ok(rules?.includes(`<AllowedMethod>${method}</AllowedMethod>`));
      }
      assert.ok(rules?.includes("<AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>"));
      assert.equal(
        md5,
        createHash("md5")
          .update(rules ?? "")
          .digest("base64"),
      );
      assert.deepEqual(await prove(target), []);
      assert.equal(target.kept.puts, 1);
    });
  });

  it("let everybody in where the settings do", async () => {
    await using(withRules(null), async (target) => {
      await prove(target, { origins: ["https://darkroom.example", "*"] });
      assert.ok(target.kept.rules?.includes(`<CORSRule>${page("*")}<AllowedMethod>`));
    });
  });

  it("of somebody else are never changed: what they lack is a warning", async () => {
    await using(withRules("<CORSConfiguration/>"), async (target) => {
      const [line = "", ...rest] = await prove(target);
      assert.deepEqual(rest, []);
      assert.match(
        line,
        /Pages of http:\/\/app\.example:3000 \(PUT, GET\) cannot use S3.*are left as they are; add http/,
      );
      assert.equal(target.kept.puts, 0);
    });
  });

  it("that may not be seen or put are asked for by hand", async () => {
    for (const denied of ["GET", "PUT"]) {
      const refuse = (method: string) => (method === denied ? s3Error(403, "AccessDenied") : null);
      await using(withRules(null, refuse), async (target) => {
        assert.match((await prove(target)).join(), /by hand, or allow s3:GetBucketCORS and s3:PutBucketCORS on it$/);
      });
    }
  });

  it("are the business of MinIO's own setting where there are none of a bucket", async () => {
    await using(
      withRules(null, (method) => (method === "PUT" ? s3Error(501, "NotImplemented") : null)),
      async (target) => {
        const said = await prove(target, { origins: [ORIGIN, "localhost"] });
        assert.match(said.join(), /set MINIO_API_CORS_ALLOW_ORIGIN=http:\/\/app\.example:3000,http:\/\/localhost,http/);
      },
    );
  });

  it("that are put but do not count are warned of", async () => {
    await using(
      withRules(null, () => null, false),
      async (target) => {
        const [put, warning = ""] = await prove(target);
        assert.equal(put, "put CORS rules on the bucket");
        assert.match(warning, /the bucket has CORS rules for .*, but something before it does not obey them/);
      },
    );
  });

  it("must let pages read the ETag, and GET as well as PUT", async () => {
    const half = async (strip: (answer: Response, method: string | null) => void) => {
      const embedded = await startEmbedded();
      const front = await listen(async (request) => {
        if (request.url.includes("?cors")) return new Response("<CORSConfiguration/>");
        const answer = await embedded.s3.handle(request);
        if (answer) strip(answer, request.headers.get("access-control-request-method"));
        return answer;
      });
      const said = await prove({ ...embedded, endpoint: front.origin });
      await front.close();
      await embedded.close();
      return said.join();
    };
    assert.match(
      await half(({ headers }) => headers.delete("access-control-expose-headers")),
      /3000 \(the ETag header\)/,
    );
    const only = ({ headers }: Response, method: string | null) => {
      if (method !== null) headers.set("access-control-allow-methods", "PUT");
    };
    assert.match(await half(only), /3000 \(GET\) cannot/);
  });
});
