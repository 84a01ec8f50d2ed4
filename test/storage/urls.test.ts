import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readConfig } from "../../src/config.ts";
import { createS3Storage } from "../../src/storage/s3.ts";

const KEYS = { AWS_ACCESS_KEY_ID: "access", AWS_SECRET_ACCESS_KEY: "secret" };

/** What is told to browsers for the same key, by the settings of a deployment. */
const urlsFor = async (settings: Record<string, string>) => {
  const config = readConfig({ ...KEYS, S3_BUCKET: "pictures", ...settings });
  const internal = { endpoint: config.S3_ENDPOINT_INTERNAL ?? "" };
  const create = (publicUrls: boolean) =>
    createS3Storage({
      internal,
      public: { endpoint: config.S3_PUBLIC_ENDPOINT ?? internal.endpoint },
      region: config.S3_REGION,
      bucket: config.S3_BUCKET,
      accessKeyId: "access",
      secretAccessKey: "secret",
      sessionToken: config.AWS_SESSION_TOKEN,
      pathStyle: config.S3_USE_PATH_STYLE,
      publicUrls,
      urlTtlSeconds: 600,
    });
  const [signing, open] = [create(false), create(true)];
  const key = "media/лиса (1)+&?#%20'.png";
  const signed = new URL(await signing.url(key));
  const form = await signing.presignPost("uploads/1", { mime: "image/png", maxBytes: 1, seconds: 60 });
  const urls = {
    permanent: await open.url(key),
    signed: signed.origin + signed.pathname,
    put: (await signing.presignPut("uploads/1", 60)).split("?")[0],
    form: form.url,
    credential: signed.searchParams.get("X-Amz-Credential")?.replace(/\d{8}/, "DATE"),
    token: signed.searchParams.get("X-Amz-Security-Token"),
  };
  for (const storage of [signing, open]) storage.close();
  return urls;
};

const PATH = "media/%D0%BB%D0%B8%D1%81%D0%B0%20%281%29%2B%26%3F%23%2520%27.png";
const expected = (base: string, form: string, region: string) => ({
  permanent: `${base}/${PATH}`,
  signed: `${base}/${PATH}`,
  put: `${base}/uploads/1`,
  form,
  credential: `access/DATE/${region}/s3/aws4_request`,
  token: null,
});

describe("URLs", () => {
  it("of MinIO have the bucket in the path", async () => {
    assert.deepEqual(
      await urlsFor({ S3_ENDPOINT_INTERNAL: "http://minio:9000", S3_PUBLIC_ENDPOINT: "http://localhost:9000/" }),
      expected("http://localhost:9000/pictures", "http://localhost:9000/pictures", "us-east-1"),
    );
  });

  it("of AWS have the bucket in the host, whether the endpoint names the region or not", async () => {
    const host = "https://pictures.s3.eu-west-1.amazonaws.com";
    for (const endpoint of ["https://s3.eu-west-1.amazonaws.com", "https://s3.amazonaws.com"]) {
      assert.deepEqual(
        await urlsFor({ S3_ENDPOINT_INTERNAL: endpoint, S3_REGION: "eu-west-1", S3_USE_PATH_STYLE: "false" }),
        expected(host, `${host}/`, "eu-west-1"),
      );
    }
  });

  it("of Yandex Object Storage have the bucket in the host", async () => {
    const host = "https://pictures.storage.yandexcloud.net";
    const endpoint = "https://storage.yandexcloud.net";
    assert.deepEqual(
      await urlsFor({ S3_ENDPOINT_INTERNAL: endpoint, S3_REGION: "ru-central1", S3_USE_PATH_STYLE: "false" }),
      expected(host, `${host}/`, "ru-central1"),
    );
  });

  it("behind a proxy or a CDN name its host and port, and its scheme", async () => {
    const settings = { S3_ENDPOINT_INTERNAL: "http://minio:9000", S3_PUBLIC_ENDPOINT: "https://cdn.example.com:8443" };
    const path = "https://cdn.example.com:8443/pictures";
    assert.deepEqual(await urlsFor(settings), expected(path, path, "us-east-1"));
    const host = "https://pictures.cdn.example.com:8443";
    assert.deepEqual(
      await urlsFor({ ...settings, S3_USE_PATH_STYLE: "false" }),
      expected(host, `${host}/`, "us-east-1"),
    );
  });

  it("keep a bucket with dots in the path over https, where no certificate would fit its host", async () => {
    const { put } = await urlsFor({
      S3_BUCKET: "my.pictures",
      S3_ENDPOINT_INTERNAL: "https://storage.yandexcloud.net",
      S3_USE_PATH_STYLE: "false",
    });
    assert.equal(put, "https://storage.yandexcloud.net/my.pictures/uploads/1");
  });

  it("hold the token of credentials that are good for a while", async () => {
    const { token } = await urlsFor({
      S3_ENDPOINT_INTERNAL: "https://s3.eu-west-1.amazonaws.com",
      AWS_SESSION_TOKEN: "a/token+of==",
    });
    assert.equal(token, "a/token+of==");
  });
});

