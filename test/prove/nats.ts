/**
 * The tests of the bus and the relay on the newest nats-server, which is built for it. Needs Go.
 */
import { execFile, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const CACHE = fileURLToPath(new URL("../../.cache/nats-newest/", import.meta.url));
const MODULE = "github.com/nats-io/nats-server/v2@latest";
const BUILD_MS = 600_000;
const TESTS = [
  "test/bus",
  "test/facts",
  "test/chaos/relay-outage.test.ts",
  "test/support/nats.test.ts",
  "test/deploy/nats.test.ts",
];

const build = async (): Promise<string> => {
  await mkdir(CACHE, { recursive: true });
  await run("go", ["install", MODULE], { env: { ...process.env, GOBIN: CACHE }, timeout: BUILD_MS }).catch((error) => {
    if (error.code === "ENOENT")
      throw new Error("the newest nats-server is built by Go, and there is no go on the PATH");
    throw error;
  });
  return join(CACHE, "nats-server");
};

try {
  const program = await build();
  const { stdout } = await run(program, ["--version"]);
  const command = ["test", "--timeout", "600000", ...TESTS];
  const child = spawn(process.execPath, command, {
    stdio: "inherit",
    env: { ...process.env, NATS_SERVER_BIN: program },
  });
  const code = await new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
  });
  process.stdout.write(`nats: ${stdout.trim()}, ${TESTS.join(", ")}: ${code === 0 ? "passed" : "failed"}\n`);
  process.exitCode = code ?? 1;
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
