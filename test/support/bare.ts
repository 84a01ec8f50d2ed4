import { existsSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";

/** What Darkroom and a shell need of a system. */
const PROGRAMS = ["sh", "setpriv", "readlink", "ps", "cp", "chmod"];

/** Makes a directory of links to a system's basic programs and those named, to be a whole PATH: neither Bun nor Node. */
export const createBarePath = async (directory: string, programs: Record<string, string>): Promise<string> => {
  await mkdir(directory, { recursive: true });
  const onPath = (name: string) =>
    (process.env.PATH ?? "")
      .split(delimiter)
      .map((where) => join(where, name))
      .find((file) => existsSync(file));
  const found = PROGRAMS.map((name): [string, string | undefined] => [name, onPath(name)]);
  for (const [name, file] of [...found, ...Object.entries(programs)])
    if (file) await symlink(file, join(directory, name));
  return directory;
};
