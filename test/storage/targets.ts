import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Client } from "minio";
import { createEmbeddedS3, type EmbeddedS3Options } from "../../src/embedded/s3/server.ts";
import { createLog } from "../../src/log.ts";
import { createS3Storage, type S3Options } from "../../src/storage/s3.ts";
import { listen } from "./listener.ts";

/** The page that the CORS cases come from. */
export const ORIGIN = "http://app.example:3000";

const KEYS = { accessKeyId: "test-access", secretAccessKey: "test-secret-key", region: "us-east-1" };

/** One S3 server to test against. */
export type Target = {
  endpoint: string;
  bucket: string;
  keys: typeof KEYS;
  /** It takes `x-amz-…` headers that are not signed. */
  lenient?: boolean;
  close(): Promise<void>;
};

/** The embedded S3 behind a real listener, in a directory that `close` removes unless it was given. */
export const startEmbedded = async (options: Partial<EmbeddedS3Options> = {}) => {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), "darkroom-s3-")));
  const s3 = await createEmbeddedS3({
    bucket: "darkroom",
    ...KEYS,
    maxObjectBytes: 200_000_000,
    allowedOrigins: (origin) => origin === ORIGIN,
    log: createLog("silent"),
    now: Date.now,
    ...options,
    dir,
  });
  const server = await listen(s3.handle);
  const close = async () => {
    s3.close();
    await server.close();
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
  };
  return { endpoint: server.origin, bucket: "darkroom", keys: KEYS, dir, s3, close };
};

/** A server started by hand, such as MinIO; its bucket is made by `prepare()`. */
const external = async (endpoint: string): Promise<Target> => ({
  endpoint,
  bucket: process.env.S3_TEST_BUCKET ?? "darkroom-test",
  keys: {
    accessKeyId: process.env.S3_TEST_ACCESS_KEY ?? "minioadmin",
    secretAccessKey: process.env.S3_TEST_SECRET_KEY ?? "minioadmin",
    region: process.env.S3_TEST_REGION ?? "us-east-1",
  },
  lenient: process.env.S3_TEST_LENIENT === "1",
  close: async () => undefined,
});

/** The embedded S3, and with `S3_TEST_ENDPOINT` (and `S3_TEST_ACCESS_KEY`, …) a real server too. */
export const targets = (): { name: string; start: () => Promise<Target> }[] => {
  const endpoint = process.env.S3_TEST_ENDPOINT;
  return [
    { name: "embedded S3", start: startEmbedded },
    ...(endpoint ? [{ name: endpoint, start: () => external(endpoint) }] : []),
  ];
};

/** A storage on a target. The caller closes it. */
export const storageOn = ({ endpoint, bucket, keys }: Target, options: Partial<S3Options> = {}) =>
  createS3Storage({
    internal: { endpoint },
    public: { endpoint },
    bucket,
    ...keys,
    pathStyle: true,
    publicUrls: false,
    urlTtlSeconds: 600,
    ...options,
  });

/** The S3 client itself, for what the port does not have. Parts of 5 MiB. */
export const clientOn = ({ endpoint, keys }: Target): Client => {
  const { hostname, port } = new URL(endpoint);
  return new Client({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    accessKey: keys.accessKeyId,
    secretKey: keys.secretAccessKey,
    region: keys.region,
    partSize: 5 * 1024 * 1024,
    retryOptions: { disableRetry: true },
  });
};
