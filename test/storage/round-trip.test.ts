import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { AssumeRoleProvider } from "minio/dist/esm/AssumeRoleProvider.mjs";
import { SELF_SIGNED } from "../providers/self-signed.ts";
import { type Intercept, s3Error, startFront } from "./front.ts";
import { listen } from "./listener.ts";
import { failsWith, left, prove, through, using } from "./prove.ts";
import { startEmbedded, storageOn, type Target, targets } from "./targets.ts";

const HOUR_MS = 3600_000;
const MINUTE_MS = 60_000;
const ACTIONS = ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"];
const NOWHERE = "http://127.0.0.1:1";

/** From STS, for all actions but the denied one. */
const temporaryKeys = async ({ endpoint, bucket, keys }: Target, denied: string | null) => {
  const resources = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
  const allowed = ACTIONS.filter((action) => action !== denied);
  const statement = { Effect: "Allow", Action: allowed, Resource: resources };
  const given = await new AssumeRoleProvider({
    stsEndpoint: endpoint,
    accessKey: keys.accessKeyId,
    secretKey: keys.secretAccessKey,
    region: keys.region,
    policy: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
    action: "AssumeRole",
  }).getCredentials();
  return { accessKeyId: given.accessKey, secretAccessKey: given.secretKey, sessionToken: given.sessionToken };
};

for (const { name, start } of targets()) {
  describe(`the round trip on ${name}`, () => {
    it("passes, says nothing and leaves nothing, however many boot at once", async () => {
      await using(start(), async (target) => {
        const storage = storageOn(target);
        await storage.prepare();
        storage.close();
        const all = await Promise.all([1, 2, 3].map(() => prove(target)));
        assert.deepEqual(all.flat(), []);
        assert.deepEqual([...(await left(target, "probes/")), ...(await left(target, "media/probes/"))], []);
      });
    });

    it("tells a wrong access key from a wrong secret", async () => {
      await using(start(), async (target) => {
        await failsWith(prove(target, { accessKeyId: "stranger" }), /access key: look at AWS_ACCESS_KEY_ID/);
        await failsWith(
          prove(target, { secretAccessKey: "a wrong secret" }),
          /secret key: look at AWS_SECRET_ACCESS_KEY/,
        );
      });
    });

    // The embedded S3 has one key, which may do everything.
    for (const denied of start === startEmbedded ? [] : [null, ...ACTIONS]) {
      it(`${denied ? `names ${denied} when it is denied to` : "passes with"} keys that are good for a while`, async () => {
        await using(start(), async (target) => {
          const storage = storageOn(target);
          await storage.prepare();
          const passed = prove(target, await temporaryKeys(target, denied));
          if (denied) await failsWith(passed, new RegExp(`: allow ${denied} on arn:aws:s3:::${target.bucket}`));
          else assert.deepEqual(await passed, []);
          await storage.remove(await left(target, "probes/"));
          storage.close();
        });
      });
    }
  });
}

