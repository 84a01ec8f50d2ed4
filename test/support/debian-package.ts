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

/** A Debian package and the program in it, such as `usr/sbin/nats-server`. */
export type DebianPackage = { name: string; program: string };

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

/** Unpacks the package into `.cache/`: no root, nothing installed. Resolves to the program in it. */
export const unpackProgram = async ({ name, program }: DebianPackage): Promise<string> => {
  await mkdir(CACHE, { recursive: true });
  const fetch = (flags: string[]) =>
    run("apt-get", [...flags, "-o", "APT::Sandbox::User=", "download", name], { cwd: CACHE, timeout: DOWNLOAD_MS });
  await fetch([]).catch(async () => fetch(await ownLists()));
  const file = (await readdir(CACHE)).find((entry) => entry.startsWith(`${name}_`) && entry.endsWith(".deb"));
  if (!file) throw new Error("apt-get downloaded nothing");
  const fresh = `${name}.new-${process.pid}`;
  await run("dpkg", ["-x", file, fresh], { cwd: CACHE });
  await rename(join(CACHE, fresh), join(CACHE, name));
  await rm(join(CACHE, file));
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
  return (await findProgram(wanted)) ?? (await unpackProgram(wanted).catch(missing));
};
