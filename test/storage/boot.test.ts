import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";
import { startServer } from "../support/server.ts";
import { left, using } from "./prove.ts";
import { startEmbedded, type Target, targets } from "./targets.ts";

describe("a node whose settings name an S3", () => {
  let database: TestDatabase;
  before(async () => {
    database = await cloneDatabase();
  });
  after(() => database.drop());

  const start = ({ endpoint, bucket, keys }: Target, settings: Record<string, string> = {}) =>
    startServer({
      LOG_LEVEL: "warn",
      DATABASE_URL: database.url,
      S3_ENDPOINT_INTERNAL: endpoint,
      S3_BUCKET: bucket,
      S3_REGION: keys.region,
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      ...settings,
    });

  const servers: ReturnType<typeof targets> = targets().map(({ name, start: begin }) => ({
    name,
    start: begin === startEmbedded ? () => startEmbedded({ allowedOrigins: () => true }) : begin,
  }));
  for (const { name, start: begin } of servers)
    it(`starts when ${name} does what it needs, and leaves nothing there`, async () => {
      await using(begin(), async (s3) => {
        await using server = await start(s3);
        const health = (await (await fetch(`${server.url}/health`)).json()) as {
          checks: { storage: { status: string } };
        };
        assert.equal(health.checks.storage.status, "ok");
        assert.doesNotMatch(server.logs(), /"level":"(warn|error)"/);
        assert.deepEqual(await left(s3, "probes/"), []);
      });
    });

  it("ends with 1 and one sentence when it does not", async () => {
    await using(startEmbedded(), async (s3) => {
      await assert.rejects(start(s3, { AWS_SECRET_ACCESS_KEY: "another" }), (error: Error) => {
        assert.match(
          error.message,
          /\bS3 refuses the secret key: look at AWS_SECRET_ACCESS_KEY \(SignatureDoesNotMatch\)/,
        );
        assert.match(error.message, /^Darkroom ended with 1 before it was ready/);
        assert.doesNotMatch(error.message, / at \S+\.ts:\d+/);
        return true;
      });
    });
  });

  it("starts where pages cannot use it from a browser, and warns", async () => {
    await using(startEmbedded(), async (s3) => {
      await using server = await start(s3, { CORS_ORIGINS: "https://app.example.com" });
      assert.match(
        server.logs(),
        /"level":"warn".*Pages of http:\/\/localhost:\d+ \(PUT, GET\), https:\/\/app\.example\.com/,
      );
    });
  });
});
