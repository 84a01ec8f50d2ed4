import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

describe("the two type checkers", () => {
  it("check the same files: deno check all of the project, and tsc no other", async () => {
    const { exclude } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8")) as { exclude: string[] };
    const walk = (directory: string): string[] =>
      readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
        const path = join(directory, entry.name);
        if (exclude.includes(relative(ROOT, path)) || entry.name.startsWith(".git")) return [];
        if (entry.isDirectory()) return walk(path);
        return /\.[mc]?tsx?$/.test(entry.name) ? [relative(ROOT, path)] : [];
      });
    const { stdout } = await run(join(ROOT, "node_modules/.bin/tsc"), ["--listFilesOnly"], { cwd: ROOT });
    const listed = stdout.split("\n").map((path) => relative(ROOT, path.trim()));
    const own = listed.filter((path) => path !== "" && !path.startsWith("..") && !path.startsWith("node_modules"));
    assert.deepEqual(own.sort(), walk(ROOT).sort());
  });
});
