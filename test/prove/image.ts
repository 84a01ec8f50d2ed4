/**
 * The image without a container engine: the Dockerfile's steps in empty folders, then its program as a container would
 * run it. Needs root on Linux, npm, and Debian's packages for the folder that stands for the image `debian`.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import process from "node:process";
import { promisify } from "node:util";
import { buildImage, type Image } from "../deploy/build.ts";
import { startContainer } from "../deploy/container.ts";
import { createClient } from "../support/client.ts";
import { temporaryDirectory } from "../support/directory.ts";
import { generate, jobWhen } from "../support/flow.ts";
import { freePort } from "../support/port.ts";

const run = promisify(execFile);

const READY_MS = 60_000;
const STOP_MS = 40_000;

const say = (line: string) => void process.stdout.write(`${line}\n`);

const megabytes = async ({ root }: Image, ...paths: string[]): Promise<number> => {
  const { stdout } = await run("du", ["-cm", ...paths.map((path) => `${root}${path}`)]);
  return Number(stdout.trim().split("\n").at(-1)?.split("\t")[0]);
};

/** One container from its start to its end, with everything embedded. */
const liveAlone = async (image: Image): Promise<string> => {
  const port = await freePort();
  const started = performance.now();
  const container = await startContainer(image, { NODE_ENV: "development", DEMO: "1", PORT: String(port) });
  try {
    await container.healthy(READY_MS);
    const client = createClient(() => `http://localhost:${port}`);
    while ((await client.get("/healthz")).status !== 200) assert.ok(performance.now() - started < READY_MS);
    const ready = performance.now();
    const job = await jobWhen(client, (await generate(client, "a fox")).job);
    assert.equal(job.status, "SUCCEEDED", JSON.stringify(job.error));
    const stopping = performance.now();
    assert.equal(await container.stop(STOP_MS), 0, container.logs());
    const stopped = performance.now();
    return `ready after ${Math.round(ready - started)} ms, one job made, stopped in ${Math.round(stopped - stopping)} ms`;
  } finally {
    await container.stop(0).catch(() => undefined);
  }
};

/** What comes next means something only in there: no root, no rights, no disk but the volumes. */
const confine = async (image: Image): Promise<void> => {
  const script =
    'echo "$$ $(id -u) $(grep CapBnd /proc/self/status)"; touch /app/x /usr/x; touch /data/x /tmp/x && echo ok';
  const container = await startContainer({ ...image, entrypoint: ["/bin/sh", "-c"], cmd: [script] }, {});
  assert.equal(await container.ended, 0, container.logs());
  assert.match(container.logs(), /^1 10001 CapBnd:\s+0+$/m);
  assert.equal(container.logs().match(/Read-only file system/g)?.length, 2);
  assert.match(container.logs(), /^ok$/m);
};

/** A production node says what it lacks. */
const refuse = async (image: Image): Promise<void> => {
  const container = await startContainer(image, {});
  assert.equal(await container.ended, 1);
  assert.match(container.logs(), /JWT_SECRET must be set in production/);
};

if (process.platform !== "linux" || process.getuid?.() !== 0) {
  process.stderr.write("the image can be proved by root on Linux only: it takes chroot and namespaces\n");
  process.exit(1);
}
const directory = await temporaryDirectory();
try {
  const image = await buildImage(directory, say);
  await confine(image);
  await refuse(image);
  const life = await liveAlone(image);
  const [bun, modules, sources] = [
    await megabytes(image, "/usr/local/bin/bun"),
    await megabytes(image, "/app/node_modules"),
    await megabytes(image, "/app/src", "/app/machines", "/app/sql"),
  ];
  say(
    `image: ${bun + modules + sources} MB on the base (Bun ${bun}, node_modules ${modules}, sources ${sources}); ${life}`,
  );
} finally {
  await rm(directory, { recursive: true, force: true });
}
process.exit(0);
