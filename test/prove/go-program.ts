import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const CACHE = fileURLToPath(new URL("../../.cache/", import.meta.url));
const BUILD_MS = 1_800_000;

/**
 * Builds a program from its Go module (`github.com/minio/minio@v…`) into `.cache/`, where Go itself finds what is
 * built already. Resolves to its path; rejects with a sentence where there is no Go.
 */
export const goProgram = async (module: string, directory: string): Promise<string> => {
  const target = join(CACHE, directory);
  await mkdir(target, { recursive: true });
  await run("go", ["install", module], { env: { ...process.env, GOBIN: target }, timeout: BUILD_MS }).catch((error) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error(`${module} is built by Go, and there is no go on the PATH`);
  });
  const [path = ""] = module.split("@");
  return join(target, basename(path.replace(/\/v\d+$/, "")));
};
