import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { temporaryDirectory } from "./directory.ts";
import { freePort } from "./port.ts";

const READY_MS = 30_000;

/** A real MinIO server with one empty drive. */
export type Minio = {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Ends it and removes its drive. */
  stop(): Promise<void>;
};

/**
 * Starts MinIO on a free port of loopback.
 * @param program the binary
 * @param origins whose pages may use it; its CORS rules are the server's, not the bucket's
 */
export const startMinio = async (program: string, origins: readonly string[]): Promise<Minio> => {
  const [directory, port] = [await temporaryDirectory(), await freePort()];
  const keys = { accessKeyId: "darkroom", secretAccessKey: randomBytes(20).toString("hex") };
  const child = spawn(program, ["server", "--quiet", "--address", `127.0.0.1:${port}`, directory], {
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      MINIO_ROOT_USER: keys.accessKeyId,
      MINIO_ROOT_PASSWORD: keys.secretAccessKey,
      // Without one it takes every region for right.
      MINIO_SITE_REGION: "us-east-1",
      MINIO_API_CORS_ALLOW_ORIGIN: origins.join(","),
      MINIO_BROWSER: "off",
      MINIO_UPDATE: "off",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const stop = async () => {
    child.kill("SIGKILL");
    await exited;
    await rm(directory, { recursive: true, force: true });
  };
  const endpoint = `http://127.0.0.1:${port}`;
  const ready = () =>
    fetch(`${endpoint}/minio/health/ready`, { signal: AbortSignal.timeout(1000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  for (const deadline = performance.now() + READY_MS; !(await ready()); await wait(50)) {
    if (child.exitCode === null && performance.now() < deadline) continue;
    await stop();
    throw new Error(`MinIO did not start:\n${output}`);
  }
  return { endpoint, ...keys, stop };
};
