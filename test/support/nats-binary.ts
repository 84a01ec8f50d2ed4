import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, mkdir, readdir, rename, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const CACHE = fileURLToPath(new URL("../../.cache/", import.meta.url));
const UNPACKED = join(CACHE, "nats-server/usr/sbin/nats-server");
const DOWNLOAD_MS = 120_000;

const runnable = (file: string) =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );

const onPath = async (): Promise<string | undefined> => {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    const file = join(directory, "nats-server");
    if (directory && (await runnable(file))) return file;
  }
  return undefined;
};

/** Lists of our own, so that neither root nor an earlier `apt-get update` is needed. */
const ownLists = async (): Promise<string[]> => {
  const state = join(CACHE, "apt");
  await mkdir(join(state, "lists/partial"), { recursive: true });
  await mkdir(join(state, "archives/partial"), { recursive: true });
  const options = [
    `Dir::State::lists=${state}/lists`,
    `Dir::Cache=${state}`,
    "APT::Sandbox::User=",
    "Debug::NoLocking=1",
  ];
  const flags = options.flatMap((option) => ["-o", option]);
  await run("apt-get", [...flags, "update"], { timeout: DOWNLOAD_MS });
  return flags;
};

/** Unpacks the Debian package into `.cache/`: no root, nothing installed. */
const download = async (): Promise<string> => {
  await mkdir(CACHE, { recursive: true });
  const fetch = (flags: string[]) =>
    run("apt-get", [...flags, "-o", "APT::Sandbox::User=", "download", "nats-server"], {
      cwd: CACHE,
      timeout: DOWNLOAD_MS,
    });
  await fetch([]).catch(async () => fetch(await ownLists()));
  const file = (await readdir(CACHE)).find((name) => name.startsWith("nats-server_") && name.endsWith(".deb"));
  if (!file) throw new Error("apt-get downloaded nothing");
  const fresh = `nats-server.new-${process.pid}`;
  await run("dpkg", ["-x", file, fresh], { cwd: CACHE });
  await rename(join(CACHE, fresh), join(CACHE, "nats-server"));
  await rm(join(CACHE, file));
  await rm(join(CACHE, "apt"), { recursive: true, force: true });
  return UNPACKED;
};

/** nats-server as NATS_SERVER_BIN names it, else from PATH, else as it was unpacked before; undefined: nowhere. */
export const findNats = async (): Promise<string | undefined> => {
  const { NATS_SERVER_BIN } = process.env;
  if (NATS_SERVER_BIN) {
    if (await runnable(NATS_SERVER_BIN)) return NATS_SERVER_BIN;
    throw new Error(`NATS_SERVER_BIN is no program: ${NATS_SERVER_BIN}`);
  }
  return (await onPath()) ?? ((await runnable(UNPACKED)) ? UNPACKED : undefined);
};

/**
 * The same, else unpacked from the Debian package.
 * @throws Error with the one line that installs it where none of these is possible
 */
export const obtainNats = async (): Promise<string> =>
  (await findNats()) ??
  (await download().catch((error: Error) => {
    throw new Error(
      `these tests need nats-server. Install it with:  sudo apt-get install nats-server  (macOS: brew install nats-server)\n${error.message}`,
    );
  }));
