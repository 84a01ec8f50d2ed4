import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const CACHE = fileURLToPath(new URL("../../.cache/", import.meta.url));
const DOWNLOAD_MS = 120_000;

/** A program of a Debian package, such as `usr/sbin/nats-server`, and the packages with libraries that it needs. */
export type DebianPackage = { name: string; program: string; libraries?: readonly string[] };

const runnable = (file: string) =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );

/** The program where it is installed, or was unpacked before; undefined when there is none. */
export const findProgram = async ({ name, program }: DebianPackage): Promise<string | undefined> => {
  const installed = (process.env.PATH ?? "").split(delimiter).filter((directory) => directory !== "");
  const files = [...installed.map((directory) => join(directory, basename(program))), join(CACHE, name, program)];
  for (const file of files) if (await runnable(file)) return file;
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

/** Unpacks the packages into one directory in `.cache/`: no root, nothing installed. Resolves to the program in it. */
const unpack = async ({ name, program, libraries = [] }: DebianPackage): Promise<string> => {
  await mkdir(CACHE, { recursive: true });
  const packages = [name, ...libraries];
  const fetch = (flags: string[]) =>
    run("apt-get", [...flags, "-o", "APT::Sandbox::User=", "download", ...packages], {
      cwd: CACHE,
      timeout: DOWNLOAD_MS,
    });
  await fetch([]).catch(async () => fetch(await ownLists()));
  const fresh = `${name}.new-${process.pid}`;
  for (const one of packages) {
    const file = (await readdir(CACHE)).find((entry) => entry.startsWith(`${one}_`) && entry.endsWith(".deb"));
    if (!file) throw new Error(`apt-get downloaded no ${one}`);
    await run("dpkg", ["-x", file, fresh], { cwd: CACHE });
    await rm(join(CACHE, file));
  }
  await rename(join(CACHE, fresh), join(CACHE, name));
  await rm(join(CACHE, "apt"), { recursive: true, force: true });
  return join(CACHE, name, program);
};

/**
 * The program from PATH, from `.cache/`, else from its package.
 * @throws Error that says who needs it and how to install it
 */
export const getProgram = async (wanted: DebianPackage, user: string): Promise<string> => {
  const missing = (error: Error) => {
    const tool = basename(wanted.program);
    const hint = `sudo apt-get install ${wanted.name}  (macOS: brew install ${tool})`;
    throw new Error(`${user} need ${tool}. Install it with:  ${hint}\n${error.message}`);
  };
  return (await findProgram(wanted)) ?? (await unpack(wanted).catch(missing));
};

/** Where an unpacked program finds the libraries that were unpacked with it: for LD_LIBRARY_PATH. */
export const librariesOf = async ({ name }: DebianPackage): Promise<string> => {
  const lib = join(CACHE, name, "usr/lib");
  const found = await readdir(lib).catch(() => []);
  return found
    .filter((directory) => directory.includes("-linux-"))
    .map((directory) => join(lib, directory))
    .join(":");
};
