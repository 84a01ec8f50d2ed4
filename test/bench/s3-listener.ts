/** The embedded S3 behind the listener of the runtime, as in the server itself. Prints where it is. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createEmbeddedS3 } from "../../src/embedded/s3/server.ts";
import { createLog } from "../../src/log.ts";
import { listen } from "../../src/runtime/select.ts";
import { untilAlone } from "./neighbour.ts";

const MOST_BYTES = 4_000_000_000;
const bucket = "darkroom";
const keys = { accessKeyId: "bench", secretAccessKey: "bench-secret-key", region: "us-east-1" };

const dir = await mkdtemp(join(tmpdir(), "darkroom-bench-s3-"));
const s3 = await createEmbeddedS3({
  dir,
  bucket,
  ...keys,
  maxObjectBytes: MOST_BYTES,
  allowedOrigins: () => false,
  log: createLog("silent"),
  now: Date.now,
});
const nothing = async () => new Response(null, { status: 404 });
const app = { fetch: async (request: Request) => (await s3.handle(request)) ?? nothing(), socket: nothing };
const listening = await listen({ host: "127.0.0.1", port: 0, maxBody: MOST_BYTES }, app);
untilAlone(async () => {
  await listening.stop();
  s3.close();
  await rm(dir, { recursive: true, force: true });
});
process.stdout.write(`${JSON.stringify({ endpoint: `http://127.0.0.1:${listening.port}`, bucket, keys })}\n`);