describe("the round trip", () => {
  it("names the region that S3 expects", async () => {
    await using(startEmbedded({ region: "eu-west-1" }), (target) =>
      failsWith(prove(target), /S3 expects region eu-west-1, not us-east-1: set S3_REGION=eu-west-1 \(Authorization/),
    );
    const moved = () => s3Error(301, "PermanentRedirect", "<Endpoint>darkroom.s3-eu-west-1.amazonaws.com</Endpoint>");
    const told = () => {
      const answer = moved();
      answer.headers.set("x-amz-bucket-region", "eu-west-1");
      return answer;
    };
    await through(told, (front) =>
      failsWith(prove(front), /set S3_REGION=eu-west-1, and S3_ENDPOINT_INTERNAL to the endpoint of that region/),
    );
    await through(moved, (front) => failsWith(prove(front), /does not take region us-east-1 at this endpoint/));
  });

  it("says by how much the clock is off", async () => {
    for (const [minutes, words] of [
      [20, "20 min behind"],
      [-90, "90 min ahead of"],
    ] as const) {
      const now = () => Date.now() + minutes * MINUTE_MS;
      const embedded = await startEmbedded({ now });
      const front = await listen(async (request) => {
        const answer = (await embedded.s3.handle(request)) ?? s3Error(403, "AccessDenied");
        answer.headers.set("date", new Date(now()).toUTCString());
        return answer;
      });
      await failsWith(prove({ ...embedded, endpoint: front.origin }), new RegExp(`clock of this machine is ${words}`));
      await front.close();
      await embedded.close();
    }
  });

  it("tells an endpoint that is not there, is slow, is not ready or is no S3", async () => {
    const target = {
      endpoint: NOWHERE,
      bucket: "darkroom",
      keys: { accessKeyId: "a", secretAccessKey: "b", region: "c" },
    };
    const at = (endpoint: string) => ({ ...target, endpoint, close: async () => undefined });
    await failsWith(prove(at(NOWHERE)), /127\.0\.0\.1:1 cannot be reached: look at S3_ENDPOINT_INTERNAL.*ECONNREFUSED/);
    await failsWith(prove(at("http://no-such-host.invalid")), /The host no-such-host\.invalid is not known/);
    const virtual = prove(at("http://no-such-host.invalid"), { pathStyle: false });
    await failsWith(virtual, /The host darkroom\.no-such-host\.invalid is not known.*S3_USE_PATH_STYLE/);
    await using(
      listen(() => new Promise(() => undefined)),
      ({ origin }) =>
        failsWith(prove(at(origin), { limits: { call: 100 } }), /does not answer: look at S3_ENDPOINT_INTERNAL/),
    );
    await using(
      listen(async () => new Response("", { status: 503 })),
      ({ origin }) => failsWith(prove(at(origin)), /is not ready: try again \(HTTP 503\)/),
    );
    for (const status of [200, 404, 405]) {
      await using(
        listen(async () => new Response("<html></html>", { status })),
        ({ origin }) => failsWith(prove(at(origin)), /does not seem to be S3: look at S3_ENDPOINT_INTERNAL/),
      );
    }
  });

  it("tells a certificate that nobody vouches for, and an endpoint without TLS", async () => {
    const server = createServer(SELF_SIGNED, (_request, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await using(startEmbedded(), async (embedded) => {
      await failsWith(prove({ ...embedded, endpoint }), /The certificate of .* is not accepted.*NODE_EXTRA_CA_CERTS/);
      const plain = embedded.endpoint.replace("http:", "https:");
      await failsWith(prove({ ...embedded, endpoint: plain }), /does not speak TLS: look at S3_ENDPOINT_INTERNAL/);
    });
    await new Promise((resolve) => server.close(resolve));
  });

  it("names the IAM action that is denied", async () => {
    const denials: [action: RegExp, isDenied: (request: Request) => boolean][] = [
      [/let us put an object: allow s3:PutObject on arn:aws:s3:::darkroom\/\*/, ({ method }) => method === "PUT"],
      [
        /let us read an object: allow s3:GetObject on/,
        ({ method, url }) => method === "GET" && url.includes("/probes/"),
      ],
      [
        /let us remove objects: allow s3:DeleteObject on/,
        ({ method, url }) => method === "POST" && /\?delete/.test(url),
      ],
      [/let us list the bucket: allow s3:ListBucket on arn:aws:s3:::darkroom,/, ({ url }) => url.includes("list-type")],
    ];
    for (const [sentence, isDenied] of denials) {
      const deny: Intercept = (request) => (isDenied(request) ? s3Error(403, "AccessDenied") : null);
      await through(deny, (front) => failsWith(prove(front), sentence));
    }
    const each = "<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>";
    await through(
      ({ method }) => (method === "POST" ? new Response(each) : null),
      (front) => failsWith(prove(front), /allow s3:DeleteObject/),
    );
  });

  it("tells a session token that has expired", async () => {
    await through(
      () => s3Error(400, "ExpiredToken"),
      (front) =>
        failsWith(prove(front, { sessionToken: "session token of ours" }), /AWS_SESSION_TOKEN \(ExpiredToken\)/),
    );
  });

  it("repeats what S3 says where it has no sentence of its own", async () => {
    const other = () => s3Error(400, "InvalidArgument", "<Message>S3 API Requests must be made to API port.</Message>");
    await through(other, (front) =>
      failsWith(
        prove(front),
        /look at S3_ENDPOINT_INTERNAL\. It says: S3 API Requests must be made to API port\. \(Inv/,
      ),
    );
  });

  it("removes what it put when it fails, and what a killed boot left an hour ago", async () => {
    let clock = Date.now() - 2 * HOUR_MS;
    let broken = true;
    const cut: Intercept = ({ url }) => (broken && /X-Amz-Signature/.test(url) ? s3Error(403, "AccessDenied") : null);
    await using(startFront(cut, { now: () => clock }), async (front) => {
      broken = false;
      const earlier = storageOn(front, { now: () => clock });
      for (const key of ["probes/old", "media/probes/old"]) {
        await fetch(await earlier.presignPut(key, 60), { method: "PUT", body: "old" });
      }
      clock = Date.now();
      await fetch(await storageOn(front).presignPut("probes/new", 60), { method: "PUT", body: "new" });
      broken = true;
      await failsWith(prove(front), /read an object by a signed URL: allow s3:GetObject/);
      assert.deepEqual(await left(front), ["media/probes/old", "probes/new", "probes/old"]);
      broken = false;
      await prove(front);
      assert.deepEqual(await left(front), ["probes/new"]);
      earlier.close();
    });
  });
});
