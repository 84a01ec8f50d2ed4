import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { bunBinary } from "./bun.ts";
import { denoBinary, denoTask } from "./deno.ts";
import { temporaryDirectory } from "./directory.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const LAUNCHER = fileURLToPath(new URL("../../src/runtime/launch.mjs", import.meta.url));
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const READY_MS = 30_000;
/** Longer than the limit that it sets itself, so that it is that which shows. */
const STOP_MS = 45_000;

/** A Darkroom in a process of its own. */
export type TestServer = {
  /** Base URL without a trailing slash. */
  url: string;
  pid: number;
  /** Hand it to the next `startServer` as DATA_DIR to start again on the same data. */
  dataDir: string;
  /** Everything that it has written to stdout and stderr. */
  logs(): string;
  /** Resolves with the exit code when the process is gone, for whatever reason; null for a signal's. */
  exited: Promise<number | null>;
  /** The power goes out. Resolves when the process is gone. */
  kill9(): Promise<void>;
  /** SIGTERM. Resolves with the exit code; rejects (and kills) when it does not end in time. */
  stop(): Promise<number | null>;
  /** Stops it if it still runs, and removes DATA_DIR if it was made here. */
  [Symbol.asyncDispose](): Promise<void>;
};

export type ServerEnvironment = Record<string, string | undefined>;

// Bun itself is the child, so that kill9 hits Darkroom and not a launcher in front of it.
const bun = () => [bunBinary(), ["--no-env-file", MAIN]] as const;

// What `deno task start` runs, with the permissions that it gives; `exec`, so that kill9 hits Darkroom here, too.
const deno = () => ["/bin/sh", ["-c", `exec ${denoTask("start")}`]] as const;

const COMMANDS = {
  bun,
  deno,
  launcher: () => ["node", [LAUNCHER, "--no-env-file", MAIN]] as const,
};

/** Those that Darkroom runs on. */
export const RUNTIMES = ["bun", "deno"] as const;
export type Runtime = (typeof RUNTIMES)[number];

/** Only what a program needs to run: a developer's own settings must not change the tests. */
const inherited = () => ({
  PATH: `${dirname(denoBinary())}:${process.env.PATH}`,
  HOME: process.env.HOME,
  TMPDIR: process.env.TMPDIR,
});

/**
 * Starts the real `src/main.ts` on a free port and waits until it says that it is ready.
 * @param env settings; DATA_DIR defaults to a temporary directory
 * @param options `signal` kills it in the middle of its start
 * @throws Error with its output when it ends or is not ready in time
 */
export const startServer = async (
  env: ServerEnvironment = {},
  { via = "bun", signal }: { via?: keyof typeof COMMANDS; signal?: AbortSignal } = {},
): Promise<TestServer> => {
  const dataDir = env.DATA_DIR ?? (await temporaryDirectory());
  const [command, args] = COMMANDS[via]();
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { ...inherited(), PORT: "0", DATA_DIR: dataDir, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const exited = new Promise<number | null>((resolve) => {
    child.once("error", (error) => {
      output += error.message;
      resolve(null);
    });
    child.once("exit", (code) => resolve(code));
  });
  const ready = new Promise<string>((resolve) => {
    const take = (text: string) => {
      output += text;
      const [, address] = /^ {2}address {5}(\S+)\s*\n/m.exec(output) ?? [];
      if (address) resolve(address);
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
  });
  const within = async <T>(ms: number, wanted: Promise<T>, what: string): Promise<T> => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`Darkroom ${what} in ${ms} ms:\n${output}`));
    }, ms);
    return Promise.race([wanted, late]).finally(() => clearTimeout(timer));
  };
  const stop = () => {
    child.kill("SIGTERM");
    return within(STOP_MS, exited, "did not stop");
  };
  const early = exited.then((code) => {
    throw new Error(`Darkroom ended with ${code} before it was ready:\n${output}`);
  });
  early.catch(() => undefined);
  const clean = async () => {
    if (child.exitCode === null && child.signalCode === null) await stop();
    if (env.DATA_DIR === undefined) await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  const kill = () => void child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  if (signal?.aborted) kill();
  try {
    const url = await within(READY_MS, Promise.race([ready, early]), "was not ready");
    return {
      url,
      pid: child.pid ?? 0,
      dataDir,
      logs: () => output,
      exited,
      kill9: async () => {
        child.kill("SIGKILL");
        await exited;
      },
      stop,
      [Symbol.asyncDispose]: clean,
    };
  } catch (error) {
    child.kill("SIGKILL");
    await exited;
    await clean();
    throw error;
  } finally {
    signal?.removeEventListener("abort", kill);
  }
};
