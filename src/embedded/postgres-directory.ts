import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, chown, lstat, mkdir, open, readdir, realpath, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { bareEnvironment, type Identity } from "./postgres-process.ts";

const run = promisify(execFile);

/** The kernel's limit for a socket path is 107 bytes on Linux and 103 on macOS; names in it take up to 24. */
const SOCKET_DIR_BYTES = 79;

/** Where one embedded cluster lives. Sockets are next to the data unless the path is too long for the kernel. */
export type Directory = { home: string; data: string; sockets: string };

const own = async (path: string, identity: Identity): Promise<void> => {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const entry = await lstat(path);
  const uid = identity.ids?.uid ?? process.getuid?.();
  const mayTake = entry.uid === uid || (identity.ids !== undefined && entry.uid === 0);
  if (!entry.isDirectory() || !mayTake)
    throw new Error(`${path} belongs to somebody else; remove it or set another DATA_DIR`);
  if (identity.ids && entry.uid !== uid) await chown(path, identity.ids.uid, identity.ids.gid);
  await chmod(path, 0o700);
};

/** Creates `<dataDir>/postgres` and picks the directory of its sockets: deterministic, private, short. */
export const prepareDirectory = async (dataDir: string, identity: Identity): Promise<Directory> => {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const home = join(await realpath(dataDir), "postgres");
  await own(home, identity);
  if (Buffer.byteLength(home) <= SOCKET_DIR_BYTES) return { home, data: join(home, "data"), sockets: home };
  const name = createHash("sha256").update(home).digest("hex").slice(0, 16);
  const sockets = join("/tmp", `darkroom-${name}`);
  await own(sockets, identity);
  return { home, data: join(home, "data"), sockets };
};

/**
 * The data directory's name for the server. `/proc/self/cwd` lets it run below directories that only
 * root may traverse: it starts in its data directory and never leaves it.
 */
export const dataArgument = (data: string) => (process.platform === "linux" ? "/proc/self/cwd" : data);

const syncDirectory = async (path: string) => {
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
};

/** Dies with us, so that it cannot go on writing where the next start cleans up. */
const initdb = async (binaries: string, identity: Identity, data: string, options: string[]): Promise<void> => {
  const tied = identity.guard === "setpriv" ? ["--pdeathsig", "KILL"] : [];
  const whole = ["-D", dataArgument(data), ...options];
  const [command, args] = identity.command(join(binaries, "bin", "initdb"), whole, tied);
  await run(command, args, { cwd: data, env: bareEnvironment(), timeout: 60_000 }).catch(
    (error: { stderr?: string }) => {
      throw new Error(`initdb failed: ${(error.stderr || String(error)).trim().split("\n").slice(-3).join(" / ")}`);
    },
  );
};

/**
 * Writes every file of a new cluster through to the disk. A thousand small syncs take seconds on some
 * disks, so this runs beside the server; until it is done only a power loss (no crash) could hurt.
 */
export const syncCluster = (data: string, binaries: string, identity: Identity) =>
  initdb(binaries, identity, data, ["--sync-only"]);

/**
 * Creates the cluster once. It grows under another name and is renamed when it is whole, so a crash
 * in the middle leaves only rubbish, which the next start removes. The caller holds the claim.
 * `C.UTF-8` of the builtin provider sorts by code point and knows Unicode case, on every system alike.
 * @returns whether it was created now, and so is not synced yet
 */
export const initialise = async (directory: Directory, binaries: string, identity: Identity): Promise<boolean> => {
  for (const name of await readdir(directory.home))
    if (name.startsWith("data.new-"))
      await rm(join(directory.home, name), { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  if (existsSync(directory.data)) return false;
  const fresh = join(directory.home, `data.new-${process.pid}`);
  await mkdir(fresh, { mode: 0o700 });
  if (identity.ids) await chown(fresh, identity.ids.uid, identity.ids.gid);
  await initdb(binaries, identity, fresh, [
    ...["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"],
    ...["--builtin-locale=C.UTF-8", "--no-instructions", "--no-sync"],
  ]);
  await rename(fresh, directory.data);
  await syncDirectory(directory.home);
  return true;
};
