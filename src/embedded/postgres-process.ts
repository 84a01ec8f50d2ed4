import { execFile, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

/** `nobody` on every Linux that matters; PostgreSQL refuses to run as root. */
const NOBODY = 65534;

/** Whom PostgreSQL runs as. `ids` is set when that is not ourselves. */
export type Identity = {
  ids?: { uid: number; gid: number };
  /** Wraps a command so that it runs as this identity. */
  command(file: string, args: string[], options?: string[]): [file: string, args: string[]];
  /** How a server is tied to our life: `setpriv` asks the kernel, `watchdog` waits in a process of its own. */
  guard: "setpriv" | "watchdog";
};

/**
 * Chooses the identity. On Linux `setpriv` (util-linux) drops root and asks the kernel to send SIGINT
 * to the server when we die, even by SIGKILL. Where it is missing (macOS) the watchdog does that, and
 * only a normal user is served.
 */
export const chooseIdentity = async (guard?: Identity["guard"]): Promise<Identity> => {
  const root = process.getuid?.() === 0;
  const help = await run("setpriv", ["--help"]).then(
    ({ stdout }) => stdout,
    () => "",
  );
  const setpriv = help.includes("--pdeathsig");
  if (root && !setpriv)
    throw new Error("embedded PostgreSQL does not run as root here: start as a normal user, or set DATABASE_URL");
  const drop = root ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"] : [];
  return {
    ...(root ? { ids: { uid: NOBODY, gid: NOBODY } } : {}),
    command: (file, args, options = []) => {
      const flags = [...drop, ...options];
      return flags.length > 0 ? ["setpriv", [...flags, "--", file, ...args]] : [file, args];
    },
    guard: guard ?? (setpriv ? "setpriv" : "watchdog"),
  };
};

/** Nothing of our own environment (secrets, PG* variables) reaches the server. */
export const bareEnvironment = () => ({ PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" });

/** By a program: a runtime may let us signal nothing but our own children. */
export const sendSignal = (pid: number, name: NodeJS.Signals) =>
  run("/bin/sh", ["-c", 'kill -s "$1" "$2"', "sh", name.slice(3), String(pid)]);

/** A server process. */
export type Running = {
  pid: number;
  /** Resolves with how it ended, in words; never rejects. */
  ended: Promise<string>;
  /** Sends a signal; a process that is gone already is fine. */
  signal(name: NodeJS.Signals): void;
};

/**
 * The watchdog's whole life: wait until the pipe to us closes, which the kernel does when we die, then
 * ask the server to stop. It has a session of its own so that Ctrl-C does not end it before its duty.
 */
const watch = (pid: number) =>
  spawn("/bin/sh", ["-c", 'read -r _; kill -INT "$1"', "darkroom-watchdog", String(pid)], {
    cwd: "/",
    detached: true,
    env: bareEnvironment(),
    stdio: ["pipe", "ignore", "ignore"],
  });

/**
 * Starts a server in `cwd` so that it cannot outlive us. It gets a session of its own: Ctrl-C in a
 * terminal reaches only us, and we stop it after our last commit. `onLine` gets its stderr.
 */
export const launch = (
  identity: Identity,
  file: string,
  args: string[],
  cwd: string,
  onLine: (line: string) => void,
): Running => {
  const kernel = identity.guard === "setpriv" ? ["--pdeathsig", "INT"] : [];
  const [command, full] = identity.command(file, args, kernel);
  const child = spawn(command, full, {
    cwd,
    detached: true,
    env: bareEnvironment(),
    stdio: ["ignore", "ignore", "pipe"],
  });
  createInterface({ input: child.stderr }).on("line", onLine);
  const watchdog = kernel.length === 0 && child.pid ? watch(child.pid) : undefined;
  const pid = child.pid ?? 0;
  let over = false;
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`));
  });
  void ended.then(() => {
    over = true;
    watchdog?.kill("SIGKILL");
  });
  const signal = (name: NodeJS.Signals) => {
    // On Deno a child takes one signal and no other.
    if (!over && !child.kill(name)) void sendSignal(pid, name).catch(() => undefined);
  };
  return { pid, ended, signal };
};
