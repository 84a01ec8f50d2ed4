import { execFile } from "node:child_process";
import { access, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { getProgram } from "../support/debian-package.ts";

const run = promisify(execFile);

const CACHE = fileURLToPath(new URL("../../.cache/", import.meta.url));
const PACKAGE = { name: "debootstrap", program: "usr/sbin/debootstrap" };
const LIMIT_MS = 15 * 60_000;

/**
 * The root directory of a minimal Debian of this release, made once from Debian's own packages and kept in `.cache/`.
 * It stands for the image `debian:<release>-slim`, which is the same packages without their documentation.
 */
export const debianRoot = async (release: string): Promise<string> => {
  const root = join(CACHE, `debian-${release}`);
  const made = await access(root).then(
    () => true,
    () => false,
  );
  if (made) return root;
  await mkdir(CACHE, { recursive: true });
  const debootstrap = await getProgram(PACKAGE, "stages built in folders");
  const fresh = `${root}.new-${process.pid}`;
  await run(debootstrap, ["--variant=minbase", release, fresh], {
    env: { ...process.env, DEBOOTSTRAP_DIR: join(dirname(debootstrap), "../share/debootstrap") },
    maxBuffer: 64 * 1024 * 1024,
    timeout: LIMIT_MS,
  });
  for (const left of ["var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"])
    await rm(join(fresh, left), { recursive: true, force: true });
  await rename(fresh, root);
  return root;
};
