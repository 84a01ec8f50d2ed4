import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/**
 * Starts a program of this directory on the same runtime, in a process of its own, and reads the one line of JSON by
 * which it says that it is ready. Dispose of it: it is asked to stop, and waited for.
 */
export const startNeighbour = async <T>(program: string, env: Record<string, string> = {}) => {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const args = "Deno" in globalThis ? ["run", "-A", "--no-check", path] : [path];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const said = await Promise.race([
    new Promise<string>((resolve) => createInterface({ input: child.stdout }).once("line", resolve)),
    gone.then(() => Promise.reject(new Error(`${program} ended before it was ready`))),
  ]);
  return {
    ...(JSON.parse(said) as T),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await gone;
    },
  };
};
