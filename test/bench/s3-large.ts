/**
 * `npm run bench:large`: an object of `BENCH_MB` (2000) through the embedded S3: put, got, got in part, and joined from
 * parts. The server is a process of its own, and it is its memory that is measured. Fails above 64 MB.
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { Readable } from "node:stream";
import { Client } from "minio";
import { createS3Storage } from "../../src/storage/s3.ts";
import { extraMemoryOf } from "./memory.ts";
import { startNeighbour } from "./neighbour.ts";

const MB = 1_000_000;
const SIZE = Number(process.env.BENCH_MB ?? 2000) * MB;
const MOST_MB = 64;
const CHUNK = Buffer.alloc(MB, "large");
const PART = 50 * MB;
const WARM = 20 * MB;

type Server = { endpoint: string; bucket: string; keys: Record<"accessKeyId" | "secretAccessKey" | "region", string> };

/** Of whole chunks, as fast as they are wanted. */
function* chunks(bytes: number) {
  for (let sent = 0; sent < bytes; sent += CHUNK.length) yield CHUNK;
}
const source = (bytes: number) => Readable.from(chunks(bytes), { objectMode: false });

const drain = async (body: AsyncIterable<Uint8Array>, wanted: number) => {
  let size = 0;
  for await (const chunk of body) size += chunk.length;
  if (size !== wanted) throw new Error(`got ${size} of ${wanted} bytes`);
};

const main = async () => {
  await using server = await startNeighbour<Server>("s3-listener.ts");
  const { endpoint, bucket, keys, pid } = server;
  const options = { internal: { endpoint }, public: { endpoint }, bucket, ...keys, pathStyle: true };
  const storage = createS3Storage({ ...options, publicUrls: false, urlTtlSeconds: 600 });
  const { hostname, port } = new URL(endpoint);
  const { accessKeyId: accessKey, secretAccessKey: secretKey, region } = keys;
  const client = new Client({ endPoint: hostname, port: Number(port), useSSL: false, accessKey, secretKey, region });

  const put = (key: string, size: number) => storage.put(key, source(size), { size, mime: "video/mp4" });
  const get = async (key: string, size: number) => drain(await storage.get(key), size);
  const range = async (key: string, size: number) => {
    const answer = await fetch(await storage.url(key), { headers: { range: `bytes=1000-${size - 1001}` } });
    if (answer.status !== 206 || !answer.body) throw new Error(`a range answered ${answer.status}`);
    await drain(answer.body as unknown as AsyncIterable<Uint8Array>, size - 2000);
  };
  const join = async (key: string, size: number) => {
    const uploadID = await client.initiateNewMultipartUpload(bucket, key, {});
    const part = Buffer.alloc(Math.min(PART, size), "part");
    const etags: { part: number; etag: string }[] = [];
    for (let number = 1; (number - 1) * part.length < size; number++) {
      etags.push(
        await client.uploadPart(
          { bucketName: bucket, objectName: key, uploadID, partNumber: number, headers: {} },
          part,
        ),
      );
    }
    await client.completeMultipartUpload(bucket, key, uploadID, etags);
    if ((await storage.stat(key))?.size !== etags.length * part.length) throw new Error("the parts were not joined");
  };
  const steps: [string, (size: number) => Promise<void>][] = [
    ["put", (size) => put("large", size)],
    ["get", (size) => get("large", size)],
    ["range", (size) => range("large", size)],
    ["join", (size) => join("joined", size)],
  ];

  try {
    // Every buffer and compiled function of the server is there before the measuring starts.
    for (const [, step] of steps) await step(WARM);
    for (const [name, step] of steps) {
      const started = performance.now();
      const extra = (await extraMemoryOf(pid, () => step(SIZE))) / MB;
      const seconds = (performance.now() - started) / 1000;
      const ok = extra < MOST_MB;
      console.log(
        `large: ${name} ${SIZE / MB} MB, ${seconds.toFixed(1)} s, ${(SIZE / MB / seconds).toFixed(0)} MB/s, ` +
          `extra RSS ${extra.toFixed(1)} MB of ${MOST_MB} MB${ok ? "" : ": too much"}`,
      );
      if (!ok) process.exitCode = 1;
    }
  } finally {
    storage.close();
  }
};

await main();
