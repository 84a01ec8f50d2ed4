/**
 * A file system that fails in the middle of one change, which is half done where it can be. `kill`: the process dies,
 * and what was written and not synced is lost. `full`: the disk is, for this once.
 */
import { Buffer } from "node:buffer";
import { truncateSync } from "node:fs";
import * as fs from "node:fs/promises";
import process from "node:process";

export * from "node:fs/promises";

let left = Number.POSITIVE_INFINITY;
let fault: "kill" | "full" = "kill";

/** From now on: the `change`th one fails. */
export const failAt = (change: number, how: typeof fault): void => {
  left = change;
  fault = how;
};

const unsynced = new Set<string>();

/** Files that were not synced are empty. */
export const losePower = (): void => {
  for (const path of unsynced) {
    try {
      truncateSync(path);
    } catch {
      // It is gone already.
    }
  }
};

const fail = (): Promise<never> => {
  if (fault === "full") throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  losePower();
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => undefined);
};

type Change<A extends unknown[], R> = (...args: A) => Promise<R>;

/** `change`, or when it is to fail `half` of it. */
const mortal =
  <A extends unknown[], R>(change: Change<A, R>, half: Change<A, unknown> = async () => {}): Change<A, R> =>
  async (...args) => {
    if (--left !== 0) return change(...args);
    await half(...args);
    return fail();
  };

/** The same for what a full disk does not hinder. */
const freeing = <A extends unknown[], R>(change: Change<A, R>, half?: Change<A, unknown>): Change<A, R> => {
  const dying = mortal(change, half);
  return (...args) => (fault === "full" ? change(...args) : dying(...args));
};

type Write = (bytes: Uint8Array, offset: number, length: number, position: number) => Promise<unknown>;

const withMortalWrites = (handle: fs.FileHandle, path: string): fs.FileHandle => {
  const write: Write = (...args) => {
    unsynced.add(path);
    return (handle.write as Write)(...args);
  };
  const half: Write = (bytes, offset, length, position) => write(bytes, offset, length >> 1, position);
  return new Proxy(handle, {
    get(_, name) {
      if (name === "write") return mortal(write, half);
      if (name === "truncate") return freeing((size: number) => handle.truncate(size));
      if (name === "sync") return () => handle.sync().then(() => unsynced.delete(path));
      const value = Reflect.get(handle, name);
      return typeof value === "function" ? value.bind(handle) : value;
    },
  });
};

const openForWriting = mortal(async (path: string, flags: string) =>
  withMortalWrites(await fs.open(path, flags), path),
);

export const open = (path: string, flags: string): Promise<fs.FileHandle> =>
  flags === "r" ? fs.open(path, flags) : openForWriting(path, flags);
export const mkdir = mortal((path: string, options: { recursive: true }) => fs.mkdir(path, options));
export const rename = mortal(async (from: string, to: string) => {
  await fs.rename(from, to);
  if (unsynced.delete(from)) unsynced.add(to);
});
export const link = mortal(async (from: string, to: string) => {
  await fs.link(from, to);
  if (unsynced.has(from)) unsynced.add(to);
});
const writeText = (path: string, text: string) => {
  unsynced.add(path);
  return fs.writeFile(path, text);
};
export const writeFile = mortal(writeText, (path, text) => writeText(path, text.slice(0, text.length >> 1)));
export const copyFile = mortal(
  (from: string, to: string, mode: number) => {
    unsynced.add(to);
    return fs.copyFile(from, to, mode);
  },
  async (from, to) => {
    const bytes = await fs.readFile(from);
    await fs.writeFile(to, Buffer.from(bytes.subarray(0, bytes.length >> 1)));
  },
);
export const rm = freeing(
  (path: string, options: { recursive?: boolean; force: true }) => fs.rm(path, options),
  async (path, { recursive }) => {
    if (!recursive) return;
    const names = await fs.readdir(path);
    for (const name of names.sort().slice(0, names.length >> 1)) await fs.rm(`${path}/${name}`);
  },
);
