import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import type { Running } from "../../src/embedded/postgres-process.ts";
import { launchEngine } from "./engine.ts";

const run = promisify(execFile);

const IMAGE = "nats:2.12";
const DOWNLOAD_MS = 120_000;

/** A nats-server that can be started and killed, again and again. */
export type Engine = {
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  remove(): Promise<void>;
};

/** A process of this machine, which cannot outlive us. It can also be made to stand still. */
export const localNats = (binary: string, args: string[]): Engine & { signal(name: NodeJS.Signals): void } => {
  let server: Running | undefined;
  return {
    start: async () => {
      server = await launchEngine(binary, args);
    },
    kill: async () => {
      server?.signal("SIGKILL");
      await server?.ended;
    },
    remove: async () => {},
    signal: (name) => server?.signal(name),
  };
};

/** A container that is reached on `port`. `directory`, where its configuration is, is the same inside. */
export const containedNats = (port: number, directory: string, args: string[]): Engine => {
  const name = `darkroom-test-nats-${process.pid}-${port}`;
  let created = false;
  return {
    start: async () => {
      const open = ["-p", `127.0.0.1:${port}:4222`, "-v", `${directory}:${directory}:ro`];
      const fresh = ["run", "-d", "--name", name, ...open, IMAGE, "-js", "-sd", "/data", ...args];
      await run("docker", created ? ["start", name] : fresh, { timeout: DOWNLOAD_MS });
      created = true;
    },
    kill: async () => void (await run("docker", ["kill", name])),
    remove: async () => void (await run("docker", ["rm", "-f", "-v", name])),
  };
};
