/**
 * The tests of the bus and the relay on the newest nats-server, which is built for it. Needs Go.
 */
import { execFile, spawn } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import { goProgram } from "./go-program.ts";

const run = promisify(execFile);

const TESTS = [
  "test/bus",
  "test/facts",
  "test/chaos/relay-outage.test.ts",
  "test/support/nats.test.ts",
  "test/deploy/nats.test.ts",
];

try {
  const program = await goProgram("github.com/nats-io/nats-server/v2@latest", "nats-newest");
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