describe("S3 settings that", () => {
  const S3 = { ...KEYS, S3_BUCKET: "pictures", S3_ENDPOINT_INTERNAL: "https://storage.yandexcloud.net" };
  const problems = (settings: Record<string, string>): string => {
    try {
      readConfig({ ...S3, ...settings });
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  const bucketInHost = (name: string) =>
    `${name} must not hold the bucket: leave "pictures." out, S3_USE_PATH_STYLE=0 puts it before the host by itself`;

  it("have the bucket in the host of an endpoint are refused, whichever style", () => {
    for (const style of ["0", "1"]) {
      const settings = { S3_USE_PATH_STYLE: style, S3_PUBLIC_ENDPOINT: "https://pictures.storage.yandexcloud.net" };
      assert.ok(problems(settings).includes(bucketInHost("S3_PUBLIC_ENDPOINT")), problems(settings));
    }
    const aws = { S3_ENDPOINT_INTERNAL: "https://pictures.s3.eu-west-1.amazonaws.com" };
    assert.ok(problems(aws).includes(bucketInHost("S3_ENDPOINT_INTERNAL")));
    const own = { S3_ENDPOINT_INTERNAL: "http://s3.lan:9000", S3_PUBLIC_ENDPOINT: "http://pictures.s3.lan:9000" };
    assert.ok(problems(own).includes(bucketInHost("S3_PUBLIC_ENDPOINT")));
  });

  it("have a host that only begins like the bucket are taken", () => {
    assert.equal(problems({ S3_PUBLIC_ENDPOINT: "https://pictures.example.com" }), "");
    assert.equal(problems({ S3_BUCKET: "storage" }), "");
  });

  it("have a path, a query or a password in an endpoint are refused without repeating it", () => {
    for (const [rest, secret] of [
      ["storage.yandexcloud.net/pictures", "/pictures"],
      ["storage.yandexcloud.net/?x=1", "x=1"],
      ["me:hunter2@storage.yandexcloud.net", "hunter2"],
    ] as const) {
      const said = problems({ S3_PUBLIC_ENDPOINT: `https://${rest}` });
      assert.match(
        said,
        /S3_PUBLIC_ENDPOINT must be an origin such as https:\/\/storage\.yandexcloud\.net, nothing more/,
      );
      assert.ok(!said.includes(secret), said);
    }
    assert.match(problems({ S3_ENDPOINT_INTERNAL: "http://:9000" }), /S3_ENDPOINT_INTERNAL must be an origin/);
  });

  it("want the bucket in the host of an address are refused", () => {
    for (const endpoint of ["http://127.0.0.1:9000", "http://[::1]:9000"]) {
      const said = problems({ S3_ENDPOINT_INTERNAL: endpoint, S3_USE_PATH_STYLE: "0" });
      assert.match(
        said,
        /S3_ENDPOINT_INTERNAL is an address, which no bucket can stand before: set S3_USE_PATH_STYLE=1/,
      );
    }
  });

  it("name a bucket that S3 does not take are refused", () => {
    for (const name of ["a..b", "a.-b", "a-.b", "10.0.0.1", "ab", "UPPER", "-abc", "a".repeat(64)]) {
      assert.match(problems({ S3_BUCKET: name }), /S3_BUCKET: /, name);
    }
    for (const name of ["abc", "my.pictures", "a--b", "10.0.0"]) assert.equal(problems({ S3_BUCKET: name }), "");
  });

  it("name an endpoint without keys are refused", () => {
    assert.match(
      problems({ AWS_SECRET_ACCESS_KEY: "" }),
      /S3_ENDPOINT_INTERNAL needs AWS_ACCESS_KEY_ID and AWS_SECRET/,
    );
  });
});
