// Starts Bun from node_modules: `node src/runtime/launch.mjs <bun arguments>`.
// Bun's install script moves the binary from its platform package into `bun/bin`. With install scripts
// blocked (npm 12, --ignore-scripts) it is still in the platform package, and `.bin/bun` is a placeholder.
import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";

const require = createRequire(import.meta.url);
const libc = process.platform === "linux" && !process.report.getReport().header.glibcVersionRuntime ? "-musl" : "";
const arch = process.arch === "arm64" ? "aarch64" : process.arch;

const find = (name, ...path) => {
  try {
    const file = join(dirname(require.resolve(`${name}/package.json`)), ...path);
    return statSync(file).size > 1e6 ? file : undefined;
  } catch {
    return undefined;
  }
};

const bun =
  find("bun", "bin", "bun.exe") ?? find(`@oven/bun-${process.platform}-${arch}${libc}`, "bin", "bun") ?? "bun";

// The child stops by itself when it sees that this process, killed without a word, is not its parent any more.
const env = { ...process.env, DARKROOM_LAUNCHER: String(process.pid) };
const child = spawn(bun, process.argv.slice(2), { stdio: "inherit", env });
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => child.kill(name));
child.on("error", (error) => {
  console.error(`cannot start Bun (${error.message}); run \`npm install\` first`);
  process.exitCode = 1;
});
child.on("exit", (code, signal) => {
  process.exitCode = signal ? 128 + constants.signals[signal] : (code ?? 1);
});
