/**
 * `npm run bench:ingest`: a video of `BENCH_MB` (500) goes from a file host to S3 by the path that jobs take. Both are
 * processes of their own, so the memory measured is the ingest's alone. Fails above 64 MB, on Deno above 96: V8 does
 * not look for chunks to free before there are 64 MB of them, but more there are not, however long the video is.
 */
import { rm } from "node:fs/promises";
import process from "node:process";
import { createDownloader } from "../../src/providers/download.ts";
import { createS3Storage } from "../../src/storage/s3.ts";
import { storeOutput } from "../../src/storage/store-output.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { extraMemory } from "./memory.ts";
import { startNeighbour } from "./neighbour.ts";

const MB = 1_000_000;
const SIZE_MB = Number(process.env.BENCH_MB ?? 500);
const MOST_MB = "Bun" in globalThis ? 64 : 96;
/** Into every kind of buffer and compiled function before the measuring starts. */
const WARM_UPS = 3;

type Source = { origin: string; small: string; large: string };
type Store = {
  endpoint: string;
  bucket: string;
  keys: { accessKeyId: string; secretAccessKey: string; region: string };
};

const main = async () => {
  await using source = await startNeighbour<Source>("ingest-source.ts", { BYTES: String(SIZE_MB * MB) });
  await using store = await startNeighbour<Store>("ingest-store.ts");
  const storage = createS3Storage({
    internal: { endpoint: store.endpoint },
    public: { endpoint: store.endpoint },
    bucket: store.bucket,
    ...store.keys,
    pathStyle: true,
    publicUrls: false,
    urlTtlSeconds: 600,
  });
  const tmpDir = await temporaryDirectory();
  const download = createDownloader({ baseUrl: source.origin });
  const { signal } = new AbortController();
  const ingest = async (url: string, owner: number) => {
    const stored = await storeOutput({
      storage,
      owner: `00000000-0000-0000-0000-${String(owner).padStart(12, "0")}`,
      download: () => download({ url }, signal),
      maxBytes: 2_000 * MB,
      signal,
      tmpDir,
    });
    const found = await storage.stat(stored.raw_key);
    if (found?.size !== stored.size_bytes) throw new Error(`${stored.raw_key} has ${found?.size} bytes`);
    return stored.size_bytes;
  };
  try {
    for (let owner = 0; owner < WARM_UPS; owner++) await ingest(source.small, owner);
    const started = performance.now();
    let bytes = 0;
    const extra = await extraMemory(async () => {
      bytes = await ingest(source.large, WARM_UPS);
    });
    const seconds = (performance.now() - started) / 1000;
    const ok = bytes === SIZE_MB * MB && extra < MOST_MB * MB;
    console.log(
      `ingest: ${bytes / MB} MB, ${seconds.toFixed(1)} s, ${(bytes / MB / seconds).toFixed(0)} MB/s, ` +
        `extra RSS ${(extra / MB).toFixed(1)} MB of ${MOST_MB} MB${ok ? "" : ": too much"}`,
    );
    if (!ok) process.exitCode = 1;
  } finally {
    storage.close();
    await rm(tmpDir, { recursive: true, force: true });
  }
};

await main();
