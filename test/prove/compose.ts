/** docker-compose.yml and the Dockerfile, read by Docker's own code: a Go program, whose modules Go fetches. */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PROGRAM = fileURLToPath(new URL("../deploy/validate/", import.meta.url));

const child = spawn("go", ["run", ".", ROOT], { cwd: PROGRAM, stdio: ["ignore", "inherit", "inherit"] });
child.once("error", ({ message }) => {
  process.stderr.write(
    `Docker's own code for its files is Go: install Go 1.25 or newer, and have it on the PATH (${message})\n`,
  );
  process.exitCode = 1;
});
child.once("exit", (code) => {
  process.exitCode = code ?? 1;
});
