import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/**
 * Starts a program of this directory on the same runtime, in a process of its own, and reads the one line of JSON by
 * which it says that it is ready. Dispose of it: it is asked to stop, and waited for. It also stops when this process
 * is killed, because it is told by the end of its input.
 */
export const startNeighbour = async <T>(program: string, env: Record<string, string> = {}) => {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const args = "Deno" in globalThis ? ["run", "-A", "--no-check", path] : [path];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const said = await Promise.race([
    new Promise<string>((resolve) => createInterface({ input: child.stdout }).once("line", resolve)),
    gone.then(() => Promise.reject(new Error(`${program} ended before it was ready`))),
  ]);
  return {
    ...(JSON.parse(said) as T),
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      await gone;
    },
  };
};

/** For such a program: calls `close` when it is to stop, and ends. */
export const untilAlone = (close: () => Promise<void>): void => {
  process.stdin.resume().once("end", () => void close().finally(() => process.exit()));
};
