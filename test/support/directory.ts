import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const PREFIX = "darkroom-test-";

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Removes the directories of test runs that were killed before they could. */
const sweep = async () => {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(tmpdir(), name);
    const owner = Number(await readFile(join(path, "owner"), "utf8").catch(() => "0"));
    if (owner > 0 && !alive(owner)) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
};

/** A temporary directory. Remove it in `after`; the next run does when this one is killed. */
export const temporaryDirectory = async (): Promise<string> => {
  await sweep();
  const directory = await mkdtemp(join(tmpdir(), PREFIX));
  await writeFile(join(directory, "owner"), String(process.pid));
  return directory;
};
